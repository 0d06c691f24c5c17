"""The estimate's parts and places, beyond the grid: public logs, and laws that hold everywhere."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from gguf_models import MODELS
from gguf_writer import F32, Q4_0, Texts, write_sparse

from lmdeck.estimate.gguf import Header, read_header
from lmdeck.estimate.memory import estimate
from lmdeck.model.estimate import KV_TYPES, Ask, Estimate, Unknown

MIB = 2**20


def given(header: Header, **ask: object) -> Estimate:
    found = estimate(header, Ask(**ask))
    assert isinstance(found, Estimate), found
    return found


def plain(folder: Path, arch: str, vocab: int, **own: object) -> Header:
    """A header without blocks' tensors: enough for cache and compute."""
    keys = {f"{arch}.{name.replace('__', '.')}": value for name, value in own.items()}
    tensors = [("token_embd.weight", (64, 32), Q4_0), ("output.weight", (64, 32), Q4_0)]
    keys |= {"general.architecture": arch, "tokenizer.ggml.tokens": Texts(vocab)}
    return read_header(write_sparse(folder / "model.gguf", keys, tensors))


def test_public_cuda_log_of_a_3b_model(tmp_path: Path) -> None:
    """SciSharp/LLamaSharp#1099: CUDA0 300.75, CUDA_Host 12.01, KV 144 MiB."""
    header = plain(
        tmp_path, "qwen2", 151936, block_count=36, context_length=32768, embedding_length=2048,
        feed_forward_length=11008, attention__head_count=16, attention__head_count_kv=2,
    )  # fmt: skip
    found = given(header, context=4096, parallel=1, llama_build=4798)
    assert found.gpu.kv / MIB == pytest.approx(144)
    assert found.gpu.compute / MIB == pytest.approx(300.75, abs=0.01)
    assert found.ram.compute / MIB == pytest.approx(12.01, abs=0.02)


def test_public_cuda_log_without_flash_attention(tmp_path: Path) -> None:
    """fedora-copr/logdetective#106: CUDA0 2144.00, CUDA_Host 72.01, KV 4096 MiB."""
    header = plain(
        tmp_path, "llama", 32768, block_count=32, context_length=32768, embedding_length=4096,
        feed_forward_length=14336, attention__head_count=32, attention__head_count_kv=8,
    )  # fmt: skip
    found = given(header, context=32768, parallel=1, llama_build=4798, flash_attention=False)
    assert found.gpu.kv / MIB == pytest.approx(4096)
    assert found.gpu.compute / MIB == pytest.approx(2144, abs=0.01)
    assert found.ram.compute / MIB == pytest.approx(72.01, abs=0.02)


def test_lm_studios_own_log_of_a_hybrid(tmp_path: Path) -> None:
    """LM Studio's bug tracker #1862, Qwen3.6-27B: 16384.00 MiB of KV on 16 of 64 layers, 598.50 MiB of state."""
    header = plain(
        tmp_path, "qwen35", 248320, block_count=64, context_length=262144, embedding_length=5120,
        feed_forward_length=17408, attention__head_count=24, attention__head_count_kv=4,
        attention__key_length=256, attention__value_length=256,
        ssm__conv_kernel=4, ssm__state_size=128, ssm__group_count=16, ssm__time_step_rank=48, ssm__inner_size=6144,
    )  # fmt: skip
    found = given(header, parallel=4)
    assert found.kv_bytes / MIB == pytest.approx(16384, abs=0.01)
    assert found.recurrent_bytes / MIB == pytest.approx(598.5, abs=0.01)


def test_tied_embeddings_are_on_the_gpu_a_second_time(headers: dict[str, Header]) -> None:
    found = given(headers["gemma3"], gpu="max")
    assert (found.gpu_layers, found.layers) == (19, 19)
    assert found.gpu.weights / MIB == pytest.approx(235.16, abs=0.01)
    assert found.ram.weights / MIB == pytest.approx(170, abs=0.01)
    assert found.weights_bytes / MIB == pytest.approx(235.16, abs=0.01)
    assert found.copied_bytes / MIB == pytest.approx(170, abs=0.01)


def test_the_last_layers_go_first_and_take_their_cache_along(headers: dict[str, Header]) -> None:
    header = headers["devstral-small-2"]
    off, half, full = (given(header, context=8192, gpu=share) for share in ("off", 0.5, "max"))
    assert off.gpu.total == 0
    assert off.ram.compute == off.compute_bytes
    assert half.gpu_layers == 20
    assert half.gpu.kv == full.gpu.kv * 19 // 40  # the 20th is layer 40, the output, which waits for all others
    assert full.gpu.kv == full.kv_bytes
    assert 0 < half.gpu.weights < full.gpu.weights
    assert {each.weights_bytes for each in (off, half, full)} == {full.weights_bytes}


def test_cache_in_ram_and_experts_in_ram(headers: dict[str, Header]) -> None:
    header = headers["qwen3-coder-30b"]
    full = given(header, context=8192)
    kv_in_ram = given(header, context=8192, offload_kv=False)
    assert (kv_in_ram.gpu.kv, kv_in_ram.ram.kv) == (0, full.kv_bytes)
    experts = sum(t.bytes or 0 for t in header.tensors if "_exps" in t.name)
    assert given(header, context=8192, cpu_experts=True).gpu.weights == full.gpu.weights - experts


