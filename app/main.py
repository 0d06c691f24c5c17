"""The application: the dashboard, the keys that work everywhere, and the session that does the work."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import App
from textual.binding import Binding
from textual.command import Provider
from textual.worker import WorkerError

from lmdeck import styles
from lmdeck.backend.errors import BackendError
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.dashboard import Dashboard
from lmdeck.styles.themes import THEMES

if TYPE_CHECKING:
    from lmdeck.feeds.sources import Sources
    from lmdeck.session import Session

TIDY_S = 15.0
"""Seconds between two looks for whether garbage is to be collected."""
QUIET_S = 3.0
"""After so long without a key a pause is not noticed."""
_WORTH, _URGENT = 20, 500  # collections of the middle generation, each after some thousand new objects
_NEVER = 2**31 - 1

OpenSources = Callable[[], AbstractAsyncContextManager["Sources"]]


def _deck_commands() -> type[Provider]:
    from lmdeck.palette import DeckCommands  # not needed for the first frame

    return DeckCommands


class LMDeck(App[None]):
    """The deck for one server, whose collaborators `open_sources` makes once the first frame is up."""

    TITLE = "lmdeck"
    CSS_PATH = styles.path("dashboard.tcss")  # here, because Textual loads no sheet of a default screen
    COMMANDS = App.COMMANDS | {_deck_commands}
    BINDING_GROUP_TITLE = "Application"
    BINDINGS = [
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave; models stay loaded"),
        Binding("question_mark", "help", "Help", key_display="?", id="app.help", tooltip="All keys"),
        Binding(
            "ctrl+p", "command_palette", "Palette", id="app.palette", tooltip="Every action by name", priority=True
        ),
        Binding("t", "next_theme", "Theme", show=False, id="app.theme", tooltip="Dark or light"),
    ]

    def __init__(
        self, open_sources: OpenSources, *, read_only: bool = False, keys: Mapping[str, str] | None = None
    ) -> None:
        """`keys` are the user's, comma-separated, by the id of the binding."""
        # NO_COLOR means none, not shades of grey: Textual drops colours altogether only when it keeps ANSI ones.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for own in THEMES:
            self.register_theme(own)
        self.theme = THEMES[0].name
        self.read_only = read_only
        self.keys = dict(keys or {})
        self.set_keymap(self.keys)
        self.dashboard = Dashboard(read_only)
        self.session: Session | None = None
        self._open_sources = open_sources
        self._touched = 0.0

    def get_default_screen(self) -> Dashboard:
        """The dashboard itself: pushed over Textual's empty screen, it would be laid out and drawn twice."""
        return self.dashboard

    def on_mount(self) -> None:
        """Being told to end is leaving as by `q`: the terminal is given back, the children are ended."""
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                loop.add_signal_handler(number, self.exit)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.exit))

    def on_ready(self) -> None:
        """The first frame is on the screen: now everything that takes time."""
        self.begin_session()
        self._connect()
        if self.keys:
            self._check_keys()

    @work(group="keys")
    async def _check_keys(self) -> None:
        """Say which of the user's keys do nothing, or more than one thing."""

        def look() -> list[tuple[str, str]]:
            from lmdeck.keymap import faults  # brings every screen

            return faults(self.keys, type(self))

        for _, words in await asyncio.to_thread(look):
            self.notify(words, title="[keys] in the configuration", severity="warning", markup=False)

    async def on_unmount(self) -> None:
        """End every worker, and with it every connection and child process, while the loop still runs."""
        self.workers.cancel_all()
        for worker in tuple(self.workers):
            with suppress(WorkerError):
                await worker.wait()

    @work(group="connection", exclusive=True)
    async def _connect(self) -> None:
        """Own the sources until the application ends."""
        session = self.session
        assert session is not None  # on_ready has begun it
        try:
            async with self._open_sources() as sources:
                await session.start(sources)
                self._resume_collecting()
                await asyncio.Event().wait()
        except BackendError as error:
            self._resume_collecting()
            from lmdeck.state.events import SourceLost

            session.apply(SourceLost("models", error.problem, time.monotonic()))

    def begin_session(self) -> "Session":
        """A session with an empty state, which carries out intents from now on."""
        from lmdeck.session import Session  # brings everything that the first frame does without

        self.session = Session(self, self.dashboard)
        return self.session

    def _resume_collecting(self) -> None:
        """The command line switches the garbage collector off for the start. What the start made stays, and need not
        be looked through ever again. A full log is some hundred thousand objects, and looking through them is felt
        at a key: it is done only while nobody presses one. Young objects are collected as ever."""
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
            gc.enable()
            self.set_interval(TIDY_S, self._tidy)

    def _tidy(self) -> None:
        """A full collection if enough has come for it, now or when it is quiet."""
        grown = gc.get_count()[2]
        if grown >= _URGENT or (grown >= _WORTH and time.monotonic() - self._touched >= QUIET_S):
            gc.collect()

    async def on_event(self, event: events.Event) -> None:
        """As ever; keys and the mouse say that somebody is at it."""
        if isinstance(event, events.InputEvent):
            self._touched = time.monotonic()
            if self.session is not None:
                self.session.log_rests.heed_key()
        await super().on_event(event)

    # What the screens ask for

    @on(intents.Intent)
    def carry_out(self, intent: intents.Intent) -> None:
        """Hand it to the session; what would change the server is refused in a read-only deck."""
        if self.read_only and isinstance(intent, intents.Load | intents.Reload | intents.Unload | intents.Download):
            self.notify("This deck was started with --read-only.", severity="warning")
            if isinstance(intent, intents.Load | intents.Reload):
                self.post_message(
                    intents.LoadOver(intent.request, Problem("read-only", "lmdeck --read-only loads nothing"))
                )
        elif self.session is not None:
            self.session.carry_out(intent)

    @on(intents.LoadOver)
    def end_load(self, message: intents.LoadOver) -> None:
        """Its dialog takes the outcome, if it is still open; else a failure becomes a notice."""
        from lmdeck.screens.load_dialog import LoadDialog

        dialogs = [screen for screen in self.screen_stack if isinstance(screen, LoadDialog)]
        taken = any(dialog.end(message) for dialog in dialogs)
        if message.problem is not None and not taken and self.session is not None:
            self.session.notices.problem(f"Loading {message.request.model}", message.problem)

    def on_app_blur(self) -> None:
        """Nobody looks."""
        if self.session is not None:
            self.session.attend(False)

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        if self.session is not None:
            self.session.attend(True)

    # Keys

    def action_help(self) -> None:
        """All keys, from the bindings."""
        from lmdeck.screens.help import HelpScreen, help_groups  # not needed for the first frame
        from lmdeck.widgets.chat_input import ChatInput
        from lmdeck.widgets.chat_reader import ChatReader
        from lmdeck.widgets.filter_bar import FilterBar

        owners = [*map(type, (self, *self.dashboard.key_owners())), ChatInput, ChatReader, FilterBar]
        self.push_screen(HelpScreen(help_groups(owners, self.keys)))

    def action_next_theme(self) -> None:
        """The other of lmdeck's two themes."""
        self.theme = THEMES[1].name if self.theme == THEMES[0].name else THEMES[0].name
