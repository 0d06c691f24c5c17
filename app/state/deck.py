"""Everything the deck knows, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lmdeck.evidence.server_log import Fact
    from lmdeck.model.allocation import Allocation
    from lmdeck.model.catalog import Activity, Instance, Model, ModelFile
    from lmdeck.model.context import Claim, Proof
    from lmdeck.model.download import Download
    from lmdeck.model.history import LoadRecord, Preset
    from lmdeck.model.load import LoadRequest
    from lmdeck.model.machine import GpuSample, HostSample
    from lmdeck.model.outlook import Outlook
    from lmdeck.model.problem import Problem
    from lmdeck.model.timeline import Happening


@dataclass(frozen=True, slots=True)
class LoadJob:
    """A load the deck asked for, since the monotonic second `since`."""

    request: LoadRequest
    since: float


@dataclass(frozen=True, slots=True)
class DeckState:
    """One moment of the deck. Mappings are never changed in place; `step` makes new ones.

    `models` is None until the server first answered; after that it keeps the last good list, and `problem` says why it
    is old. `lms` data (`activity`) may be absent for good. By instance id: `ttl_deadlines` in monotonic seconds,
    `speeds` the last answer's tokens/s, `requested` what was asked for, `first_reported` what the API said when it
    arrived, `older_reports` what API v0 says, `allocations` what the runtime's log told, `proofs` what experiments
    showed. By model key: `files`, `presets` and `outlooks`. `machine_at` is the monotonic second of the last GPU and
    host reading: an equal reading is a new one too.
    """

    url: str = ""
    has_token: bool = False
    has_cli: bool = True
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
    prompt_speeds: Mapping[str, float] = field(default_factory=dict)
    """Tokens/s at which an instance read its last long prompt."""
    requested: Mapping[str, Claim] = field(default_factory=dict)
    first_reported: Mapping[str, int] = field(default_factory=dict)
    older_reports: Mapping[str, int] = field(default_factory=dict)
    allocations: Mapping[str, Allocation] = field(default_factory=dict)
    unowned: Allocation | None = None
    """The last allocation that the log gave no instance for."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    loads: tuple[LoadJob, ...] = ()
    unloads: Mapping[str, float] = field(default_factory=dict)
    gpus: GpuSample | None = None
    host: HostSample | None = None
    machine_at: float | None = None
    files: Mapping[str, ModelFile] = field(default_factory=dict)
    presets: Mapping[str, tuple[Preset, ...]] = field(default_factory=dict)
    outlooks: Mapping[str, Outlook] = field(default_factory=dict)
    records: Mapping[str, tuple[LoadRecord, ...]] = field(default_factory=dict)
    """Earlier loads on this machine by model key, newest first."""
    llama_build: int | None = None
    """llama.cpp's build number, once a runtime log has told it."""
    facts: tuple[Fact, ...] = ()
    """What the log proved lately, oldest first."""
    own: Mapping[str, float] = field(default_factory=dict)
    """Instances that this deck loads or unloads, since the monotonic second, until the list shows it."""
    was_lost: bool = False
    """The server did not answer since the last list."""
    timeline: tuple[Happening, ...] = ()
    """Who came and went, oldest first."""
    downloads: tuple[Download, ...] = ()
    """What this deck asked to be downloaded, oldest first; those that are over, too."""

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

    def model_of(self, instance_id: str) -> Model | None:
        """The model that the instance is a copy of."""
        return next((model for model in self.models or () if any(i.id == instance_id for i in model.instances)), None)

    def last_settings(self, key: str) -> LoadRequest | None:
        """What a model was last loaded with from here."""
        return next((preset.settings for preset in self.presets.get(key, ()) if not preset.name), None)

    def instance(self, instance_id: str) -> Instance | None:
        """The instance of that id."""
        return next((found for found in self.instances() if found.id == instance_id), None)
