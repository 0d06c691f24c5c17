"""What log entries tell about the state."""

import re
from collections.abc import Iterable, Iterator

from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, RuntimeLine, ServerLine
from lmdeck.state.events import Event, PredictionEnded, PredictionStarted, RuntimeSeen

# Server log lines after which the list of models is worth reading at once; a request's body is not the server's word.
_CHANGES = re.compile(r"\b(?:un)?load(?:ed|ing)?\b|\bevict|\bTTL\b", re.IGNORECASE)
_BODY = " with body"


def events_of(entries: Iterable[LogEntry]) -> Iterator[Event]:
    """The events hidden in a batch, in order; a runtime that does not change is told once."""
    runtime = ""
    for entry in entries:
        match entry:
            case PredictionInput():
                yield PredictionStarted(entry.instance_id)
            case PredictionOutput():
                speed = entry.stats.tokens_per_second if entry.stats else None
                yield PredictionEnded(entry.instance_id, speed, entry.at)
            case RuntimeLine() if entry.engine:
                name = f"{entry.engine}@{entry.engine_version}" if entry.engine_version else entry.engine
                if name != runtime:
                    runtime = name
                    yield RuntimeSeen(name)


def tells_of_change(entries: Iterable[LogEntry]) -> bool:
    """Whether a batch says that models may have come or gone."""
    return any(
        isinstance(entry, ServerLine) and _CHANGES.search(entry.text[:500].partition(_BODY)[0]) for entry in entries
    )
