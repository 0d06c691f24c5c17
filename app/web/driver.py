"""The driver of a deck behind a page: Textual's own, but a deck whose server is gone ends too."""

import asyncio
import os
from contextlib import suppress
from functools import partial

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class PageDriver(WebDriver):
    """Reads and writes pipes to the web server; their end is the deck's end."""

    def start_application_mode(self) -> None:
        """Begin, and remember the loop to end in."""
        self._write = partial(_write_if_heard, self.fileno)
        self._loop = asyncio.get_running_loop()
        super().start_application_mode()

    def run_input_thread(self) -> None:
        """Read until the pipe or the deck ends."""
        super().run_input_thread()
        with suppress(RuntimeError):  # the loop is closed: the deck has ended
            self._loop.call_soon_threadsafe(self._app.post_message, ExitApp())


def _write_if_heard(pipe: int, data: bytes) -> int:
    """Write; what nobody can read any more is dropped, for the deck to end in order."""
    with suppress(BrokenPipeError):
        return os.write(pipe, data)
    return len(data)
