"""One connection at work: feeds step the state, intents become commands. Imported after the first frame."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from textual.app import App
from textual.notifications import SeverityLevel

from lmdeck.backend.errors import BackendError, StreamCut
from lmdeck.commands import Commands, shortfall
from lmdeck.feeds.activity import activity_feed, runtime_feed
from lmdeck.feeds.machine import machine_feed
from lmdeck.feeds.models import model_feed
from lmdeck.feeds.pace import Pace
from lmdeck.feeds.sources import Sources
from lmdeck.model.chat import ChatEvent
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import SOURCES, DeckNote, LogEntry
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean
from lmdeck.screens import intents
from lmdeck.screens.dashboard import Dashboard
from lmdeck.state.deck import DeckState
from lmdeck.state.events import CatalogSeen, Connected, Event, SourceLost
from lmdeck.state.from_log import events_of, tells_of_change
from lmdeck.state.step import step

_FIRST_DRAWING_S = 0.05


class Session:
    """Holds the deck's state. Its work runs in the app's workers, in groups named by what they do."""

    def __init__(self, app: App[None], dashboard: Dashboard) -> None:
        self.state = DeckState()
        self._app, self._dashboard = app, dashboard
        self._models_pace, self._activity_pace = Pace(fast=2.0, slow=6.0), Pace(fast=10.0, slow=20.0, gap=2.0)
        self._commands: Commands | None = None
        self._given_up: dict[str, frozenset[str]] = {}
        self._heard, self._online = asyncio.Event(), asyncio.Event()

    def apply(self, event: Event) -> None:
        """Step the state, and show it if it changed."""
        state = step(self.state, event)
        if state is self.state:
            return
        before, self.state = self.state, state
        if isinstance(event, CatalogSeen):
            self._note_arrivals(before)
        elif isinstance(event, SourceLost) and event.source == "activity" and before.activity_problem is None:
            self._note(event.problem)
        self._online.set() if state.online else self._online.clear()
        if state.online or state.problem:
            self._heard.set()
        self._dashboard.post_message(intents.StateChanged(state))

    def _note_arrivals(self, before: DeckState) -> None:
        """After a new list: somebody's loads and unloads are worth an `lms ps`, and a load given up here that the
        server finished all the same is told."""
        if {instance.id for instance in before.instances()} != {instance.id for instance in self.state.instances()}:
            self._activity_pace.wake()
        for key, known in tuple(self._given_up.items()):
            if new := self._copies(key) - known:
                del self._given_up[key]
                self._tell(f"LM Studio went on and loaded {', '.join(new)}: u unloads it.", severity="warning")

    def _copies(self, key: str) -> frozenset[str]:
        model = self.state.model(key)
        return frozenset(instance.id for instance in model.instances) if model else frozenset()

    def attend(self, attended: bool) -> None:
        """Whether anybody looks: if not, less is asked; if so again, the truth is shown at once."""
        self._models_pace.attended = self._activity_pace.attended = attended
        if attended:
            self._models_pace.wake()

    # Feeds

    async def start(self, sources: Sources) -> None:
        """Start the feeds: the list of models first; what costs a process or a driver waits until that, or why there
        is none, is on the screen."""
        backend, cli = sources.backend, sources.cli
        self._commands = Commands(backend, self.apply)
        self.apply(Connected(backend.url, backend.has_token))
        self._follow("models", model_feed(backend, self._models_pace))
        await self._heard.wait()
        await asyncio.sleep(_FIRST_DRAWING_S)
        self._follow("machine", machine_feed(sources.open_machine))
        if cli is None:
            self._note(sources.cli_missing)
            return
        self._follow("activity", activity_feed(cli, self._activity_pace, self._online))
        self._follow("runtime", runtime_feed(cli))
        for source in SOURCES:
            self._app.run_worker(self._follow_log(cli.log(source, self._online)), group=f"log:{source}")

    def _follow(self, name: str, feed: AsyncGenerator[Event]) -> None:
        self._app.run_worker(self._apply_all(feed), group=f"feed:{name}")

    async def _apply_all(self, feed: AsyncGenerator[Event]) -> None:
        async with aclosing(feed) as events:
            async for event in events:
                self.apply(event)

    async def _follow_log(self, batches: AsyncGenerator[tuple[LogEntry, ...]]) -> None:
        async with aclosing(batches) as stream:
            async for batch in stream:
                self._dashboard.log_pane.extend(batch)
                for event in events_of(batch):
                    self.apply(event)
                if tells_of_change(batch):
                    self._models_pace.wake()

    def _note(self, problem: Problem | None) -> None:
        """The deck's own words in the log: what is wrong, and on a line of its own what to do."""
        if problem is not None:
            words = filter(None, (problem.sentence, problem.next_step))
            self._dashboard.log_pane.extend([DeckNote(time.time(), line, level="warn") for line in words])

    # Intents

    def carry_out(self, intent: intents.Intent) -> None:
        """Begin what the user asked for; it ends by itself, with an event or a notice."""
        match intent:
            case intents.Load(request=request):
                if commands := self._connected():
                    self._app.run_worker(self._load(commands, request), group=f"load:{id(request)}")
            case intents.CancelLoad(request=request):
                self._app.workers.cancel_group(self._app, f"load:{id(request)}")
                self._given_up[request.model] = self._copies(request.model)
                self._tell(f"No longer waiting for {request.model}. LM Studio may go on: you will be told.")
            case intents.Unload(instance_ids=ids):
                if commands := self._connected():
                    self._app.run_worker(self._unload(commands, ids), group="unload")
            case intents.Ask(request=question):
                if commands := self._connected():
                    self._app.run_worker(self._answer(commands.chat(question)), group="chat", exclusive=True)
                else:
                    self._dashboard.chat.fail(Problem("not connected yet", next_step="Send it again in a moment."))
            case intents.StopAnswer():
                # Closing the connection makes the server stop generating.
                self._app.workers.cancel_group(self._app, "chat")
                self._dashboard.chat.cut_off("stopped by you")
            case intents.Refresh():
                self._look_again()

    def _connected(self) -> Commands | None:
        if self._commands is None:
            self._tell("Not connected yet.", severity="warning")
        return self._commands

    async def _load(self, commands: Commands, request: LoadRequest) -> None:
        try:
            result = await commands.load(request)
        except BackendError as error:
            self._note(Problem(f"loading {request.model}: {error.problem.title}", error.problem.detail))
            self._app.post_message(intents.LoadOver(request, error.problem))
        else:
            took = f" in {result.load_time_s:.1f} s" if result.load_time_s is not None else ""
            self._tell(f"Loaded {result.instance_id}{took}")
            if differs := shortfall(request, result):
                self._tell(differs, title="Not loaded as asked", severity="warning")
            self._app.post_message(intents.LoadOver(request))
        finally:
            self._look_again()

    async def _unload(self, commands: Commands, instance_ids: tuple[str, ...]) -> None:
        try:
            await commands.unload_all(instance_ids)
        except BackendError as error:
            self.tell_problem("Unloading", error.problem)
        else:
            self._tell(f"Unloaded {', '.join(instance_ids)}")
        finally:
            self._look_again()

    async def _answer(self, answer: AsyncGenerator[ChatEvent]) -> None:
        chat = self._dashboard.chat
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

    def _look_again(self) -> None:
        """Every poll now."""
        self._models_pace.wake()
        self._activity_pace.wake()

    def tell_problem(self, title: str, problem: Problem) -> None:
        """A notice with the server's words and the next step."""
        self._tell(problem.lines, title=title, severity="error", timeout=12)

    def _tell(
        self, words: str, *, title: str = "", severity: SeverityLevel = "information", timeout: float = 4
    ) -> None:
        self._app.notify(clean(words), title=clean(title), severity=severity, timeout=timeout, markup=False)
