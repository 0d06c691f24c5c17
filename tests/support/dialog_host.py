"""A small host app for one dialog."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual import on
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from lmdeck.screens.intents import Intent


class DialogHost(App[None]):
    """Shows a dialog, and keeps what it asks for and what it copies."""

    def __init__(self, dialog: Screen[None]) -> None:
        super().__init__()
        self.dialog, self.asked, self.copied = dialog, list[Intent](), ""

    async def on_mount(self) -> None:
        await self.push_screen(self.dialog)

    @on(Intent)
    def keep(self, intent: Intent) -> None:
        self.asked.append(intent)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text

    def words(self) -> str:
        """The screen's text on one line, without the dialog's border: what was wrapped in it is joined again."""
        strips = self.screen._compositor.render_strips(self.screen.size)
        rows = ["".join(segment.text for segment in strip).strip() for strip in strips]
        return re.sub(r"\s+", " ", " ".join(row.strip("│ ▁▂▃▄▅▆▇") for row in rows))

    async def tell(self, pilot: Pilot[None], *steps: object) -> None:
        """Steps of an experiment, as they come; the page scrolls to its end a frame later."""
        for step in steps:
            self.dialog.tell(step)
        await pilot.pause()
        await pilot.pause()

    async def see(self, pilot: Pilot[None], words: str) -> str:
        """Wait until these words are on the screen (a page scrolls a frame later); answers all of them."""
        for _ in range(250):
            if words in (shown := self.words()):
                return shown
            await pilot.pause(0.02)
        raise AssertionError(f"no {words!r} in {self.words()!r}")


@asynccontextmanager
async def dialog_open(dialog: Screen[None], size: tuple[int, int]) -> AsyncIterator[tuple[DialogHost, Pilot[None]]]:
    """The dialog on a screen of that size."""
    host = DialogHost(dialog)
    async with host.run_test(size=size) as pilot:
        await pilot.pause()
        yield host, pilot
