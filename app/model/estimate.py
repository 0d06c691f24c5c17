"""What loading a model is expected to take: the question, the answer in bytes, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KV_TYPES = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")


@dataclass(frozen=True, slots=True)
class Ask:
    """The settings of a load. The defaults are LM Studio's: four slots that share one KV cache, all on the GPU."""

    context: int = 0
    """Context length in tokens for all slots together; 0 is the model's own."""
    parallel: int = 4
    """Slots (sequences)."""
    unified: bool = True
    """One KV cache for all slots; else the context is divided among them."""
    kv_type_k: str = "f16"
    kv_type_v: str = "f16"
    """Element types of the cache, of `KV_TYPES`."""
    flash_attention: bool = True
    gpu: float | Literal["max", "off"] = "max"
    """Share of the layers on the GPU, 0 to 1."""
    ubatch: int | None = None
    """Physical batch in tokens; None is 512, and 2048 for an embedding model without a cache."""
    llama_build: int | None = None
    """llama.cpp's build number, where the runtime log has told it."""
    offload_kv: bool = True
    """The cache is on the GPU with its layer; else all of it in RAM."""
    swa_full: bool = False
    """Sliding-window layers keep the whole context."""
    embedding: bool = False
    """A causal model loaded for embeddings: one output row for each token of a batch."""
    cpu_experts: bool = False
    """The experts of a mixture-of-experts model stay in RAM."""


@dataclass(frozen=True, slots=True)
class Share:
    """Bytes of each part in one place: the GPU, or RAM."""

    weights: int
    kv: int
    recurrent: int
    compute: int
    output: int = 0

    @property
    def total(self) -> int:
        """All parts together, in bytes."""
        return self.weights + self.kv + self.recurrent + self.compute + self.output


@dataclass(frozen=True, slots=True)
class Estimate:
    """What llama.cpp will allocate, in bytes. The driver's own memory (CUDA context, cuBLAS and kernel pools: hundreds
    of MiB for each process) is in no line of llama.cpp's log and is not in here: leave headroom for it."""

    n_ctx: int
    """Context of all slots together, as llama.cpp rounds it."""
    n_ctx_seq: int
    """Context of one slot, as llama.cpp's log says it."""
    kv_bytes: int
    recurrent_bytes: int
    compute_bytes: int
    compute_range_bytes: tuple[int, int]
    weights_bytes: int
    """The model's tensors, each once."""
    copied_bytes: int
    """Tied embeddings that are in RAM and, as the output layer, on the GPU as well."""
    projector_bytes: int
    """The vision projector's tensors."""
    output_bytes: int
    gpu: Share
    ram: Share
    gpu_layers: int
    """Layers on the GPU, the output layer counted as one."""
    layers: int
    """All layers, the output layer counted as one."""
    confidence: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def total_bytes(self) -> int:
        """GPU and RAM together."""
        return self.gpu.total + self.ram.total


@dataclass(frozen=True, slots=True)
class Unknown:
    """No figure, and why."""

    reason: str
