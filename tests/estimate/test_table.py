"""Which models the table knows, and every seed architecture's figures at 32,768 tokens and four slots."""

from __future__ import annotations

import pytest

from lmdeck.estimate.gguf import Header
from lmdeck.estimate.memory import estimate
from lmdeck.estimate.table import look_up
from lmdeck.model.catalog import Model
from lmdeck.model.estimate import Ask, Estimate

MIB = 2**20
SEEDS = {  # KV bytes for each token in f16 and q8_0, KV in MiB at 32k, state of a sequence in MiB, compute in MiB
    "qwen3-coder-next": (24_576, 13_056, 768, 75.38, 122),
    "qwen3-coder-30b": (98_304, 52_224, 3072, 0, 120),
    "nemotron-3-nano": (6144, 3264, 192, 47.62, 119),
    "glm-4.7-flash": (54_144, 28_764, 1692, 0, 112),
    "devstral-small-2": (163_840, 87_040, 5120, 0, 274),
    "qwen2.5-14b": (196_608, 104_448, 6144, 0, 163),
    "nomic-embed": (0, 0, 0, 0, 26),
}


@pytest.mark.parametrize("name", SEEDS)
def test_the_seed_architectures(name: str, headers: dict[str, Header]) -> None:
    f16, q8, kv, state, compute = SEEDS[name]
    context = 2048 if name == "nomic-embed" else 32_768

    def found(kind: str, **ask: object) -> Estimate:
        settings = Ask(context=context, kv_type_k=kind, kv_type_v=kind, gpu="off", llama_build=11549, **ask)
        answer = estimate(headers[name], settings)
        assert isinstance(answer, Estimate)
        return answer

    plain = found("f16", ubatch=512)
    assert plain.kv_bytes == f16 * context
    assert found("q8_0").kv_bytes == q8 * context
    assert plain.kv_bytes / MIB == kv
    assert plain.recurrent_bytes / MIB == pytest.approx(4 * state, abs=0.02)
    assert found("f16", parallel=1).recurrent_bytes / MIB == pytest.approx(state, abs=0.01)
    low, high = plain.compute_range_bytes
    assert low / MIB - 1 <= compute <= high / MIB + 1  # the reference is rounded to whole MiB


def test_old_runtimes_keep_mla_values(headers: dict[str, Header]) -> None:
    found = estimate(headers["glm-4.7-flash"], Ask(context=32_768, llama_build=7710))
    assert isinstance(found, Estimate)
    assert found.kv_bytes == 102_272 * 32_768


GB = 10**9


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Model("a", architecture="qwen3next", params="80B-A3B", size_bytes=45 * GB), "Qwen3-Next 80B-A3B"),
        (Model("a", architecture="qwen3_next", params="80B", size_bytes=45 * GB), "Qwen3-Next 80B-A3B"),
        (Model("a", architecture="qwen3moe", size_bytes=18 * GB, bits_per_weight=4), "Qwen3 30B-A3B"),
        (Model("a", architecture="qwen3moe", size_bytes=32 * GB, bits_per_weight=8), "Qwen3 30B-A3B"),
        (Model("a", architecture="nemotron_h", params="32b", size_bytes=22 * GB), "Nemotron 3 Nano 30B-A3B"),
        (Model("a", architecture="glm4_moe_lite", params="30B", size_bytes=17 * GB), "GLM-4.7-Flash 30B"),
        (Model("a", architecture="mistral3", params="24B", size_bytes=14 * GB), "Mistral Small 24B"),
        (Model("a", architecture="qwen2", params="14B", size_bytes=8 * GB), "Qwen2.5 14B"),
        (Model("a", architecture="qwen2", params="7.6B", size_bytes=8 * GB), "Qwen2.5 7B"),
        (Model("a", architecture="nomic-bert", size_bytes=84 * 10**6, bits_per_weight=4), "nomic-embed-text v1.5"),
        (Model("a", architecture="qwen3moe", params="235B-A22B", size_bytes=140 * GB), None),
        (Model("a", architecture="qwen2", params="32B", size_bytes=20 * GB), None),
        (Model("a", architecture="deepseek2", params="16B", size_bytes=10 * GB), None),
        (Model("a", architecture="llama", params="30B", size_bytes=18 * GB), None),
        (Model("a", architecture="qwen3moe", size_bytes=18 * GB), None),
        (Model("a", architecture="qwen3moe", params="30B"), None),
        (Model("a", architecture="qwen3moe", params="large", size_bytes=18 * GB), None),
        (Model("a", params="30B", size_bytes=18 * GB), None),
    ],
)
def test_which_models_it_knows(model: Model, name: str | None) -> None:
    known = look_up(model)
    assert (known.name if known else None) == name
    if known:
        assert sum(tensor.bytes or 0 for tensor in known.header.tensors) == model.size_bytes
        assert isinstance(estimate(known.header, Ask(context=4096)), Estimate)
