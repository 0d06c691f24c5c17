"""What can happen to the deck. Every event is a frozen value; `at` is `time.monotonic()` seconds.

A recorded list of events, stepped in order, is a replay of the session.
"""

from dataclasses import dataclass

from lmdeck.model.catalog import Activity, Model
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.machine import GpuSample, HostSample
from lmdeck.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Connected:
    """The collaborators for one server exist; nothing has been heard from it yet."""

    url: str
    has_token: bool


@dataclass(frozen=True, slots=True)
class CatalogSeen:
    """A fresh list of models; `latency_s` is how long the server took for it."""

    models: tuple[Model, ...]
    latency_s: float
    at: float


@dataclass(frozen=True, slots=True)
class ActivitySeen:
    """A fresh `lms ps`; `wall` is the Unix time it was read, for its Unix time stamps."""

    activities: tuple[Activity, ...]
    at: float
    wall: float


@dataclass(frozen=True, slots=True)
class SourceLost:
    """A source (`models`, `activity`) could not be read this time; what is known from before stays."""

    source: str
    problem: Problem
    at: float


@dataclass(frozen=True, slots=True)
class RuntimeSeen:
    """The engine that runs GGUF models, as `name@version`."""

    runtime: str


@dataclass(frozen=True, slots=True)
class PredictionStarted:
    """The log shows a prompt given to an instance."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class PredictionEnded:
    """The log shows an answer finished; `wall` is its Unix time."""

    instance_id: str
    tokens_per_second: float | None
    wall: float


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """One reading of GPUs and host; `gpus` is None when GPU telemetry is switched off."""

    gpus: GpuSample | None
    host: HostSample
    at: float


@dataclass(frozen=True, slots=True)
class LoadStarted:
    """The deck asked for a load."""

    request: LoadRequest
    at: float


@dataclass(frozen=True, slots=True)
class LoadEnded:
    """The load is over for the deck: `result` on success, `problem` on failure, neither when cancelled here."""

    request: LoadRequest
    result: LoadResult | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class UnloadStarted:
    """The deck asked for an unload."""

    instance_id: str
    at: float


@dataclass(frozen=True, slots=True)
class UnloadEnded:
    """The unload is over; `problem` says why it failed."""

    instance_id: str
    problem: Problem | None = None


Event = (
    Connected
    | CatalogSeen
    | ActivitySeen
    | SourceLost
    | RuntimeSeen
    | PredictionStarted
    | PredictionEnded
    | MachineSeen
    | LoadStarted
    | LoadEnded
    | UnloadStarted
    | UnloadEnded
)
