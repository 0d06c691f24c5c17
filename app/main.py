"""The application: it starts feeds, applies `step`, posts what changed, and runs commands in workers.

What the first frame does not need is imported after it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import App
from textual.binding import Binding
from textual.command import Provider
from textual.notifications import SeverityLevel
from textual.worker import WorkerError

from lmdeck import styles
from lmdeck.backend.errors import BackendError, StreamCut
from lmdeck.feeds.pace import Pace
from lmdeck.model.log import SOURCES, DeckNote, LogEntry
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean
from lmdeck.screens import intents
from lmdeck.screens.dashboard import Dashboard
from lmdeck.state.deck import DeckState
from lmdeck.styles.themes import THEMES

if TYPE_CHECKING:
    from lmdeck.commands import Commands
    from lmdeck.feeds.sources import Sources
    from lmdeck.model.chat import ChatEvent
    from lmdeck.model.load import LoadRequest
    from lmdeck.state.events import Event

    OpenSources = Callable[[], AbstractAsyncContextManager[Sources]]


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

    def __init__(self, open_sources: OpenSources, *, theme: str | None = None, read_only: bool = False) -> None:
        # NO_COLOR means none, not shades of grey: Textual drops colours altogether only when it keeps ANSI ones.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme if theme in self.available_themes else THEMES[0].name
        self.read_only = read_only
        self.state = DeckState()
        self.dashboard = Dashboard(read_only)
        self._open_sources = open_sources
        self._models_pace, self._activity_pace = Pace(fast=2.0, slow=6.0), Pace(fast=10.0, slow=20.0, gap=2.0)
        self._commands: Commands | None = None
        self._heard, self._settled, self._online = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def get_default_screen(self) -> Dashboard:
        """The dashboard itself: pushed over Textual's empty screen, it would be laid out and drawn twice."""
        return self.dashboard

    def on_ready(self) -> None:
        """The first frame is on the screen: now everything that takes time."""
        self._settle()
        self._run_connection()

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

    async def on_unmount(self) -> None:
        """End every worker, and with it every connection and child process, while the loop still runs."""
        self.workers.cancel_all()
        for worker in tuple(self.workers):
            with suppress(WorkerError):
                await worker.wait()

    @work(group="start")
    async def _settle(self) -> None:
        """The start is over once the first list, or why there is none, has had the time to be drawn."""
        await self._heard.wait()
        await asyncio.sleep(0.05)
        self._settled.set()
        if not gc.isenabled():  # the command line's doing; what the start made stays, and need not be looked through
            gc.freeze()
            gc.enable()

    # Feeds: from the sources into the state

    @work(group="connection", exclusive=True)
    async def _run_connection(self) -> None:
        """Own the sources until the application ends."""
        try:
            async with self._open_sources() as sources:
                await self._start_feeds(sources)
                await asyncio.Event().wait()
        except BackendError as error:
            from lmdeck.state.events import SourceLost

            self.apply(SourceLost("models", error.problem, time.monotonic()))

    async def _start_feeds(self, sources: Sources) -> None:
        """The list of models first: what costs a process or a driver waits until that is on the screen."""
        from lmdeck.commands import Commands
        from lmdeck.feeds import activity, machine, models
        from lmdeck.state.events import Connected

        backend, cli = sources.backend, sources.cli
        self._commands = Commands(backend, self.apply)
        self.apply(Connected(backend.url, backend.has_token, cli is not None))
        self._follow("models", models.model_feed(backend, self._models_pace))
        await self._settled.wait()
        self._follow("machine", machine.machine_feed(sources.open_machine))
        if cli is None:
            self._note(sources.cli_missing)
            return
        self._follow("activity", activity.activity_feed(cli, self._activity_pace, self._online))
        self._follow("runtime", activity.runtime_feed(cli))
        for source in SOURCES:
            self.run_worker(self._follow_log(cli.log(source, self._online)), group=f"log:{source}")

    def _follow(self, name: str, feed: AsyncGenerator[Event]) -> None:
        self.run_worker(self._apply_all(feed), group=f"feed:{name}")

    async def _apply_all(self, feed: AsyncGenerator[Event]) -> None:
        async with aclosing(feed) as events:
            async for event in events:
                self.apply(event)

    async def _follow_log(self, batches: AsyncGenerator[tuple[LogEntry, ...]]) -> None:
        from lmdeck.state.from_log import events_of, tells_of_change

        async with aclosing(batches) as stream:
            async for batch in stream:
                self.dashboard.log_pane.extend(batch)
                for event in events_of(batch):
                    self.apply(event)
                if tells_of_change(batch):
                    self._models_pace.wake()

    def apply(self, event: Event) -> None:
        """Step the state, and show it if it changed."""
        from lmdeck.state.step import step

        state = step(self.state, event)
        if state is not self.state:
            self.state = state
            self._online.set() if state.online else self._online.clear()
            if state.online or state.problem:
                self._heard.set()
            self.dashboard.post_message(intents.StateChanged(state))

    def _note(self, problem: Problem | None) -> None:
        """The deck's own word in the log."""
        if problem is not None:
            words = " ".join(filter(None, (f"{problem.sentence}.", problem.next_step)))
            self.dashboard.log_pane.extend((DeckNote(time.time(), words, level="warn"),))

    # Intents: from the screen to the server

    @on(intents.Load)
    def start_load(self, message: intents.Load) -> None:
        """Load in a worker of its own: nothing but its own cancel ends it."""
        if commands := self._writing_commands():
            self.run_worker(self._load(commands, message.request), group=f"load:{message.request.model}")

    async def _load(self, commands: Commands, request: LoadRequest) -> None:
        from lmdeck.commands import shortfall

        try:
            result = await commands.load(request)
        except BackendError as error:
            self._note(Problem(f"loading {request.model}: {error.problem.title}", error.problem.detail))
            self.screen.post_message(intents.LoadOver(request, error.problem))
        else:
            took = f" in {result.load_time_s:.1f} s" if result.load_time_s is not None else ""
            self._tell(f"Loaded {result.instance_id}{took}")
            if differs := shortfall(request, result):
                self._tell(differs, title="Not loaded as asked", severity="warning")
            self.screen.post_message(intents.LoadOver(request))
        finally:
            self._look_again()

    @on(intents.LoadOver)
    def tell_failed_load(self, message: intents.LoadOver) -> None:
        """No dialog took the outcome: a failure becomes a notice."""
        if message.problem is not None:
            self._tell_problem(f"Loading {message.request.model}", message.problem)

    @on(intents.CancelLoad)
    def cancel_load(self, message: intents.CancelLoad) -> None:
        """Stop waiting; the list then shows what the server makes of it."""
        self.workers.cancel_group(self, f"load:{message.model_key}")
        self._tell(f"No longer waiting for {message.model_key}. LM Studio may still finish loading it: watch the list.")

    @on(intents.Unload)
    def start_unload(self, message: intents.Unload) -> None:
        """Unload one or several."""
        if commands := self._writing_commands():
            self.run_worker(self._unload(commands, message.instance_ids), group="unload")

    async def _unload(self, commands: Commands, instance_ids: tuple[str, ...]) -> None:
        try:
            await commands.unload_all(instance_ids)
        except BackendError as error:
            self._tell_problem("Unloading", error.problem)
        else:
            self._tell(f"Unloaded {', '.join(instance_ids)}")
        finally:
            self._look_again()

    @on(intents.Ask)
    def start_answer(self, message: intents.Ask) -> None:
        """Stream one answer into the chat."""
        if self._commands is None:
            self.dashboard.chat.fail(
                Problem("not connected", next_step="Wait until the server answers, then send again.")
            )
        else:
            self.run_worker(self._answer(self._commands.chat(message.request)), group="chat", exclusive=True)

    async def _answer(self, answer: AsyncGenerator[ChatEvent]) -> None:
        chat = self.dashboard.chat
        try:
            async with aclosing(answer) as events:
                async for event in events:
                    chat.feed(event)
        except StreamCut as error:
            chat.cut_off(error.detail or error.title)
        except BackendError as error:
            chat.fail(error.problem)
        finally:
            self._models_pace.wake()

    @on(intents.StopAnswer)
    def stop_answer(self) -> None:
        """Close the connection: the server stops generating."""
        self.workers.cancel_group(self, "chat")
        self.dashboard.chat.cut_off("stopped by you")

    @on(intents.Refresh)
    def _look_again(self) -> None:
        """Every poll now."""
        self._models_pace.wake()
        self._activity_pace.wake()

    def _writing_commands(self) -> Commands | None:
        """The commands if this deck may change the server now; else the reason is told."""
        if self.read_only:
            self._tell("This deck was started with --read-only.", severity="warning")
            return None
        if self._commands is None:
            self._tell("Not connected yet.", severity="warning")
        return self._commands

    def _tell(self, words: str, *, title: str = "", severity: SeverityLevel = "information") -> None:
        self.notify(clean(words), title=title, severity=severity, markup=False)

    def _tell_problem(self, title: str, problem: Problem) -> None:
        self.notify(clean(problem.lines), title=clean(title), severity="error", timeout=12, markup=False)

    # Keys

    def on_app_blur(self) -> None:
        """Nobody looks: ask less often."""
        self._models_pace.attended = self._activity_pace.attended = False

    def on_app_focus(self) -> None:
        """Somebody looks again: show the truth at once."""
        self._models_pace.attended = self._activity_pace.attended = True
        self._models_pace.wake()

    def action_help(self) -> None:
        """All keys, from the bindings."""
        from lmdeck.screens.help import HelpScreen, help_groups  # not needed for the first frame

        self.push_screen(HelpScreen(help_groups([self, *self.dashboard.key_owners()])))

    def action_next_theme(self) -> None:
        """The other of lmdeck's two themes."""
        self.theme = THEMES[1].name if self.theme == THEMES[0].name else THEMES[0].name
