"""Entries of the three log sources of `lms log stream`, and the deck's own remarks between them."""

from dataclasses import dataclass

SOURCES = ("model", "server", "runtime")


@dataclass(frozen=True, slots=True)
class PredictionInput:
    """A prompt as the model got it, template and all; can be megabytes. `at` is Unix seconds everywhere here."""

    at: float
    instance_id: str
    text: str
    model_path: str = ""
    source: str = "model"
    level: str = "info"


@dataclass(frozen=True, slots=True)
class PredictionStats:
    """Statistics of one answer. Counts are tokens, times are seconds; each may be missing."""

    stop_reason: str | None = None
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    total_time_s: float | None = None
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    draft_tokens: int | None = None
    accepted_draft_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PredictionOutput:
    """An answer, whole, logged once at its end."""

    at: float
    instance_id: str
    text: str
    stats: PredictionStats | None = None
    source: str = "model"
    level: str = "info"


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One entry of the HTTP server's log; `text` may hold several lines."""

    at: float
    text: str
    level: str = "info"
    source: str = "server"


@dataclass(frozen=True, slots=True)
class RuntimeLine:
    """One line of the inference engine (for GGUF models: llama.cpp's own)."""

    at: float
    text: str
    level: str = "info"
    engine: str = ""
    engine_version: str = ""
    instance_id: str | None = None
    pid: int | None = None
    source: str = "runtime"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no log event: kept and shown as it came."""

    at: float
    text: str
    source: str
    level: str = "warn"


@dataclass(frozen=True, slots=True)
class DeckNote:
    """The deck's own word in the log: a source that ended, restarts, or is missing; a load that failed."""

    at: float
    text: str
    level: str = "info"
    source: str = "deck"


LogEntry = PredictionInput | PredictionOutput | ServerLine | RuntimeLine | Unreadable | DeckNote
