"""What can happen to the deck. Every event is a frozen value; `at` is `time.monotonic()` seconds, `wall` Unix time.

A recorded list of events, stepped in order, is a replay of the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lmdeck.evidence.server_log import Fact
from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Activity, Model, ModelFile
from lmdeck.model.context import Proof
from lmdeck.model.download import Download
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.machine import GpuSample, HostSample
from lmdeck.model.outlook import Outlook
from lmdeck.model.problem import Problem
from lmdeck.model.timeline import Happening


@dataclass(frozen=True, slots=True)
class Connected:
    """The collaborators for one server exist; nothing has been heard from it yet."""

    url: str
    has_token: bool
    has_cli: bool = True


@dataclass(frozen=True, slots=True)
class CatalogSeen:
    """A fresh list of models; `latency_s` is how long the server took for it."""

    models: tuple[Model, ...]
    latency_s: float
    at: float
    wall: float = 0.0


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
    prompt_speed: float | None = None
    """Tokens/s at which a long prompt was read."""


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
    wall: float = field(default=0.0, compare=False)


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


@dataclass(frozen=True, slots=True)
class OlderApiSaid:
    """Context lengths by instance id, as `/api/v0/models` reports them."""

    contexts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """Where the models are on the server's disk (`lms ls`)."""

    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class AllocationSeen:
    """The runtime's log told more about a load; a later one for the same load replaces it."""

    allocation: Allocation


@dataclass(frozen=True, slots=True)
class FactsSeen:
    """The logs proved something about loads and unloads."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ContextProven:
    """An experiment on this instance is over."""

    instance_id: str
    proof: Proof
    wall: float


@dataclass(frozen=True, slots=True)
class LoadExplained:
    """The cause behind a failed load was found (or there is none beyond the server's words)."""

    happening: Happening


@dataclass(frozen=True, slots=True)
class PresetsSeen:
    """The kept settings, by model key."""

    presets: Mapping[str, tuple[Preset, ...]]


@dataclass(frozen=True, slots=True)
class RecordsSeen:
    """Earlier loads of one model on this machine, newest first."""

    model_key: str
    records: tuple[LoadRecord, ...]


@dataclass(frozen=True, slots=True)
class OutlooksMade:
    """New forecasts, by model key."""

    outlooks: Mapping[str, Outlook]


@dataclass(frozen=True, slots=True)
class DownloadsSeen:
    """News of downloads: new ones, and newer reports of known ones."""

    downloads: tuple[Download, ...]


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
    | OlderApiSaid
    | FilesSeen
    | AllocationSeen
    | FactsSeen
    | ContextProven
    | LoadExplained
    | PresetsSeen
    | OutlooksMade
    | RecordsSeen
    | DownloadsSeen
)
