"""Models that are on the server's disk, and the instances of them in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do; `reasoning` lists the settings that the server accepts, empty when it has none."""

    vision: bool = False
    tools: bool = False
    reasoning: tuple[str, ...] = ()
    reasoning_default: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """An instance's settings as the server *reports* them, which is not proof of what the runtime allocated."""

    context_length: int | None = None
    parallel: int | None = None
    eval_batch_size: int | None = None
    flash_attention: bool | None = None
    num_experts: int | None = None
    offload_kv_cache_to_gpu: bool | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One copy of a model in memory. `id` is what unload takes; further copies are called `key:2`, `key:3`.

    `ttl_remaining_s`: seconds until it is unloaded for idleness, where the server says so over HTTP.
    `state`: the server's word (`loaded`, `loading` …) where it gives one.
    """

    id: str
    model_key: str
    config: InstanceConfig = InstanceConfig()
    state: str | None = None
    ttl_remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One downloaded model. `key` is its identity everywhere; `display_name` is for eyes only.

    `type` is `llm`, `vlm`, `embedding` or whatever else the server says; sizes are bytes; lengths are tokens.
    """

    key: str
    type: str = "llm"
    display_name: str = ""
    publisher: str = ""
    architecture: str | None = None
    quantization: str | None = None
    bits_per_weight: float | None = None
    size_bytes: int | None = None
    params: str | None = None
    max_context_length: int | None = None
    format: str | None = None
    capabilities: Capabilities = Capabilities()
    description: str | None = None
    variants: tuple[str, ...] = ()
    selected_variant: str | None = None
    instances: tuple[Instance, ...] = ()

    @property
    def is_embedding(self) -> bool:
        """Embedding models cannot chat."""
        return self.type.startswith("embedding")


@dataclass(frozen=True, slots=True)
class Activity:
    """What `lms ps --json` adds about an instance.

    `status` is the server's word (`idle`, `processingPrompt`, `generating`, `computingEmbedding` …); `queued`
    counts waiting requests, the running one included; `ttl_s` is the idle time-out and `last_used_s` the Unix
    time of the last request, both absent for instances that stay; `device` names a linked remote machine.
    """

    instance_id: str
    model_key: str
    status: str = "idle"
    queued: int = 0
    parallel: int | None = None
    context_length: int | None = None
    size_bytes: int | None = None
    ttl_s: float | None = None
    last_used_s: float | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What `lms ls --json` adds about a model on disk: `path` relative to the models folder, `device` the linked remote
    machine that has it (None: this server's own)."""

    key: str
    path: str
    size_bytes: int | None = None
    device: str | None = None
