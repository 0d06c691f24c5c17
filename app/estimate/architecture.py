"""From a header's keys to the dimensions that memory depends on.

Which architecture does what: llama.cpp `src/models/*.cpp` and `src/llama-model.cpp` (load_hparams, create_memory).
Only architectures listed here have an answer. Several newer ones keep further caches (an indexer's, compressed
keys), so an unlisted name is never treated as if it were a plain transformer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lmdeck.estimate.families import BERT, GATED_DELTA, PLAIN, SINCE, SLIDING, TESTED
from lmdeck.estimate.gguf import Header
from lmdeck.estimate.keys import BadKey, Keys
from lmdeck.model.estimate import Unknown


@dataclass(frozen=True, slots=True)
class Layer:
    """What one block keeps between tokens. Lengths are elements for each head."""

    kv_heads: int = 0
    """0: no keys and values here."""
    key_length: int = 0
    value_length: int = 0
    sliding: bool = False
    """Only a window of the context is kept."""
    recurrent: int = 0
    """f32 elements of recurrent state for each sequence."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """A model's dimensions; lengths in elements, contexts in tokens."""

    architecture: str
    layers: tuple[Layer, ...]
    """All blocks that hold memory; `blocks` counts those that hold none, too (multi-token prediction)."""
    blocks: int
    context_length: int
    embedding: int
    feed_forward: int
    heads: int
    vocabulary: int
    window: int = 0
    experts_used: int = 0
    latent: int = 0
    """MLA: `kv_lora_rank`; 0 without MLA."""
    mla_key: int = 0
    rope: int = 0
    gated_query: bool = False
    query_norm: bool = False
    inner: int = 0
    """Mamba's inner size; 0 without."""
    state: int = 0
    cached: bool = True
    """False for encoders, which keep nothing between calls."""
    since: int = 0
    """The first llama.cpp build that loads it, where that is known."""

    @property
    def hybrid(self) -> bool:
        """Attention and recurrence in one model."""
        return any(layer.recurrent for layer in self.layers) and any(layer.kv_heads for layer in self.layers)

    @property
    def tested(self) -> bool:
        """Whether the formulas were compared with llama.cpp's log for this architecture."""
        return self.architecture in TESTED


def dimensions(header: Header) -> Dimensions | Unknown:
    """A model's dimensions, or why they are not known: an architecture that is not covered, a key that is missing or
    makes no sense."""
    name = header.architecture
    if not name:
        return Unknown("the header names no architecture")
    build = _BUILDERS.get(name)
    if build is None:
        return Unknown(f"the architecture {name[:60]!r} is not covered")
    try:
        return _common(Keys(header), header, build)
    except BadKey as error:
        return Unknown(f"the header's {error} is missing or makes no sense")


def _common(keys: Keys, header: Header, build: Callable[[Keys, int], tuple[Layer, ...]]) -> Dimensions:
    name = header.architecture
    blocks = keys.count("block_count", at_least=1)
    held = blocks - keys.count("nextn_predict_layers", 0)  # MTP blocks have no cache in the main context
    if held < 1:
        raise BadKey("nextn_predict_layers")
    mla = keys.has("attention.key_length_mla") and keys.has("attention.value_length_mla")
    mamba = keys.has("ssm.inner_size")
    layers = build(keys, held)
    return Dimensions(
        architecture=name,
        layers=layers,
        blocks=blocks,
        context_length=keys.count("context_length", at_least=1),
        embedding=keys.count("embedding_length", at_least=1),
        feed_forward=max(keys.each("feed_forward_length", blocks, default=0)),
        heads=max(keys.each("attention.head_count", blocks, default=0)),
        vocabulary=header.vocabulary,
        window=keys.count("attention.sliding_window", 0) if any(layer.sliding for layer in layers) else 0,
        experts_used=keys.count("expert_used_count", 0) if keys.count("expert_count", 0) else 0,
        latent=keys.count("attention.kv_lora_rank") if mla else 0,
        mla_key=keys.count("attention.key_length_mla") if mla else 0,
        rope=keys.count("rope.dimension_count", 0),
        gated_query=name in GATED_DELTA,
        query_norm=any(tensor.name == "blk.0.attn_q_norm.weight" for tensor in header.tensors) or name in GATED_DELTA,
        inner=keys.count("ssm.inner_size") if mamba and name not in GATED_DELTA else 0,
        state=keys.count("ssm.state_size", 0),
        cached=name not in BERT,
        since=SINCE.get(name, 0),
    )


def _attention(keys: Keys, count: int) -> tuple[Layer, ...]:
    """Plain, grouped and multi-query attention, and MLA (one head of `kv_lora_rank` + rope elements)."""
    heads = keys.each("attention.head_count", count)
    kv = keys.each("attention.head_count_kv", count, default=heads)
    width = keys.count("embedding_length") // max(1, max(heads))
    key, value = keys.count("attention.key_length", width), keys.count("attention.value_length", width)
    return tuple(Layer(n, key, value) for n in kv)


