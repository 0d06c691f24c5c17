"""Everything the deck knows, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lmdeck.model.catalog import Activity, Instance, Model
from lmdeck.model.load import LoadRequest
from lmdeck.model.machine import GpuSample, HostSample
from lmdeck.model.problem import Problem


@dataclass(frozen=True, slots=True)
class LoadJob:
    """A load the deck asked for, since the monotonic second `since`."""

    request: LoadRequest
    since: float


@dataclass(frozen=True, slots=True)
class DeckState:
    """One moment of the deck. Mappings are never changed in place; `step` makes new ones.

    `models` is None until the server first answered; after that it keeps the last good list, and `problem`
    says why it is old. `lms` data (`activity`) may be absent for good. `ttl_deadlines` are monotonic seconds
    by instance id, `requested` the context length this deck asked for, `speeds` the last answer's tokens/s.
    `machine_at` is the monotonic second of the last GPU and host reading: an equal reading is a new one too.
    """

    url: str = ""
    has_token: bool = False
    latency_s: float | None = None
    problem: Problem | None = None
    seen_at: float | None = None
    runtime: str | None = None
    models: tuple[Model, ...] | None = None
    activity: Mapping[str, Activity] = field(default_factory=dict)
    activity_problem: Problem | None = None
    ttl_deadlines: Mapping[str, float] = field(default_factory=dict)
    speeds: Mapping[str, float] = field(default_factory=dict)
    last_speed: float | None = None
    requested: Mapping[str, int] = field(default_factory=dict)
    loads: tuple[LoadJob, ...] = ()
    unloads: Mapping[str, float] = field(default_factory=dict)
    gpus: GpuSample | None = None
    host: HostSample | None = None
    machine_at: float | None = None

    @property
    def online(self) -> bool:
        """Whether the last question to the server was answered."""
        return self.problem is None and self.models is not None

    def model(self, key: str) -> Model | None:
        """The model of that key."""
        return next((model for model in self.models or () if model.key == key), None)

    def instances(self) -> tuple[Instance, ...]:
        """Everything in memory, in the server's order."""
        return tuple(instance for model in self.models or () for instance in model.instances)

    def instance(self, instance_id: str) -> Instance | None:
        """The instance of that id."""
        return next((found for found in self.instances() if found.id == instance_id), None)
