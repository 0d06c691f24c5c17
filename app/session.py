"""One connection at work: feeds step the state, intents become deeds. Imported after the first frame."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from lmdeck.commands import Commands
from lmdeck.desk import Desk
from lmdeck.feeds.activity import activity_feed, runtime_feed
from lmdeck.feeds.contexts import context_feed
from lmdeck.feeds.files import file_feed
from lmdeck.feeds.logs import Rests, in_portions, merged
from lmdeck.feeds.machine import machine_feed
from lmdeck.feeds.models import model_feed
from lmdeck.feeds.pace import Pace
from lmdeck.feeds.sources import Sources
from lmdeck.model.log import SOURCES, LogEntry, RuntimeLine
from lmdeck.model.problem import Problem
from lmdeck.model.timeline import Happening
from lmdeck.model.units import gigabytes
from lmdeck.notices import Notices
from lmdeck.screens import intents
from lmdeck.screens.dashboard import Dashboard
from lmdeck.state.deck import DeckState
from lmdeck.state.events import CatalogSeen, Connected, Event, MachineSeen, SourceLost
from lmdeck.state.from_log import LogReader, tells_of_change
from lmdeck.state.scales import Scales
from lmdeck.state.step import step
from lmdeck.widgets.chat_wishes import PathsWanted, Typed

if TYPE_CHECKING:
    from lmdeck.archive import Archive
    from lmdeck.clinic import Clinic
    from lmdeck.comparing import Comparing
    from lmdeck.custodian import Custodian
    from lmdeck.deeds import Deeds
    from lmdeck.downloading import Downloading
    from lmdeck.inquiries import Inquiries
    from lmdeck.ledger import Ledger
    from lmdeck.talk.room import Talk

_FIRST_DRAWING_S = 0.05
_LARGE_LOGS = 5e9


class Session:
    """Holds the deck's state. Its work runs in the app's workers, in groups named by what they do."""

    def __init__(self, app: App[None], dashboard: Dashboard) -> None:
        self.state = DeckState()
        self.notices = Notices(app, dashboard.log_pane)
        self._app, self._dashboard = app, dashboard
        self._log_pane = dashboard.log_pane  # held: while the screen is taken down, batches still come
        self._models_pace, self._activity_pace = Pace(fast=2.0, slow=6.0), Pace(fast=10.0, slow=20.0, gap=2.0)
        self._desk: Desk | None = None
        self._ledger: Ledger | None = None
        self._custodian: Custodian | None = None
        self._talk: Talk | None = None
        self._downloading: Downloading | None = None
        self._looked_back = False
        self._scales, self._logs = Scales(), LogReader()
        self._files_wanted, self._contexts_wanted = asyncio.Event(), asyncio.Event()
        self._sensed = asyncio.Event()
        self._heard, self._online = asyncio.Event(), asyncio.Event()
        self.log_rests = Rests()

    def apply(self, event: Event) -> None:
        """Step the state, and show it if it changed."""
        before, self.state = self.state, step(self.state, event)
        for weighing in self._scales.observe(before, self.state, event):
            if self._custodian is not None:
                self._app.run_worker(self._custodian.keep(weighing), group="store")
        if before is self.state:
            return
        self._react(before, event)
        self._dashboard.post_message(intents.StateChanged(self.state))

    def _react(self, before: DeckState, event: Event) -> None:
        state = self.state
        if isinstance(event, CatalogSeen):
            self._note_arrivals(before)
        elif isinstance(event, MachineSeen):
            self._sensed.set()
        elif isinstance(event, SourceLost) and event.source == "activity" and before.activity_problem is None:
            self.notices.note(event.problem)
        if state.timeline is not before.timeline:
            self.notices.happened(_added(before, state))
        if self._desk is not None:
            self._desk.forecaster.heed()
        if self._talk is not None:
            self._talk.heed(before)
        if self._downloading is not None:
            self._downloading.heed(before)
        self._online.set() if state.online else self._online.clear()
        if state.online or state.problem:
            self._heard.set()

    def _note_arrivals(self, before: DeckState) -> None:
        """After a new list: somebody's loads and unloads are worth an `lms ps`, new models an `lms ls`."""
        state = self.state
        if {instance.id for instance in before.instances()} != {instance.id for instance in state.instances()}:
            self._activity_pace.wake()
        if {model.key for model in before.models or ()} != {model.key for model in state.models or ()}:
            self._files_wanted.set()
        if _reports(before) != _reports(state):
            self._contexts_wanted.set()
        if self._desk is not None:
            self._deeds.heed_arrivals()

    def attend(self, attended: bool) -> None:
        """Whether anybody looks: if not, less is asked; if so again, the truth is shown at once."""
        self._models_pace.attended = self._activity_pace.attended = attended
        if attended:
            self._models_pace.wake()

    # Feeds

    async def start(self, sources: Sources) -> None:
        """Start the feeds: the list of models first; what costs a process, a driver or a file waits until that, or why
        there is none, is on the screen."""
        backend, cli = sources.backend, sources.cli
        self.apply(Connected(backend.url, backend.has_token, cli is not None))
        self._models_pace.tune(sources.intervals.models)
        self._activity_pace.tune(sources.intervals.activity)
        self.notices.note(sources.warning)
        self._follow("models", model_feed(backend, self._models_pace))
        await self._heard.wait()
        await asyncio.sleep(_FIRST_DRAWING_S)
        self._follow("machine", machine_feed(sources.open_machine, sources.intervals.machine))
        self._follow("contexts", context_feed(backend, self._contexts_wanted))
        self._furnish(sources)
        if cli is None:
            self.notices.note(sources.cli_missing)
            return
        self._follow("activity", activity_feed(cli, self._activity_pace, self._online))
        self._follow("runtime", runtime_feed(cli))
        self._follow("files", file_feed(cli, self._files_wanted))
        lines = merged([cli.log(source, self._online) for source in SOURCES], self.log_rests)
        self._app.run_worker(self._follow_log(lines), group="log")

    def _furnish(self, sources: Sources) -> None:
        """Everything that acts for the user, and what is kept from earlier sessions."""
        from lmdeck.downloading import Downloading
        from lmdeck.forecaster import Forecaster
        from lmdeck.ledger import Ledger
        from lmdeck.talk.room import Talk

        self._ledger = Ledger(sources.backend.url, sources.keep_text)
        self._log_pane.use_exchanges(self._ledger.exchange_of)
        forecaster = Forecaster(lambda: self.state, sources.models_folder)
        self._desk = Desk(
            app=self._app,
            dashboard=self._dashboard,
            notices=self.notices,
            backend=sources.backend,
            cli=sources.cli,
            commands=Commands(sources.backend, self.apply, sources.cli),
            forecaster=forecaster,
            apply=self.apply,
            state=lambda: self.state,
            look_again=self._look_again,
            checkup=sources.checkup,
        )
        self._follow("outlooks", forecaster.feed())
        self._downloading = Downloading(self._desk, sources.models_folder)
        self._follow("downloads", self._downloading.feed())
        self._talk = Talk(self._desk, sources.tools, lambda: self._comparing, sources.presets)
        if sources.history is not None:
            from lmdeck.custodian import Custodian

            self._custodian = Custodian(
                self._desk, self._ledger, self._talk.keeping, days=sources.log_days, megabytes=sources.log_megabytes
            )
            self._app.run_worker(self._custodian.look_after(sources.history, self._sensed), group="history")
        if sources.log_folder is not None:
            self._app.run_worker(self._backfill(sources.log_folder), group="backfill")
        forecaster.heed()

    def _follow(self, name: str, feed: AsyncGenerator[Event]) -> None:
        self._app.run_worker(self._apply_all(feed), group=f"feed:{name}")

    async def _apply_all(self, feed: AsyncGenerator[Event]) -> None:
        async with aclosing(feed) as events:
            async for event in events:
                self.apply(event)

    async def _follow_log(self, batches: AsyncGenerator[tuple[LogEntry, ...]]) -> None:
        async with aclosing(batches) as stream:
            async for batch in stream:
                self._log_pane.extend(batch)
                async for part in in_portions(batch, self.log_rests):
                    self._hear(part)

    async def _backfill(self, folder: Path) -> None:
        """The end of LM Studio's own log files, so that the pane is not empty: shown, but no news."""
        from lmdeck.backend.logfiles import folder_size, tail_of_logs

        self._log_pane.backfill(await tail_of_logs(folder))
        size = await folder_size(folder)
        if size is not None and size > _LARGE_LOGS:
            words = f"LM Studio's log folder holds {gigabytes(size)} GB"
            self.notices.note(Problem(words, next_step=f"Delete what is old in {folder}, or log less verbosely."))

    def _hear(self, batch: tuple[LogEntry, ...]) -> None:
        if self._ledger is not None:
            changed = self._ledger.hear(batch)
            self._log_pane.exchanges_changed(changed)
            if self._looked_back:
                self._archive.heard(changed)
        if self._desk is not None:
            self._desk.runtime_tail.extend((time.time(), entry) for entry in batch if isinstance(entry, RuntimeLine))
        for event in self._logs.events(batch):
            self.apply(event)
        if tells_of_change(batch):
            self._models_pace.wake()

    # Intents

    @cached_property
    def _deeds(self) -> "Deeds":
        from lmdeck.deeds import Deeds

        assert self._desk is not None
        return Deeds(self._desk)

    @cached_property
    def _inquiries(self) -> "Inquiries":
        from lmdeck.inquiries import Inquiries  # brings the dialogs

        assert self._desk is not None
        return Inquiries(self._desk)

    @cached_property
    def _comparing(self) -> "Comparing":
        from lmdeck.comparing import Comparing  # brings the screens of answers side by side

        assert self._desk is not None
        return Comparing(self._desk)

    @cached_property
    def _clinic(self) -> "Clinic":
        from lmdeck.clinic import Clinic

        assert self._desk is not None
        return Clinic(self._desk)

    @cached_property
    def _archive(self) -> "Archive":
        from lmdeck.archive import Archive

        assert self._desk is not None
        assert self._ledger is not None
        return Archive(self._desk, self._ledger)

    def carry_out(self, intent: intents.Intent) -> None:
        """Begin what the user asked for; it ends by itself, with an event or a notice."""
        if isinstance(intent, intents.Refresh):
            self._look_again()
        elif self._desk is None and isinstance(intent, intents.Weigh | intents.AskLmStudio):
            return  # nobody asked for it by a key
        elif self._talk is None and isinstance(intent, intents.Chat) and isinstance(intent.wish, Typed | PathsWanted):
            return  # nor for this; the editor keeps its text
        elif self._desk is None or self._talk is None or self._downloading is None:
            self.notices.tell("Not connected yet: try it again in a moment.", severity="warning")
        elif isinstance(intent, intents.Chat):
            self._talk.heed_wish(intent.wish)
        elif self._downloading.carry_out(intent):
            return
        elif not self._deeds.carry_out(intent) and not self._inquiries.carry_out(intent):
            looked_back = self._archive.carry_out(intent)
            self._looked_back = looked_back or self._looked_back
            if not looked_back and not self._talk.carry_out(intent) and not self._comparing.carry_out(intent):
                self._clinic.carry_out(intent)

    def _look_again(self) -> None:
        """Every poll now."""
        self._models_pace.wake()
        self._activity_pace.wake()


def _added(before: DeckState, after: DeckState) -> tuple[Happening, ...]:
    """What is new on the timeline; a story that was only told better is not."""
    if not before.timeline:
        return after.timeline
    last = before.timeline[-1]
    places = [
        index for index, one in enumerate(after.timeline) if (one.at, one.instance_id) == (last.at, last.instance_id)
    ]
    return after.timeline[places[-1] + 1 :] if places else ()


def _reports(state: DeckState) -> dict[str, int | None]:
    return {instance.id: instance.config.context_length for instance in state.instances()}
