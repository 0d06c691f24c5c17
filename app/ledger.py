"""The requests of this session: joined from the logs, counted, and kept when the user has a history."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from lmdeck.exchanges.join import Joiner
from lmdeck.exchanges.records import record
from lmdeck.exchanges.tally import Tally
from lmdeck.model.exchange import Exchange, ExchangeRecord, ExchangeText
from lmdeck.model.log import LogEntry
from lmdeck.model.statistics import Series, Summary

SETTLED_S = 2.0
"""A finished exchange is kept this long (seconds) after its end: late lines may still tell more about it."""
_MOST_WAITING = 20_000
_PIECE = 250


class Shelf(Protocol):
    """Where finished exchanges go: the history, or a counter."""

    async def add_exchanges(self, exchanges: Sequence[tuple[ExchangeRecord, ExchangeText | None]]) -> None:
        """Keep them. A history raises StoreError."""
        ...


class Ledger:
    """Hears every batch of every log source. `keep_text`: prompts and answers are kept, too: the user said so."""

    def __init__(self, server: str, keep_text: bool) -> None:
        self._server, self._keep_text = server, keep_text
        self._joiner, self._tally = Joiner(time.time()), Tally()
        self._last = 0
        self._open: set[int] = set()
        self._waiting: OrderedDict[int, Exchange] = OrderedDict()
        self.kept = 0
        """How many exchanges have been kept."""
        self.finished = asyncio.Event()
        """Set when an exchange waits to be kept."""

    def hear(self, batch: Sequence[LogEntry]) -> list[Exchange]:
        """What this batch changed."""
        changed = self._joiner.feed(batch)
        for exchange in changed:
            if not exchange.probe:
                self._tally.add(exchange)
                self._await(exchange)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        return changed

    def _await(self, exchange: Exchange) -> None:
        """Have it kept once it has ended, and only once: new ones come in the order of their numbers."""
        number = exchange.number
        if number > self._last:
            self._last = number
            self._open.add(number)
        if exchange.running:
            if self._waiting.pop(number, None) is not None:
                self._open.add(number)  # its answer is another's
        elif number in self._open or number in self._waiting:
            self._open.discard(number)
            self._waiting[number] = exchange
            self.finished.set()

    def exchange_of(self, entry: LogEntry) -> Exchange | None:
        """The exchange that this very entry is a part of."""
        return self._joiner.exchange_of(entry)

    def exchanges_of(self, entries: Iterable[LogEntry]) -> list[Exchange]:
        """The exchanges that these entries are parts of, each once, in the order of their first entry."""
        found: dict[int, Exchange] = {}
        for entry in entries:
            if (exchange := self._joiner.exchange_of(entry)) is not None:
                found.setdefault(exchange.number, exchange)
        return list(found.values())

    def summaries(self, window: str, now: float) -> tuple[Summary, ...]:
        """The statistics of a window of `WINDOWS`, all models together first."""
        return self._tally.summaries(window, now)

    def series(self, window: str, now: float, points: int) -> Series:
        """The curves of a window."""
        return self._tally.series(window, now, points)

    async def keep(self, shelf: Shelf, now: float) -> None:
        """Put there what has settled. Raises StoreError where the shelf does; what was not put there waits for the
        next time."""
        ready = [one for one in self._waiting.values() if now - (one.ended_at or now) >= SETTLED_S]
        for at in range(0, len(ready), _PIECE):  # thousands come at once in a flood
            piece = ready[at : at + _PIECE]
            await shelf.add_exchanges([(record(one, self._server), self._text(one)) for one in piece])
            self.kept += len(piece)
            for one in piece:
                self._waiting.pop(one.number, None)

    @property
    def waiting(self) -> int:
        """How many exchanges are to be kept."""
        return len(self._waiting)

    def _text(self, exchange: Exchange) -> ExchangeText | None:
        if not self._keep_text:
            return None
        prompt = exchange.input.text if exchange.input else ""
        return ExchangeText(prompt, exchange.output.text if exchange.output else "")
