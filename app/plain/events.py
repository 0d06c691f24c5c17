"""`lmdeck events`: everything that happens, as JSON lines, until Ctrl+C."""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict

from lmdeck.exchanges.join import Joiner
from lmdeck.exchanges.records import record
from lmdeck.feeds.activity import activity_feed
from lmdeck.feeds.logs import merged
from lmdeck.feeds.models import model_feed
from lmdeck.feeds.pace import Pace
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import SOURCES, DeckNote, LogEntry
from lmdeck.model.rows import LoadedRow
from lmdeck.plain.frame import new_parser, run, settings_of, tell
from lmdeck.plain.printing import document, write
from lmdeck.plain.reader import Reader, reading
from lmdeck.plain.records import context_record
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Event
from lmdeck.state.from_log import LogReader, tells_of_change
from lmdeck.state.views import loaded_rows

_SETTLED_S = 1.0
"""A finished request is told this long (seconds) after its end: late lines may still tell more about it."""
_MOST_WAITING = 1000
"""Lines that wait for the reader of stdout; then what happens waits, too."""


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `events` until Ctrl+C or the reader's end; answers 0 then."""
    words = (
        "Prints what happens, an object a line: the server and its instances as they are now, then every change of "
        "them, every request that ends, and what becomes of the log streams. Requests and queues need `lms`."
    )
    return run(new_parser("events", words, json=False), argv, _events, endless=True)


async def _events(options: argparse.Namespace) -> None:
    async with reading(settings_of(options)) as reader:
        await reader.look()
        if missing := reader.sources.cli_missing:
            tell("lmdeck events", missing.lines)
        await _Teller(reader).tell_all()


class _Teller:
    """Follows one server. What is told waits in a bounded queue for whoever reads stdout."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lines: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._pace, self._online = Pace(fast=1.0, slow=4.0), asyncio.Event()
        self._joiner, self._logs = Joiner(time.time()), LogReader()
        self._ended: dict[int, tuple[float, Exchange]] = {}
        self._last = 0
        self._open: set[int] = set()
        self._some_ended = asyncio.Event()

    async def tell_all(self) -> None:
        """Until cancelled. Raises OSError when nobody reads stdout any more."""
        backend, cli = self._reader.sources.backend, self._reader.sources.cli
        await self._tell_changes(DeckState())
        work = [self._write(), self._step_all(model_feed(backend, self._pace))]
        if cli is not None:
            activities = activity_feed(cli, Pace(fast=5.0, slow=20.0, gap=2.0), self._online)
            logs = merged([cli.log(source, self._online) for source in SOURCES])
            work += [self._step_all(activities), self._hear_all(logs), self._tell_requests()]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            lines = [await self._lines.get()]
            while not self._lines.empty():
                lines.append(self._lines.get_nowait())
            await asyncio.to_thread(write, "\n".join(lines))

    async def _tell(self, kind: str, at: float, values: Mapping[str, object]) -> None:
        await self._lines.put(json.dumps(document("events", {"at": at, "type": kind, **values}), ensure_ascii=False))

    async def _step_all(self, feed: AsyncGenerator[Event]) -> None:
        async with aclosing(feed) as events:
            async for event in events:
                await self._step(event)

    async def _step(self, event: Event) -> None:
        before = self._reader.state
        self._reader.apply(event)
        await self._tell_changes(before)

    async def _hear_all(self, batches: AsyncGenerator[tuple[LogEntry, ...]]) -> None:
        async with aclosing(batches) as stream:
            async for batch in stream:
                for entry in batch:
                    if isinstance(entry, DeckNote):
                        await self._tell("note", entry.at, {"text": entry.text})
                for event in self._logs.events(batch):
                    await self._step(event)
                if tells_of_change(batch):
                    self._pace.wake()
                self._note_requests(self._joiner.feed(batch))

    def _note_requests(self, changed: Sequence[Exchange]) -> None:
        """Have those told that have ended, each once: new ones come in the order of their numbers."""
        for exchange in changed:
            number = exchange.number
            if number > self._last:
                self._last = number
                self._open.add(number)
            since, _ = self._ended.pop(number, (None, exchange))
            if exchange.running:
                self._open.add(number)
            elif since is not None or number in self._open:
                self._open.discard(number)
                self._ended[number] = (since or time.monotonic(), exchange)
                self._some_ended.set()

    async def _tell_requests(self) -> None:
        while True:
            await self._some_ended.wait()
            self._some_ended.clear()
            await asyncio.sleep(_SETTLED_S)
            due = time.monotonic() - _SETTLED_S
            for number, (since, exchange) in sorted(self._ended.items()):
                if since <= due:
                    del self._ended[number]
                    values = asdict(record(exchange, self._reader.sources.backend.url))
                    await self._tell("request", values.pop("at"), values)
            if self._ended:
                self._some_ended.set()

    async def _tell_changes(self, before: DeckState) -> None:
        """What the state says differently from `before`."""
        state, now = self._reader.state, time.time()
        if (before.models is None, before.problem) != (state.models is None, state.problem):
            reason = state.problem.sentence if state.problem else None
            await self._tell("server", now, {"url": state.url, "online": state.online, "reason": reason})
        self._online.set() if state.online else self._online.clear()
        for one in state.timeline[_common(before, state) :]:
            values = asdict(one)
            at, model, name = values.pop("at"), values.pop("model_key"), values.pop("instance_id")
            await self._tell("happening", at, {"instance": name, "model": model, **values})
        rows = {row.id: row for row in loaded_rows(before) or ()}
        for row in loaded_rows(state) or ():
            if _shown(row) != (_shown(rows[row.id]) if row.id in rows else None):
                await self._tell("instance", now, _shown(row))


def _shown(row: LoadedRow) -> dict[str, object]:
    return {
        "instance": row.id,
        "model": row.model_key,
        "state": row.state,
        "queued": row.queue,
        "slots": row.slots,
        "context": context_record(row.context),
    }


def _common(before: DeckState, after: DeckState) -> int:
    """How many entries of the timeline are old: one that is only told better is not told again."""
    if not before.timeline:
        return 0
    last = before.timeline[-1]
    places = [at for at, one in enumerate(after.timeline) if (one.at, one.instance_id) == (last.at, last.instance_id)]
    return places[-1] + 1 if places else len(after.timeline)
