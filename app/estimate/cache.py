"""Context rounding, KV cache and recurrent state (llama.cpp `src/llama-context.cpp`, `llama-kv-cache*.cpp`,
`llama-memory-recurrent.cpp`)."""

from __future__ import annotations

from dataclasses import dataclass

from lmdeck.estimate.architecture import Dimensions
from lmdeck.estimate.builds import Rules
from lmdeck.estimate.ggml import row_bytes
from lmdeck.estimate.layers import Layer
from lmdeck.model.estimate import Ask

PADDING = 256
CAUSAL_UBATCH = 512  # llama.cpp's and LM Studio's default
ENCODER_UBATCH = 2048  # an encoder's physical batch is its logical one: it must hold the longest input


def pad(value: int, to: int) -> int:
    """`value` rounded up to a multiple of `to`."""
    return -(-value // to) * to


@dataclass(frozen=True, slots=True)
class Context:
    """The context as llama.cpp rounds it. Sizes in tokens."""

    n_ctx: int
    n_ctx_seq: int
    streams: int
    cells: int
    """Cells of a full layer in each stream."""
    cells_sliding: int
    """Cells of a sliding-window layer in each stream; 0 for a model without such layers."""
    ubatch: int


def context(dims: Dimensions, ask: Ask, rules: Rules) -> Context:
    """n_ctx = pad(asked or the model's own, 256). Unified, n_ctx_seq = n_ctx; else n_ctx_seq = pad(n_ctx // P, 256)
    and n_ctx = n_ctx_seq · P. Older builds log the unpadded numbers, n_ctx // P even when unified, and round cells."""
    slots, asked = ask.parallel, ask.context or dims.context_length
    if rules.pads_context:
        n_ctx = pad(asked, PADDING)
        n_ctx_seq = n_ctx if ask.unified else pad(n_ctx // slots, PADDING)
        n_ctx = n_ctx if ask.unified else n_ctx_seq * slots
    else:
        n_ctx, n_ctx_seq = asked, max(1, asked // slots)
    unified = ask.unified or not rules.streams
    streams = 1 if unified else slots
    cells = n_ctx_seq if rules.pads_context else pad(-(-asked // streams), rules.cell_padding)
    if dims.hybrid and not unified and rules.hybrid_repeats:
        cells = n_ctx
    ubatch = min(ask.ubatch or (CAUSAL_UBATCH if dims.cached else ENCODER_UBATCH), n_ctx)
    return Context(n_ctx, n_ctx_seq, streams, cells, _sliding_cells(dims, ask, rules, cells, unified, ubatch), ubatch)


def _sliding_cells(dims: Dimensions, ask: Ask, rules: Rules, cells: int, unified: bool, ubatch: int) -> int:
    """pad(min(cells, window · (P if unified else 1) + n_ubatch), 256)"""
    if not dims.window:
        return 0
    if ask.swa_full or not rules.sliding:
        return cells
    return pad(min(cells, dims.window * (ask.parallel if unified else 1) + ubatch), rules.cell_padding)


def kv_bytes(layer: Layer, dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """One layer's cache: streams · cells · heads · (key_length · B(K) + value_length · B(V)). MLA keeps no values,
    but for older builds."""
    if not layer.kv_heads:
        return 0
    cells = ctx.cells_sliding if layer.sliding else ctx.cells
    row = row_bytes(ask.kv_type_k, layer.keys)
    if not dims.latent or rules.mla_value:
        row += row_bytes(ask.kv_type_v, value_elements(dims) if not ask.flash_attention else layer.values)
    return ctx.streams * cells * row


def value_elements(dims: Dimensions) -> int:
    """The widest layer's values for one token. Without flash attention the values are kept transposed, and every layer
    has that width."""
    return max((layer.values for layer in dims.layers), default=0)


def recurrent_bytes(layer: Layer, ask: Ask) -> int:
    """One layer's state: f32 for each sequence, whatever the cache's types."""
    return 4 * ask.parallel * layer.recurrent
