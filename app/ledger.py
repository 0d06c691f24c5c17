"""The requests of this session: joined from the logs, counted, and kept when the user has a history."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from lmdeck.exchanges.join import Joiner
from lmdeck.exchanges.records import record
from lmdeck.exchanges.tally import Tally
from lmdeck.model.exchange import Exchange, ExchangeText
from lmdeck.model.log import LogEntry
from lmdeck.model.statistics import Series, Summary
from lmdeck.store.history import Store

SETTLED_S = 2.0
"""A finished exchange is kept this long (seconds) after its end: late lines may still tell more about it."""
_MOST_WAITING, _MOST_SAVED = 20_000, 50_000


class Ledger:
    """Hears every batch of every log source. `keep_text`: prompts and answers are kept, too: the user said so."""

    def __init__(self, server: str, keep_text: bool) -> None:
        self._server, self._keep_text = server, keep_text
        self._joiner, self._tally = Joiner(time.time()), Tally()
        self._waiting: OrderedDict[int, Exchange] = OrderedDict()
        self._saved: OrderedDict[int, None] = OrderedDict()
        self.finished = asyncio.Event()
        """Set when an exchange waits to be kept."""

    def hear(self, batch: Sequence[LogEntry]) -> list[Exchange]:
        """What this batch changed."""
        changed = self._joiner.feed(batch)
        for exchange in changed:
            self._tally.add(exchange)
            if not exchange.running and exchange.number not in self._saved:
                self._waiting[exchange.number] = exchange
                self.finished.set()
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        return changed

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

    async def keep(self, store: Store, now: float) -> None:
        """Write what has settled. Raises StoreError; what was not written waits for the next time."""
        ready = [one for one in self._waiting.values() if now - (one.ended_at or now) >= SETTLED_S]
        if not ready:
            return
        await store.add_exchanges([(record(one, self._server), self._text(one)) for one in ready])
        for one in ready:
            self._waiting.pop(one.number, None)
            self._saved[one.number] = None
        while len(self._saved) > _MOST_SAVED:
            self._saved.popitem(last=False)

    @property
    def waiting(self) -> int:
        """How many exchanges are to be kept."""
        return len(self._waiting)

    def _text(self, exchange: Exchange) -> ExchangeText | None:
        if not self._keep_text:
            return None
        prompt = exchange.input.text if exchange.input else ""
        return ExchangeText(prompt, exchange.output.text if exchange.output else "")