def _sliding(keys: Keys, count: int) -> tuple[Layer, ...]:
    """Attention with a window on some layers: by the header's array or period, else by the architecture's period
    (layer i slides where i % period < period - 1). Layers from `shared_kv_layers` on reuse earlier ones' cache."""
    plain = _attention(keys, count)
    window = keys.count("attention.sliding_window", 0)
    slides = keys.flags("attention.sliding_window_pattern", count)
    if slides is None:
        period = keys.count("attention.sliding_window_pattern", SLIDING[keys.architecture])
        slides = tuple(period > 1 and i % period < period - 1 for i in range(count))
    own = count - keys.count("attention.shared_kv_layers", 0)
    if own < 1:
        raise BadKey("attention.shared_kv_layers")
    return tuple(
        Layer() if i >= own else _window(layer, keys) if window and slides[i] else layer
        for i, layer in enumerate(plain)
    )


def _window(layer: Layer, keys: Keys) -> Layer:
    key = keys.count("attention.key_length_swa", layer.key_length)
    value = keys.count("attention.value_length_swa", layer.value_length)
    return Layer(layer.kv_heads, key, value, sliding=True)


def _mamba_state(keys: Keys) -> int:
    """Convolution and state of one Mamba (or gated delta net) layer, in elements."""
    inner, state = keys.count("ssm.inner_size", at_least=1), keys.count("ssm.state_size", at_least=1)
    kernel, groups = keys.count("ssm.conv_kernel", at_least=1), keys.count("ssm.group_count", 0)
    return (kernel - 1) * (inner + 2 * groups * state) + state * inner


def _interval(keys: Keys, count: int) -> tuple[Layer, ...]:
    """qwen3next and its successors: attention on every `full_attention_interval`-th layer, a gated delta net on the
    others, or as the header's array says."""
    interval = keys.count("full_attention_interval", 4, at_least=1)
    recurrent = keys.flags("attention.recurrent_layers", count)
    if recurrent is None:
        recurrent = tuple((i + 1) % interval != 0 for i in range(count))
    state = Layer(recurrent=_mamba_state(keys))
    return tuple(state if recurs else layer for layer, recurs in zip(_attention(keys, count), recurrent, strict=True))


def _nemotron(keys: Keys, count: int) -> tuple[Layer, ...]:
    """Attention where there are KV heads, Mamba where there are neither these nor a feed-forward, else nothing."""
    feed = keys.each("feed_forward_length", count)
    state = Layer(recurrent=_mamba_state(keys))
    plain = _attention(keys, count)
    return tuple(
        layer if layer.kv_heads else Layer() if width else state for layer, width in zip(plain, feed, strict=True)
    )


def _mamba_where_no_heads(keys: Keys, count: int) -> tuple[Layer, ...]:
    state = Layer(recurrent=_mamba_state(keys))
    return tuple(layer if layer.kv_heads else state for layer in _attention(keys, count))


def _both(keys: Keys, count: int) -> tuple[Layer, ...]:
    """falcon-h1: attention and Mamba side by side in every layer."""
    state = _mamba_state(keys)
    return tuple(
        Layer(layer.kv_heads, layer.key_length, layer.value_length, recurrent=state)
        for layer in _attention(keys, count)
    )


def _lfm2(keys: Keys, count: int) -> tuple[Layer, ...]:
    """A short convolution where there are no KV heads."""
    state = Layer(recurrent=keys.count("embedding_length") * (keys.count("shortconv.l_cache", at_least=1) - 1))
    return tuple(layer if layer.kv_heads else state for layer in _attention(keys, count))


def _mamba(keys: Keys, count: int) -> tuple[Layer, ...]:
    return (Layer(recurrent=_mamba_state(keys)),) * count


def _rwkv(keys: Keys, count: int) -> tuple[Layer, ...]:
    shift, head = keys.count("token_shift_count", 2), keys.count("wkv.head_size", at_least=1)
    return (Layer(recurrent=keys.count("embedding_length") * (shift + head)),) * count


def _nothing(keys: Keys, count: int) -> tuple[Layer, ...]:
    return (Layer(),) * count


_BUILDERS: dict[str, Callable[[Keys, int], tuple[Layer, ...]]] = {
    **dict.fromkeys(PLAIN, _attention),
    **dict.fromkeys(SLIDING, _sliding),
    **dict.fromkeys(BERT, _nothing),
    **dict.fromkeys(GATED_DELTA, _interval),
    **dict.fromkeys(("nemotron_h", "nemotron_h_moe"), _nemotron),
    **dict.fromkeys(("jamba", "granitehybrid"), _mamba_where_no_heads),
    **dict.fromkeys(("lfm2", "lfm2moe"), _lfm2),
    **dict.fromkeys(("mamba", "mamba2"), _mamba),
    **dict.fromkeys(("rwkv6", "rwkv7"), _rwkv),
    "falcon-h1": _both,
}
