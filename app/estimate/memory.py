"""The estimate: a header and the settings of a load, in; bytes by part and place, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lmdeck.estimate.architecture import Dimensions, dimensions
from lmdeck.estimate.builds import TESTED, Rules, neighbours, rules
from lmdeck.estimate.cache import Context, context, kv_bytes, recurrent_bytes
from lmdeck.estimate.compute import compute_bytes, host_bytes, output_bytes
from lmdeck.estimate.gguf import Header
from lmdeck.estimate.layers import Layer
from lmdeck.estimate.weights import Weights, layers_on_gpu, split
from lmdeck.model.confidence import FROM_FILE
from lmdeck.model.estimate import KV_TYPES, Ask, Estimate, Share, Unknown

_MAX_CONTEXT, _MAX_SLOTS, _MAX_BATCH = 1 << 30, 1024, 1 << 20
_UNQUANTIZED = ("f32", "f16", "bf16")


def estimate(header: Header, ask: Ask, projector: Header | None = None) -> Estimate | Unknown:
    """What a load of this model with these settings takes, or why that cannot be said. `projector` is the vision
    projector's file; it goes to the GPU whole, its own compute buffer is not modelled. Raises ValueError for settings
    out of range (a type of cache that does not exist, no slot, a negative context)."""
    check(ask)
    dims = dimensions(header)
    if isinstance(dims, Unknown):
        return dims
    if refusal := _refusal(header, dims, ask):
        return Unknown(refusal)
    share = {"max": 1.0, "off": 0.0}.get(str(ask.gpu), ask.gpu)
    gpu_layers = layers_on_gpu(float(share), dims.blocks)
    weights = split(header, dims.blocks, gpu_layers, cpu_experts=ask.cpu_experts)
    if weights is None:
        return Unknown("a tensor has a type that is not known")
    if projector is not None:
        extra = sum(tensor.bytes or 0 for tensor in projector.tensors)
        weights = weights.with_projector(extra, on_gpu=gpu_layers > 0)
    return _Load(dims, ask, rules(ask.llama_build), weights, gpu_layers).estimate()


def check(ask: Ask) -> None:
    """Raises ValueError, in words, for a setting out of range."""
    if not 0 <= ask.context <= _MAX_CONTEXT:
        raise ValueError("a context length is a number of tokens, or 0 for the model's own")
    if not 1 <= ask.parallel <= _MAX_SLOTS:
        raise ValueError(f"slots: 1 to {_MAX_SLOTS}")
    if ask.kv_type_k not in KV_TYPES or ask.kv_type_v not in KV_TYPES:
        raise ValueError(f"a cache's type is one of {', '.join(KV_TYPES)}")
    if ask.ubatch is not None and not 1 <= ask.ubatch <= _MAX_BATCH:
        raise ValueError("a physical batch has at least one token")
    if ask.gpu not in ("max", "off") and not (isinstance(ask.gpu, int | float) and 0 <= ask.gpu <= 1):
        raise ValueError("the GPU's share is max, off, or a number from 0 to 1")


def _refusal(header: Header, dims: Dimensions, ask: Ask) -> str | None:
    """Why llama.cpp would not load this at all."""
    if not header.complete:
        return "the file is shorter than its table of tensors: still downloading, or damaged"
    if ask.llama_build is not None and ask.llama_build < dims.since:
        return f"llama.cpp b{ask.llama_build} does not know the architecture {dims.architecture}"
    if ask.kv_type_v not in _UNQUANTIZED and not ask.flash_attention:
        return "a quantized V cache requires flash attention"
    return None


@dataclass(frozen=True, slots=True)
class _Load:
    dims: Dimensions
    ask: Ask
    rules: Rules
    weights: Weights
    gpu_layers: int

    def estimate(self) -> Estimate:
        ctx = context(self.dims, self.ask, self.rules)
        kv, kv_gpu = self._by_layer(lambda layer: kv_bytes(layer, self.dims, ctx, self.ask, self.rules))
        state, state_gpu = self._by_layer(lambda layer: recurrent_bytes(layer, self.ask))
        compute = compute_bytes(self.dims, ctx, self.ask, self.rules)
        host = host_bytes(self.dims, ctx, self.ask, self.rules) if self.gpu_layers else compute
        output = output_bytes(self.dims, self.ask)
        return Estimate(
            n_ctx=ctx.n_ctx,
            n_ctx_seq=ctx.n_ctx_seq,
            kv_bytes=kv,
            recurrent_bytes=state,
            compute_bytes=compute,
            compute_range_bytes=self._range(compute),
            weights_bytes=self.weights.model,
            copied_bytes=self.weights.copied,
            projector_bytes=self.weights.projector,
            output_bytes=output,
            gpu=Share(self.weights.gpu, kv_gpu, state_gpu, compute if self.gpu_layers else 0),
            ram=Share(self.weights.ram, kv - kv_gpu, state - state_gpu, host, output),
            gpu_layers=self.gpu_layers,
            layers=self.dims.blocks + 1,
            confidence=FROM_FILE,
            source=_source(self.ask),
            notes=tuple(self._notes(ctx)),
        )

    def _by_layer(self, size: Callable[[Layer], int]) -> tuple[int, int]:
        """Bytes over all layers, and of those on the GPU: memory follows its layer, unless it is kept in RAM."""
        sizes = [size(layer) for layer in self.dims.layers]
        first = max(self.dims.blocks + 1 - self.gpu_layers, 0)
        return sum(sizes), sum(sizes[first:]) if self.ask.offload_kv else 0

    def _range(self, compute: int) -> tuple[int, int]:
        """Lowest and highest figure the build may follow, widened by the misses seen in the grid."""
        each = [compute]
        for other in neighbours(self.ask.llama_build):
            each.append(compute_bytes(self.dims, context(self.dims, self.ask, other), self.ask, other))
        below, above = _spread(self.dims)
        return int(min(each) * (1 - below)), int(max(each) * (1 + above))

    def _notes(self, ctx: Context) -> list[str]:
        dims, ask, notes = self.dims, self.ask, []
        if not dims.tested:
            notes.append(f"the formulas were not compared with llama.cpp's log for {dims.architecture}")
        if ask.llama_build is None:
            notes.append("llama.cpp's build is not known: the newest rules are assumed")
        elif ask.llama_build not in TESTED and len(neighbours(ask.llama_build)) > 1:
            notes.append(f"llama.cpp changed its memory near b{ask.llama_build}")
        if ctx.n_ctx_seq > dims.context_length:
            notes.append(f"a slot is capped at the model's {dims.context_length} tokens, the cache is allocated whole")
        return notes


def _source(ask: Ask) -> str:
    build = "the newest known llama.cpp" if ask.llama_build is None else f"llama.cpp b{ask.llama_build}"
    return f"GGUF header, formulas of {build}"


def _spread(dims: Dimensions) -> tuple[float, float]:
    """How far below and above its figure the compute buffer was seen, as shares."""
    if dims.inner or dims.hybrid:
        return 0.16, 0.04
    if dims.latent:
        return 0.02, 0.10
    return 0.05, 0.08
