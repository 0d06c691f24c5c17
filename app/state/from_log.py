"""What log entries tell about the state."""

import re
from collections.abc import Iterable, Iterator, Sequence

from lmdeck.evidence.allocation import AllocationReader
from lmdeck.evidence.server_log import facts
from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.state.events import AllocationSeen, Event, FactsSeen, PredictionEnded, PredictionStarted, RuntimeSeen

# Server log lines after which the list of models is worth reading at once; a request's body is not the server's word.
_CHANGES = re.compile(r"\b(?:un)?load(?:ed|ing)?\b|\bevict|\bTTL\b", re.IGNORECASE)
_BODY = " with body"
_LONG_PROMPT = 256


class LogReader:
    """Reads the three sources of one connection; what a load's lines tell adds up over batches."""

    def __init__(self) -> None:
        self._allocations = AllocationReader()
        self._runtime = ""

    def events(self, entries: Sequence[LogEntry]) -> Iterator[Event]:
        """The events hidden in a batch: predictions in order, then what the batch proves."""
        for entry in entries:
            match entry:
                case PredictionInput():
                    yield PredictionStarted(entry.instance_id)
                case PredictionOutput():
                    stats = entry.stats or PredictionStats()
                    speeds = stats.tokens_per_second, _prompt_speed(stats)
                    yield PredictionEnded(entry.instance_id, speeds[0], entry.at, speeds[1])
                case RuntimeLine() if entry.engine:
                    yield from self._engine(entry)
        yield from map(AllocationSeen, self._allocations.feed(entries))
        if proven := tuple(fact for entry in entries for fact in facts(entry)):
            yield FactsSeen(proven)

    def _engine(self, entry: RuntimeLine) -> Iterator[Event]:
        """A runtime that does not change is told once."""
        name = f"{entry.engine}@{entry.engine_version}" if entry.engine_version else entry.engine
        if name != self._runtime:
            self._runtime = name
            yield RuntimeSeen(name)


def _prompt_speed(stats: PredictionStats) -> float | None:
    """Tokens/s of the prompt; of a short one the first token's own time would make it too low."""
    if not stats.ttft_s or not stats.prompt_tokens or stats.prompt_tokens < _LONG_PROMPT:
        return None
    return stats.prompt_tokens / stats.ttft_s


def tells_of_change(entries: Iterable[LogEntry]) -> bool:
    """Whether a batch says that models may have come or gone."""
    return any(
        isinstance(entry, ServerLine) and _CHANGES.search(entry.text[:500].partition(_BODY)[0]) for entry in entries
    )
