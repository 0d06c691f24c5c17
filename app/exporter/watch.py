"""One server, watched without a screen: the deck's feeds step the deck's state."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from lmdeck.exporter.accuracy import Accuracy
from lmdeck.exporter.counts import Counts
from lmdeck.feeds.activity import activity_feed, runtime_feed
from lmdeck.feeds.contexts import context_feed
from lmdeck.feeds.files import file_feed
from lmdeck.feeds.logs import merged
from lmdeck.feeds.machine import machine_feed
from lmdeck.feeds.models import model_feed
from lmdeck.feeds.pace import Pace
from lmdeck.feeds.sources import Sources
from lmdeck.forecaster import Forecaster
from lmdeck.ledger import Ledger
from lmdeck.model.log import SOURCES, LogEntry
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Connected, Event
from lmdeck.state.from_log import LogReader, tells_of_change
from lmdeck.state.scales import Scales
from lmdeck.state.step import step

_SETTLE_S = 1.0
_AT_REST = 3.0
"""How much slower polls become while nothing changes."""


class Watch:
    """Holds the state and what is counted of it; `tell` gets a sentence whenever the server is lost or is back."""

    def __init__(self, sources: Sources, counts: Counts, tell: Callable[[str], None]) -> None:
        backend, every = sources.backend, sources.intervals
        self.state = DeckState()
        self.accuracy = Accuracy(Forecaster(lambda: self.state, sources.models_folder))
        self._sources, self._counts, self._tell = sources, counts, tell
        self._models_pace = Pace(fast=every.models, slow=every.models * _AT_REST)
        self._activity_pace = Pace(fast=every.activity, slow=every.activity * _AT_REST, gap=2.0)
        self._files_wanted, self._contexts_wanted = asyncio.Event(), asyncio.Event()
        self._online = asyncio.Event()
        self._scales, self._logs = Scales(), LogReader()
        self._ledger = Ledger(backend.url, keep_text=False)
        self._apply(Connected(backend.url, backend.has_token, sources.cli is not None))

    async def run(self) -> None:
        """Watch until cancelled."""
        sources, cli = self._sources, self._sources.cli
        feeds = [
            model_feed(sources.backend, self._models_pace),
            machine_feed(sources.open_machine, sources.intervals.machine),
            context_feed(sources.backend, self._contexts_wanted),
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(self.accuracy.run())
            if cli is not None:
                feeds += [
                    activity_feed(cli, self._activity_pace, self._online),
                    runtime_feed(cli),
                    file_feed(cli, self._files_wanted),
                ]
                group.create_task(self._hear(merged([cli.log(source, self._online) for source in SOURCES])))
                group.create_task(self._settle())
            for feed in feeds:
                group.create_task(self._follow(feed))

    async def _follow(self, feed: AsyncGenerator[Event]) -> None:
        async with aclosing(feed) as events:
            async for event in events:
                self._apply(event)

    async def _hear(self, batches: AsyncGenerator[tuple[LogEntry, ...]]) -> None:
        async with aclosing(batches) as stream:
            async for batch in stream:
                self._ledger.hear(batch)
                self._apply_all(batch)

    def _apply_all(self, batch: Sequence[LogEntry]) -> None:
        for event in self._logs.events(batch):
            self._apply(event)
        if tells_of_change(batch):
            self._models_pace.wake()

    async def _settle(self) -> None:
        """Count the requests whose end is sure."""
        while True:
            await self._ledger.keep(self._counts, time.time())
            await asyncio.sleep(_SETTLE_S)

    def _apply(self, event: Event) -> None:
        before, self.state = self.state, step(self.state, event)
        for weighing in self._scales.observe(before, self.state, event):
            self.accuracy.weighed(weighing)
        if before is not self.state:
            self._react(before)

    def _react(self, before: DeckState) -> None:
        state = self.state
        self._counts.heed(before, state)
        if state.models is not before.models:
            if _reports(state) != _reports(before):
                self._activity_pace.wake()
                self._contexts_wanted.set()
            if {model.key for model in state.models or ()} != {model.key for model in before.models or ()}:
                self._files_wanted.set()
        self._online.set() if state.online else self._online.clear()
        if state.problem is not None and state.problem != before.problem:
            self._tell(state.problem.sentence)
        elif state.online and before.problem is not None:
            self._tell(f"{state.url} answers again")


def _reports(state: DeckState) -> dict[str, int | None]:
    return {instance.id: instance.config.context_length for instance in state.instances()}
