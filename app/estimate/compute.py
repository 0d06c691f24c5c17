"""The compute buffer: the peak of what llama.cpp's graph holds at once.

The terms are those that its allocator (`ggml-alloc.c`) cannot overlap; the counts of rows were fitted to logs of the
builds in `builds.TESTED`: exact for dense models, an upper bound for mixtures of experts with recurrence. All rows are
f32, one for each token of a physical batch (`u`).
"""

from __future__ import annotations

from lmdeck.estimate.architecture import Dimensions
from lmdeck.estimate.builds import Rules
from lmdeck.estimate.cache import Context, value_elements
from lmdeck.model.estimate import Ask

_SMALL = 10  # positions, output ids and the like


def compute_bytes(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """The peak over three places of the graph: feed-forward, attention, output."""
    places = [_feed_forward(dims, ctx, ask, rules), _output(dims, ctx, ask, rules)]
    if not ask.flash_attention:
        places.append(_attention(dims, ctx, ask, rules))
    return max(places)


def host_bytes(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """The graph's inputs, in host memory when a GPU computes: embeddings and mask."""
    return 4 * ctx.ubatch * dims.embedding + _mask(dims, ctx, ask, rules)


def output_bytes(dims: Dimensions, ask: Ask) -> int:
    """Logits of one token for each sequence; an encoder has embeddings instead."""
    return 4 * ask.parallel * (dims.vocabulary if dims.cached else dims.embedding)


def _mask(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """One element for each token and cell; an encoder's tokens look at the batch itself."""
    cells = ctx.cells + ctx.cells_sliding if dims.cached else ctx.ubatch
    return (rules.mask_bytes if ask.flash_attention else 4) * ctx.ubatch * cells


def _value_index(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """64-bit row numbers of the transposed values, for each kind of cache."""
    if ask.flash_attention or not rules.value_index:
        return 0
    return 8 * ctx.ubatch * value_elements(dims) * (2 if ctx.cells_sliding else 1)


def _query_elements(dims: Dimensions) -> int:
    return max((dims.heads * layer.key_length for layer in dims.layers), default=0)


def _latent_elements(dims: Dimensions) -> int:
    """MLA: queries before and after they are absorbed, and what attention puts out before it is expanded."""
    if not dims.latent:
        return 0
    key = max(layer.key_length for layer in dims.layers)
    return dims.heads * (2 * dims.mla_key - dims.rope + 2 * dims.latent + key)


def _feed_forward(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """Dense: gate, up and their product, and the residual rows. Experts: what each chosen one puts out, twice. MLA
    and Mamba layers may hold more than the feed-forward."""
    if dims.experts_used:
        width = (2 * dims.experts_used + 6) * dims.embedding
    else:
        width = 3 * dims.feed_forward + rules.feed_forward_rows * dims.embedding
    width = max(width, _latent_elements(dims))
    held = 4 * ctx.ubatch * (width + _SMALL)
    if dims.inner:
        held = max(held, 32 * dims.inner * ctx.ubatch + 12 * ask.parallel * dims.state * dims.inner)
    return held + _mask(dims, ctx, ask, rules) + _value_index(dims, ctx, ask, rules)


def _attention(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """Without flash attention: every head's scores over all cells, the mask, queries (again when they are normed or
    gated) and the residual rows."""
    cells = ctx.cells if dims.cached else ctx.ubatch
    copies = 1 + dims.query_norm + dims.gated_query
    width = max(rules.attention_rows * dims.embedding + copies * _query_elements(dims), _latent_elements(dims))
    if not dims.cached:
        width += 4 * dims.embedding  # its own queries, keys and values: there is no cache to hold them
    scores = cells * (dims.heads + 1) + ctx.cells_sliding
    return 4 * ctx.ubatch * (scores + width) + _value_index(dims, ctx, ask, rules)


def _output(dims: Dimensions, ctx: Context, ask: Ask, rules: Rules) -> int:
    """Logits and the last hidden state for every output, beside the residual rows."""
    if not dims.cached:
        return 0
    outputs = ctx.ubatch if rules.all_outputs or ask.embedding else ask.parallel
    logits = 4 * outputs * (dims.vocabulary + dims.embedding)
    rows = 4 * ctx.ubatch * rules.output_rows * dims.embedding
    return logits + rows + (0 if rules.all_outputs else _mask(dims, ctx, ask, rules))
