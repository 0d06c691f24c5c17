"""Which log entries a filter lets through, when the rest of their exchanges may come later."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence

from lmdeck.exchanges.join import Joiner
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import LogEntry
from lmdeck.model.log_query import Query

MOST_HELD = 2_000
"""Entries that wait for more to be known of their exchanges; the oldest are let go."""


class Chosen:
    """Entries of some sources that pass a query. Where it asks for an exchange's figures, all lines of an exchange pass
    or none: those that came before the figures are let through with them."""

    def __init__(self, query: Query, sources: Collection[str], joiner: Joiner | None) -> None:
        self._query, self._sources, self._joiner = query, sources, joiner
        self._held: OrderedDict[int, LogEntry] = OrderedDict()

    def take(self, entries: Sequence[LogEntry], changed: Sequence[Exchange] = ()) -> list[LogEntry]:
        """The entries that pass, ordered by time: of these, and of earlier ones whose exchange has `changed`. The
        joiner has been fed with `entries`."""
        passing = list[LogEntry]()
        for entry in entries:
            if entry.source not in self._sources:
                continue
            if self._query.passes(entry, self._joiner.exchange_of(entry) if self._joiner else None):
                passing.append(entry)
            elif self._query.by_exchange:
                self._held[id(entry)] = entry
        late = [part for exchange in changed for part in _parts(exchange) if self._now_passes(part, exchange)]
        while len(self._held) > MOST_HELD:
            self._held.popitem(last=False)
        return sorted([*late, *passing], key=lambda entry: entry.at)

    def _now_passes(self, entry: LogEntry, exchange: Exchange) -> bool:
        if id(entry) not in self._held or not self._query.passes(entry, exchange):
            return False
        del self._held[id(entry)]
        return True


def _parts(exchange: Exchange) -> Iterator[LogEntry]:
    for entry in (exchange.request, exchange.input, *exchange.runtime, exchange.output, exchange.generated):
        if entry is not None:
            yield entry
