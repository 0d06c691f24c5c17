"""From keys to layers: each kind of architecture, and what is answered where the keys make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf_writer import Texts, write_sparse

from lmdeck.estimate.architecture import Dimensions, dimensions
from lmdeck.estimate.gguf import read_header
from lmdeck.estimate.layers import Layer
from lmdeck.model.estimate import Unknown

BASE = {
    "block_count": 6, "context_length": 4096, "embedding_length": 64, "feed_forward_length": 128,
    "attention.head_count": 4, "attention.head_count_kv": 2,
}  # fmt: skip
SSM = {"ssm.conv_kernel": 4, "ssm.inner_size": 32, "ssm.state_size": 8, "ssm.group_count": 2}
STATE = 3 * (32 + 2 * 2 * 8) + 8 * 32
KV, NONE, RS = Layer(2, 16, 16), Layer(), Layer(recurrent=STATE)


def found(folder: Path, arch: str, **keys: object) -> Dimensions | Unknown:
    own = {f"{arch}.{name}": value for name, value in {**BASE, **keys}.items() if value is not None}
    file = write_sparse(folder / "m.gguf", {"general.architecture": arch, **own, "tokenizer.ggml.tokens": Texts(9)})
    return dimensions(read_header(file))


def layers(folder: Path, arch: str, **keys: object) -> tuple[Layer, ...]:
    dims = found(folder, arch, **keys)
    assert isinstance(dims, Dimensions), dims
    return dims.layers


def test_plain_and_grouped(tmp_path: Path) -> None:
    assert layers(tmp_path, "llama") == (KV,) * 6
    assert layers(tmp_path, "llama", **{"attention.head_count_kv": None}) == (Layer(4, 16, 16),) * 6
    assert layers(tmp_path, "deci", **{"attention.head_count_kv": [2, 0, 1, 2, 0, 2]})[:3] == (
        KV, Layer(0, 16, 16), Layer(1, 16, 16),
    )  # fmt: skip


def test_prediction_blocks_hold_nothing(tmp_path: Path) -> None:
    dims = found(tmp_path, "glm4moe", nextn_predict_layers=1)
    assert isinstance(dims, Dimensions)
    assert (dims.blocks, len(dims.layers)) == (6, 5)


@pytest.mark.parametrize(
    ("arch", "pattern"),
    [
        ("gemma2", "SFSFSF"),
        ("gemma3", "SSSSSF"),
        ("gpt-oss", "SFSFSF"),
        ("cohere2", "SSSFSS"),
        ("gemma3n", "SSSSFS"),
        ("cohere2moe", "FSSSFS"),
        ("smallthinker", "FSSSFS"),
        ("llama4", "SSSFSS"),
        ("exaone4", "FFFFFF"),
    ],
)
def test_sliding_layers_by_the_architecture(arch: str, pattern: str, tmp_path: Path) -> None:
    got = layers(tmp_path, arch, **{"attention.sliding_window": 512})
    assert "".join("S" if layer.sliding else "F" for layer in got) == pattern


def test_sliding_layers_by_the_header(tmp_path: Path) -> None:
    window = {"attention.sliding_window": 512, "attention.key_length_swa": 8}
    period = layers(tmp_path, "gemma3", **window, **{"attention.sliding_window_pattern": 3})
    assert [layer.sliding for layer in period] == [True, True, False] * 2
    assert period[0].key_length == 8
    flags = [False, True, True, False, False, True]
    array = layers(tmp_path, "gemma3", **window, **{"attention.sliding_window_pattern": flags})
    assert [layer.sliding for layer in array] == flags


def test_the_windows_size(tmp_path: Path) -> None:
    for arch, key, size in (
        ("gemma2", None, 4096), ("gemma2", 512, 512), ("gemma3", None, 0), ("llama4", 4, 8192), ("llama4", 0, 0),
        ("smallthinker", 7, 4096), ("smallthinker", None, 0), ("llama", 512, 0), ("phi3", 512, 0),
    ):  # fmt: skip
        dims = found(tmp_path, arch, **{"attention.sliding_window": key})
        assert isinstance(dims, Dimensions)
        assert dims.window == size, (arch, key)


def test_gemma4_needs_its_pattern_and_shares_the_last_layers(tmp_path: Path) -> None:
    keys = {"attention.sliding_window": 512, "attention.shared_kv_layers": 2, "attention.key_length_swa": 8}
    assert isinstance(found(tmp_path, "gemma4", **keys), Unknown)
    pattern = [True, True, True, False, True, True]
    got = layers(tmp_path, "gemma4", **keys, **{"attention.sliding_window_pattern": pattern})
    slid = Layer(2, 8, 16, sliding=True)
    assert got == (slid, slid, slid, KV, NONE, NONE)


def test_layers_that_share_a_cache_hold_none(tmp_path: Path) -> None:
    got = layers(tmp_path, "gemma3n", **{"attention.shared_kv_layers": 2})
    assert [layer.kv_heads for layer in got] == [2, 2, 2, 2, 0, 0]


def test_hybrids(tmp_path: Path) -> None:
    heads = {"attention.head_count_kv": [0, 2, 0, 0, 2, 0]}
    assert layers(tmp_path, "qwen3next", **SSM) == (RS, RS, RS, KV, RS, RS)
    assert layers(tmp_path, "qwen35", full_attention_interval=2, **SSM) == (RS, KV) * 3
    recurs = {"attention.recurrent_layers": [False, True, True, True, True, True]}
    assert layers(tmp_path, "qwen35moe", **recurs, **SSM) == (KV, RS, RS, RS, RS, RS)
    feed = {"feed_forward_length": [0, 0, 7, 0, 0, 7]}
    assert layers(tmp_path, "nemotron_h", **heads, **feed, **SSM) == (RS, KV, NONE, RS, KV, NONE)
    assert layers(tmp_path, "granitehybrid", **heads, **SSM) == (RS, KV, RS, RS, KV, RS)
    assert layers(tmp_path, "falcon-h1", **SSM) == (Layer(2, 16, 16, recurrent=STATE),) * 6
    short = Layer(recurrent=64 * 2)
    assert layers(tmp_path, "lfm2", **heads, **{"shortconv.l_cache": 3}) == (short, KV, short, short, KV, short)


def test_recurrent_only(tmp_path: Path) -> None:
    assert layers(tmp_path, "mamba2", **SSM) == (RS,) * 6
    assert layers(tmp_path, "rwkv7", **{"wkv.head_size": 16}) == (Layer(recurrent=64 * (2 + 16)),) * 6


def test_encoders_keep_nothing(tmp_path: Path) -> None:
    dims = found(tmp_path, "bert")
    assert isinstance(dims, Dimensions)
    assert not dims.cached
    assert set(dims.layers) == {NONE}


@pytest.mark.parametrize(
    "arch", ["glm-dsa", "deepseek32", "deepseek4", "minimax-m3", "qwen4exp", "llama\x1b[2J", "whisper"]
)
def test_what_is_not_covered_is_unknown(arch: str, tmp_path: Path) -> None:
    answer = found(tmp_path, arch)
    assert isinstance(answer, Unknown)
    assert "not covered" in answer.reason


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("block_count", None), ("block_count", 0), ("block_count", 2**31), ("embedding_length", "many"),
        ("context_length", 2**62), ("attention.head_count_kv", [1, 2]), ("attention.head_count", [4] * 5 + [2**31]),
        ("nextn_predict_layers", 6), ("attention.key_length", 1.5), ("context_length", None),
    ],
)  # fmt: skip
def test_keys_that_make_no_sense_are_named(key: str, value: object, tmp_path: Path) -> None:
    answer = found(tmp_path, "llama", **{key: value})
    assert isinstance(answer, Unknown)
    assert key in answer.reason


def test_no_architecture(tmp_path: Path) -> None:
    assert isinstance(dimensions(read_header(write_sparse(tmp_path / "m.gguf", {}))), Unknown)
