"""What each block of a model keeps between tokens, for each kind of architecture.

Which architecture does what: llama.cpp `src/models/*.cpp` (load_arch_hparams), `src/llama-hparams.cpp` and
`llama_model::create_memory`, read at b11549.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lmdeck.estimate.families import BERT, GATED_DELTA, NEMOTRON, PLAIN, SHORT_CONVOLUTION, SLIDING
from lmdeck.estimate.keys import BadKey, Keys


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

    @property
    def keys(self) -> int:
        """Elements of all heads' keys for one token."""
        return self.kv_heads * self.key_length

    @property
    def values(self) -> int:
        """Elements of all heads' values for one token."""
        return self.kv_heads * self.value_length


def _attention(keys: Keys, count: int) -> tuple[Layer, ...]:
    """Plain, grouped and multi-query attention, and MLA (one head of `kv_lora_rank` + rope elements)."""
    heads = keys.each("attention.head_count", count)
    kv = keys.each("attention.head_count_kv", count, default=heads)
    width = keys.count("embedding_length") // (heads[0] or max(heads) or 1)
    key, value = keys.count("attention.key_length", width), keys.count("attention.value_length", width)
    return tuple(Layer(n, key, value) for n in kv)


def window(keys: Keys) -> int:
    """Tokens that a sliding layer keeps; 0 where the model has no such layers."""
    if (slide := SLIDING.get(keys.architecture)) is None:
        return keys.count("attention.sliding_window", 0) if keys.architecture in SHORT_CONVOLUTION else 0
    if slide.blocks and keys.count("block_count") != slide.blocks:
        return 0
    size = keys.count("attention.sliding_window", slide.window)
    return slide.fixed if slide.fixed and size else size


def _sliding(keys: Keys, count: int) -> tuple[Layer, ...]:
    """Attention with a window on some layers: by the header's array or period, else by the architecture's period.
    Layers from `shared_kv_layers` before the end on reuse earlier ones' cache."""
    own = count - keys.count("attention.shared_kv_layers", 0)
    if own < 1:
        raise BadKey("attention.shared_kv_layers")
    plain = _attention(keys, count)[:own] + (Layer(),) * (count - own)
    if not window(keys):
        return plain
    slide, slides = SLIDING[keys.architecture], keys.flags("attention.sliding_window_pattern", count)
    if slides is None:
        period = keys.count("attention.sliding_window_pattern", slide.period)
        if slide.full_first:
            slides = tuple(period == 0 or i % period != 0 for i in range(count))
        else:
            slides = tuple(period == 0 or i % period < period - 1 for i in range(count))
    return tuple(
        _windowed(layer, keys) if slid and layer.kv_heads else layer for layer, slid in zip(plain, slides, strict=True)
    )


def _windowed(layer: Layer, keys: Keys) -> Layer:
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
    plain = _attention(keys, count)
    if window(keys):
        plain = tuple(_windowed(layer, keys) for layer in plain)
    return tuple(layer if layer.kv_heads else state for layer in plain)


def _mamba(keys: Keys, count: int) -> tuple[Layer, ...]:
    return (Layer(recurrent=_mamba_state(keys)),) * count


def _rwkv(keys: Keys, count: int) -> tuple[Layer, ...]:
    shift, head = keys.count("token_shift_count", 2), keys.count("wkv.head_size", at_least=1)
    return (Layer(recurrent=keys.count("embedding_length") * (shift + head)),) * count


def _nothing(keys: Keys, count: int) -> tuple[Layer, ...]:
    return (Layer(),) * count


BUILDERS: dict[str, Callable[[Keys, int], tuple[Layer, ...]]] = {
    **dict.fromkeys(PLAIN, _attention),
    **dict.fromkeys(SLIDING, _sliding),
    **dict.fromkeys(BERT, _nothing),
    **dict.fromkeys(GATED_DELTA, _interval),
    **dict.fromkeys(NEMOTRON, _nemotron),
    **dict.fromkeys(("jamba", "granitehybrid"), _mamba_where_no_heads),
    **dict.fromkeys(SHORT_CONVOLUTION, _lfm2),
    **dict.fromkeys(("mamba", "mamba2"), _mamba),
    **dict.fromkeys(("rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"), _rwkv),
    "falcon-h1": _both,
}
