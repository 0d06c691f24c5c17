"""From a header's keys to the dimensions that memory depends on.

Only architectures listed in `families` have an answer. Several newer ones keep further caches (an indexer's, compressed
keys), so an unlisted name is never treated as if it were a plain transformer.
"""

from __future__ import annotations

from dataclasses import dataclass

from lmdeck.estimate.families import BERT, GATED_DELTA, SINCE, TESTED
from lmdeck.estimate.gguf import Header
from lmdeck.estimate.keys import BadKey, Keys
from lmdeck.estimate.layers import BUILDERS, Layer, window
from lmdeck.model.estimate import Unknown


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
    if name not in BUILDERS:
        return Unknown(f"the architecture {name[:60]!r} is not covered")
    try:
        return _common(Keys(header), header)
    except BadKey as error:
        return Unknown(f"the header's {error} is missing or makes no sense")


def _common(keys: Keys, header: Header) -> Dimensions:
    name = header.architecture
    blocks = keys.count("block_count", at_least=1)
    held = blocks - keys.count("nextn_predict_layers", 0)  # MTP blocks have no cache in the main context
    if held < 1:
        raise BadKey("nextn_predict_layers")
    mla = keys.has("attention.key_length_mla") and keys.has("attention.value_length_mla")
    mamba = keys.has("ssm.inner_size")
    layers = BUILDERS[name](keys, held)
    return Dimensions(
        architecture=name,
        layers=layers,
        blocks=blocks,
        context_length=keys.count("context_length", at_least=1),
        embedding=keys.count("embedding_length", at_least=1),
        feed_forward=max(keys.each("feed_forward_length", blocks, default=0)),
        heads=max(keys.each("attention.head_count", blocks, default=0)),
        vocabulary=header.vocabulary,
        window=window(keys) if any(layer.sliding for layer in layers) else 0,
        experts_used=max(keys.each("expert_used_count", blocks, default=0)) if keys.has("expert_count") else 0,
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
