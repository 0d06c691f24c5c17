"""The dimensions of models whose file is elsewhere or is no GGUF file (shared by all their quantizations).

Sources: the models' own configurations as quoted in public issues, checked with llama.cpp's measuring pass (their
parameters add up). A row becomes a header, so that the formulas for files run on it; the weights are the size that the
server tells, spread evenly over the layers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lmdeck.estimate.gguf import Header, Tensor, Value
from lmdeck.model.catalog import Model

_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)\s*([BM])\b", re.IGNORECASE)
_NAMED_RANGE = (0.9, 1.1)
_SIZED_RANGE = (0.85, 1.45)
"""Parameters by size over the true ones: a quantization's nominal bits are fewer than its real ones."""


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the table: its name for people, and the header that stands for its file."""

    name: str
    header: Header


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    architecture: str
    billions: float
    vocabulary: int
    keys: Mapping[str, Value]
    others: tuple[str, ...] = ()
    """What other runtimes call the architecture."""
    query_norm: bool = False

    def is_named(self, architecture: str) -> bool:
        return _plain(architecture) in {_plain(name) for name in (self.architecture, *self.others)}


def look_up(model: Model) -> Known | None:
    """The table's entry for a model, by architecture and number of parameters (the server's words, else size and
    bits); None for a model that is not in it or whose size is not known."""
    if not model.architecture or not model.size_bytes:
        return None
    for row in _ROWS:
        if row.is_named(model.architecture) and _has_size(row, model):
            return Known(row.name, _header(row, model.size_bytes, model.max_context_length))
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _has_size(row: _Row, model: Model) -> bool:
    if model.params and (match := _PARAMETERS.search(model.params)):
        (low, high), billions = _NAMED_RANGE, float(match[1]) / (1 if match[2] in "bB" else 1000)
    elif model.size_bytes and model.bits_per_weight:
        (low, high), billions = _SIZED_RANGE, model.size_bytes * 8 / model.bits_per_weight / 1e9
    else:
        return False
    return low <= billions / row.billions <= high


def _header(row: _Row, size: int, context_length: int | None) -> Header:
    arch = row.architecture
    keys: dict[str, Value] = {"general.architecture": arch}
    keys |= {f"{arch}.{name}": value for name, value in row.keys.items()}
    if context_length:
        keys[f"{arch}.context_length"] = context_length
    listed = {"tokenizer.ggml.tokens": row.vocabulary}
    return Header(MappingProxyType(keys), MappingProxyType(listed), _tensors(row, size), True)


def _tensors(row: _Row, size: int) -> tuple[Tensor, ...]:
    """Input and output by their share of the parameters, the rest in equal blocks."""
    blocks, width = row.keys["block_count"], row.keys["embedding_length"]
    assert isinstance(blocks, int)
    assert isinstance(width, int)
    end = int(size * row.vocabulary * width / (row.billions * 1e9))
    names = ["token_embd.weight"] if row.architecture == "nomic-bert" else ["token_embd.weight", "output.weight"]
    rest = size - end * len(names)
    tensors = [Tensor(name, (), 0, end) for name in names]
    tensors += [Tensor(f"blk.{i}.weight", (), 0, rest // blocks + (i < rest % blocks)) for i in range(blocks)]
    if row.query_norm:
        tensors.append(Tensor("blk.0.attn_q_norm.weight", (), 0, 0))
    return tuple(tensors)


def _dims(blocks: int, context: int, width: int, feed: Value, heads: int, kv: Value, **own: Value) -> dict[str, Value]:
    return {
        "block_count": blocks, "context_length": context, "embedding_length": width, "feed_forward_length": feed,
        "attention.head_count": heads, "attention.head_count_kv": kv,
        **{name.replace("__", "."): value for name, value in own.items()},
    }  # fmt: skip


def _lengths(key: int, value: int) -> dict[str, Value]:
    return {"attention__key_length": key, "attention__value_length": value}


def _ssm(groups: int, rank: int) -> dict[str, Value]:
    return {
        "ssm__conv_kernel": 4, "ssm__state_size": 128, "ssm__group_count": groups, "ssm__time_step_rank": rank,
        "ssm__inner_size": 4096,
    }  # fmt: skip


_NEMOTRON = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"  # Mamba, experts, attention

_ROWS = (
    _Row("Qwen3-Next 80B-A3B", "qwen3next", 79.67, 151936, _dims(
        48, 262144, 2048, 5120, 16, 2, **_lengths(256, 256), **_ssm(16, 32), full_attention_interval=4,
        expert_count=512, expert_used_count=10,
    )),
    _Row("Qwen3 30B-A3B", "qwen3moe", 30.53, 151936, _dims(
        48, 262144, 2048, 5472, 32, 4, **_lengths(128, 128), expert_count=128, expert_used_count=8,
    ), query_norm=True),
    _Row("Nemotron 3 Nano 30B-A3B", "nemotron_h_moe", 31.58, 131072, _dims(
        52, 1048576, 2688, tuple(1856 if kind == "E" else 0 for kind in _NEMOTRON), 32,
        tuple(2 if kind == "*" else 0 for kind in _NEMOTRON), **_lengths(128, 128), **_ssm(8, 64),
        expert_count=128, expert_used_count=6,
    ), others=("nemotron_h",)),
    _Row("GLM-4.7-Flash 30B", "deepseek2", 29.94, 154880, _dims(
        47, 202752, 2048, 10240, 20, 1, **_lengths(576, 512), attention__key_length_mla=256,
        attention__value_length_mla=256, attention__q_lora_rank=768, attention__kv_lora_rank=512,
        rope__dimension_count=64, expert_count=64, expert_used_count=4,
    ), others=("glm4_moe_lite",)),
    _Row("Mistral Small 24B", "mistral3", 23.57, 131072, _dims(
        40, 393216, 5120, 32768, 32, 8, **_lengths(128, 128),
    )),
    _Row("Qwen2.5 14B", "qwen2", 14.77, 152064, _dims(48, 131072, 5120, 13824, 40, 8)),
    _Row("Qwen2.5 7B", "qwen2", 7.62, 152064, _dims(28, 131072, 3584, 18944, 28, 4)),
    _Row("nomic-embed-text v1.5", "nomic-bert", 0.137, 30522, _dims(12, 2048, 768, 3072, 12, 12)),
)  # fmt: skip