def test_the_projector_counts(headers: dict[str, Header], tmp_path: Path) -> None:
    eye = read_header(write_sparse(tmp_path / "mmproj.gguf", {}, [("v.patch", (1024, 1024), F32)]))
    for place, share in (("gpu", "max"), ("ram", "off")):
        alone = given(headers["gemma3"], gpu=share)
        found = estimate(headers["gemma3"], Ask(gpu=share), eye)
        assert isinstance(found, Estimate)
        assert found.projector_bytes == 4 * MIB
        assert found.weights_bytes == alone.weights_bytes
        assert getattr(found, place).weights == getattr(alone, place).weights + 4 * MIB


def test_a_slot_beyond_the_models_context_is_said(headers: dict[str, Header]) -> None:
    found = given(headers["smollm2"], context=40000, parallel=1, llama_build=11549)
    assert "a slot is capped at the model's 8192 tokens, the cache is allocated whole" in found.notes


def test_an_unknown_build_widens_the_range_and_is_said(headers: dict[str, Header]) -> None:
    known, unknown = (given(headers["smollm2"], llama_build=build) for build in (11549, None))
    assert unknown.compute_bytes == known.compute_bytes
    assert (
        unknown.compute_range_bytes[1] > 4 * known.compute_range_bytes[1]
    )  # logits of a whole batch, before June 2026
    assert any("build is not known" in note for note in unknown.notes)


def test_a_build_between_two_tested_ones_has_the_range_of_both(headers: dict[str, Header]) -> None:
    before, between, after = (given(headers["smollm2"], llama_build=b) for b in (8929, 9500, 9873))
    assert (
        between.compute_range_bytes[0] <= after.compute_bytes < before.compute_bytes <= between.compute_range_bytes[1]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": -1}, {"parallel": 0}, {"kv_type_k": "q3"}, {"ubatch": 0}, {"gpu": 1.1}, {"gpu": float("nan")},
        {"parallel": 10**9}, {"context": 2**60},
    ],
)  # fmt: skip
def test_settings_out_of_range(wrong: dict[str, object], headers: dict[str, Header]) -> None:
    with pytest.raises(ValueError, match=r"."):
        estimate(headers["smollm2"], Ask(**wrong))


def test_a_file_shorter_than_its_table_has_no_estimate(headers: dict[str, Header]) -> None:
    found = estimate(replace(headers["smollm2"], complete=False), Ask())
    assert isinstance(found, Unknown)
    assert "shorter" in found.reason


NAMES = ("smollm2", *MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_memory_grows_with_context_slots_and_cache_width(name: str, headers: dict[str, Header]) -> None:
    """More context, more slots or wider elements never need less, over a seeded sample of settings and builds."""
    draw, header = random.Random(name), headers[name]
    widths = ("q4_0", "q5_0", "q8_0", "f16", "f32")
    for _ in range(80):
        ask = Ask(
            context=draw.randint(1, 200_000),
            parallel=draw.randint(1, 16),
            unified=draw.random() < 0.5,
            kv_type_k=draw.choice(widths[:-1]),
            kv_type_v="f16",
            flash_attention=draw.random() < 0.5,
            gpu=draw.choice(("max", "off", 0.3)),
            ubatch=draw.choice((None, 64, 512, 2048)),
            llama_build=draw.choice((None, 5671, 6123, 6900, 7710, 8929, 9400, 9873, 11549)),
        )
        base = given(header, **_fields(ask))
        longer = given(header, **_fields(replace(ask, context=ask.context + draw.randint(1, 50_000))))
        wider = given(header, **_fields(replace(ask, kv_type_k=widths[widths.index(ask.kv_type_k) + 1])))
        more = given(header, **_fields(replace(ask, parallel=ask.parallel + draw.randint(1, 8), unified=True)))
        unified = given(header, **_fields(replace(ask, unified=True)))
        for part in ("n_ctx", "kv_bytes", "recurrent_bytes", "compute_bytes", "total_bytes"):
            assert getattr(longer, part) >= getattr(base, part), (part, ask)
        assert wider.kv_bytes >= base.kv_bytes
        assert more.kv_bytes >= unified.kv_bytes
        assert more.total_bytes >= unified.total_bytes
        _check_sums(base)


def _fields(ask: Ask) -> dict[str, object]:
    return {name: getattr(ask, name) for name in Ask.__slots__}


def _check_sums(found: Estimate) -> None:
    assert found.gpu.kv + found.ram.kv == found.kv_bytes
    assert found.gpu.recurrent + found.ram.recurrent == found.recurrent_bytes
    assert found.gpu.weights + found.ram.weights == found.weights_bytes + found.copied_bytes
    low, high = found.compute_range_bytes
    assert low <= found.compute_bytes <= high


def test_every_cache_type_has_a_width(headers: dict[str, Header]) -> None:
    sizes = [given(headers["smollm2"], kv_type_k=name, kv_type_v=name).kv_bytes for name in KV_TYPES]
    assert sizes == sorted(sizes, reverse=True)
