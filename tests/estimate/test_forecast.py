"""The forecast: where its figure comes from, what it assumes, and what would still fit."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from gguf_models import MODELS
from gguf_writer import F32, write_sparse

from lmdeck.estimate.forecast import ask_of, forecast
from lmdeck.estimate.gguf import Header, read_header
from lmdeck.estimate.memory import estimate
from lmdeck.model.catalog import Model
from lmdeck.model.estimate import Ask, Estimate
from lmdeck.model.history import Calibration
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import LmsFigure, Occupant, Outlook, Question, Room

GIB, MIB = 2**30, 2**20
ROOM = Room(24 * GIB, 24 * GIB, 60 * GIB, 96 * GIB)
CPU_ONLY = Room(ram_free=60 * GIB, ram_total=96 * GIB)
SMOLLM2 = Model("smollm2", architecture="llama", size_bytes=98_000_000, max_context_length=8192, format="gguf")

large_files = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows would fill the disk with the sparse model file"
)


@pytest.fixture
def ask(smollm2_file: Path) -> Callable[..., Outlook]:
    """A forecast for SmolLM2 with these settings; what the question is given otherwise goes by `given`."""

    def make(given: dict[str, object] | None = None, **settings: object) -> Outlook:
        question = Question(SMOLLM2, LoadRequest("smollm2", **settings), ROOM, smollm2_file, llama_build=11549)
        return forecast(replace(question, **(given or {})))

    return make


@pytest.mark.parametrize(
    ("settings", "ask"),
    [
        ({}, Ask(context=4096)),
        ({"context_length": 100_000}, Ask(context=100_000)),
        ({"parallel": 9, "gpu": 0.5}, Ask(context=4096, parallel=9, gpu=0.5)),
        ({"eval_batch_size": 128}, Ask(context=4096, ubatch=128)),
        ({"eval_batch_size": 2048}, Ask(context=4096, ubatch=512)),
        ({"flash_attention": False}, Ask(context=4096, flash_attention=False)),
        ({"flash_attention": True, "offload_kv_cache_to_gpu": False}, Ask(context=4096, offload_kv=False)),
        ({"num_experts": 4, "ttl_s": 60, "identifier": "x"}, Ask(context=4096)),
    ],
)
def test_settings_as_llama_cpp_sees_them(settings: dict[str, object], ask: Ask) -> None:
    assert ask_of(LoadRequest("m", **settings), Model("m", max_context_length=262_144)) == ask


def test_defaults_of_small_and_of_embedding_models() -> None:
    assert ask_of(LoadRequest("m"), Model("m", max_context_length=2048)).context == 2048
    assert ask_of(LoadRequest("m"), Model("m")).context == 4096
    embedding = Model("e", type="embedding", max_context_length=2048)
    asked = ask_of(LoadRequest("e", eval_batch_size=1024), embedding)
    assert asked == Ask(context=2048, parallel=1, ubatch=1024, embedding=True)


def test_from_the_file(ask, smollm2_file: Path) -> None:
    found = ask(context_length=8192, parallel=2)
    parts = estimate(read_header(smollm2_file), Ask(context=8192, parallel=2, llama_build=11549))
    assert isinstance(parts, Estimate)
    assert (found.confidence, found.source) == ("from the file", "GGUF header, formulas of llama.cpp b11549")
    assert (found.gpu_bytes, found.ram_bytes) == (parts.gpu.total, parts.ram.total)
    assert found.parts is not None
    assert found.parts.kv_bytes == 180 * MIB
    assert (found.context, found.parallel, found.unknown, found.make_room) == (8192, 2, None, ())
    assert found.verdict.word == "fits"
    assert (found.largest_context, found.most_slots) == (8192, 64)
    assert (found.room, found.lmstudio, found.correction_bytes) == (ROOM, None, 0)


def test_what_is_not_set_is_said(ask) -> None:
    notes = " | ".join(ask().notes)
    assert "context not set: LM Studio decides; reckoned for 4096" in notes
    assert "slots not set: reckoned for 4" in notes
    assert "f16 and unified assumed" in notes
    assert "all layers on the GPU" in notes
    notes = " | ".join(ask(context_length=1, parallel=1, gpu=1.0).notes)
    assert "not set" not in notes


def test_without_a_gpu_all_of_it_is_in_ram(ask) -> None:
    found = ask({"room": CPU_ONLY})
    assert found.gpu_bytes == 0
    assert found.verdict.word == "fits"
    assert found.verdict.reason.startswith("no GPU is known: needs 0.")
    assert "no GPU is known: all of it is reckoned in RAM" in found.notes


def test_nothing_known_about_the_machine(ask) -> None:
    found = ask({"room": Room()})
    assert found.gpu_bytes
    assert (found.verdict.word, found.largest_context, found.most_slots, found.make_room) == (
        "unknown", None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("settings", [{"gpu": 7.0}, {"parallel": 0}, {"context_length": -4}, {"context_length": 2**70}])
def test_settings_out_of_range_are_unknown(settings: dict[str, object], ask) -> None:
    found = ask(**settings)
    assert found.unknown is not None
    assert (found.gpu_bytes, found.verdict.word, found.confidence) == (None, "unknown", "unknown")


def test_an_architecture_that_is_not_covered_gets_no_digits(tmp_path: Path, ask) -> None:
    file = write_sparse(tmp_path / "a.gguf", {"general.architecture": "glm-dsa"})
    figure = LmsFigure(9 * GIB, 9 * GIB)
    found = ask({"file": file, "lmstudio": figure})
    assert found.unknown is not None
    assert "'glm-dsa' is not covered" in found.unknown.reason
    assert (found.gpu_bytes, found.ram_bytes, found.parts, found.total_bytes) == (None, None, None, None)
    assert (found.confidence, found.lmstudio, found.verdict.word) == ("unknown", figure, "unknown")


def test_a_damaged_or_unfinished_file_is_unknown_whatever_the_table_knows(tmp_path: Path, ask) -> None:
    known = Model("q", architecture="qwen3moe", params="30B-A3B", size_bytes=18 * 10**9, format="gguf")
    whole = write_sparse(tmp_path / "whole.gguf", *MODELS["nomic-embed"]())
    broken = {"magic.gguf": b"GGML" * 9, "cut.gguf": whole.read_bytes()[:5000], "empty.gguf": b""}
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        found = ask({"file": tmp_path / name, "model": known})
        assert found.confidence == "unknown", name
        assert found.unknown is not None
        assert found.unknown.reason
    with whole.open("r+b") as file:
        file.truncate(whole.stat().st_size - 1000)
    found = ask({"file": whole, "model": known})
    assert found.unknown is not None
    assert "still downloading" in found.unknown.reason


def test_other_origins_in_their_order(tmp_path: Path, ask) -> None:
    """No file: the table, LM Studio's figure, the size, nothing."""
    table = Model("q", architecture="qwen3moe", params="30B-A3B", size_bytes=18 * 10**9, format="gguf")
    strange, nothing = Model("s", architecture="new", size_bytes=18 * 10**9), Model("n")
    figure = LmsFigure(9 * GIB, 10 * GIB)
    absent = tmp_path / "absent.gguf"
    cases = (
        (table, None, "from a table"), (strange, figure, "LM Studio's figure"), (strange, None, "rough"),
        (nothing, None, "unknown"),
    )  # fmt: skip
    for file in (None, absent, tmp_path / "a\0b.gguf"):
        for model, said, confidence in cases:
            found = ask({"file": file, "model": model, "lmstudio": said})
            assert found.confidence == confidence
            assert (found.parts is not None) == (confidence == "from a table")
            assert (found.unknown is None) == (confidence == "from a table")
    why = ask({"file": absent, "model": strange}).unknown.reason
    assert why == "absent.gguf cannot be read: No such file or directory"


def test_lm_studios_figure(ask) -> None:
    found = ask({"file": None, "model": Model("s", architecture="new"), "lmstudio": LmsFigure(9 * GIB, 10 * GIB)})
    assert (found.gpu_bytes, found.ram_bytes, found.verdict.word) == (9 * GIB, GIB, "fits")
    assert "LM Studio's estimate does not count slots" in found.notes
    assert (found.largest_context, found.most_slots) == (None, None)
    in_ram = ask({
        "file": None, "model": Model("s"), "lmstudio": LmsFigure(9 * GIB, 10 * GIB), "room": CPU_ONLY,
    })  # fmt: skip
    assert (in_ram.gpu_bytes, in_ram.ram_bytes) == (0, 10 * GIB)


def test_the_size_can_show_that_it_does_not_fit_but_not_that_it_does(ask) -> None:
    small, large = Model("s", size_bytes=10 * GIB), Model("l", size_bytes=30 * GIB)
    found = ask({"file": None, "model": small}, gpu=0.5)
    assert (found.gpu_bytes, found.ram_bytes) == (int(5.5 * GIB), int(5.5 * GIB))
    assert found.verdict.word == "unknown"
    assert "the context is not included" in found.verdict.reason
    assert "the context's memory is not included" in found.notes
    assert ask({"file": None, "model": large}).verdict.word == "does not fit"


def test_a_model_that_is_no_gguf_is_looked_up(tmp_path: Path, ask) -> None:
    (tmp_path / "config.json").touch()
    mlx = Model("m", architecture="qwen3_moe", params="30B", size_bytes=17 * 10**9, format="safetensors")
    found = ask({"file": tmp_path, "model": mlx}, context_length=32_768)
    assert found.confidence == "from a table"
    assert found.parts.kv_bytes == 3072 * MIB
    assert any("not a GGUF file" in note for note in found.notes)


def test_the_folder_of_one_model_will_do(tmp_path: Path, ask) -> None:
    write_sparse(tmp_path / "model.gguf", *MODELS["gemma3"]())
    write_sparse(tmp_path / "mmproj-model.gguf", {}, [("v.patch", (1024, 1024), F32)])
    found = ask({"file": tmp_path})
    assert found.parts.projector_bytes == 4 * MIB
    (tmp_path / "mmproj-model.gguf").write_bytes(b"GG")
    found = ask({"file": tmp_path})
    assert found.parts.projector_bytes == 0
    assert any("projector" in note for note in found.notes)
    write_sparse(tmp_path / "other.gguf", *MODELS["gemma3"]())
    assert ask({"file": tmp_path}).confidence == "rough"


@large_files
def test_fewer_experts_take_less_to_compute(tmp_path: Path, ask) -> None:
    file = write_sparse(tmp_path / "m.gguf", *MODELS["qwen3-coder-30b"]())
    eight, two = ask({"file": file}), ask({"file": file}, num_experts=2)
    assert two.parts.compute_bytes < eight.parts.compute_bytes
    assert two.parts.kv_bytes == eight.parts.kv_bytes
    assert ask(num_experts=2).parts == ask().parts  # a model without experts


def test_calibration_goes_to_the_gpu_or_without_one_to_ram(ask) -> None:
    lesson = Calibration(60 * MIB, 20 * MIB, 3)
    plain, taught = ask(), ask({"calibration": lesson})
    assert taught.gpu_bytes == plain.gpu_bytes + 60 * MIB
    assert taught.ram_bytes == plain.ram_bytes
    assert (taught.correction_bytes, taught.calibrated_by) == (60 * MIB, 3)
    assert "calibrated by 3 loads" in taught.notes
    assert taught.parts == plain.parts
    in_ram = ask({"calibration": lesson, "room": CPU_ONLY})
    assert in_ram.ram_bytes == ask({"room": CPU_ONLY}).ram_bytes + 20 * MIB
    wild = ask({"calibration": Calibration(-50 * GIB, 0, 1)})
    assert 0 < wild.gpu_bytes < plain.gpu_bytes
    nothing = ask({"calibration": Calibration(0, 20 * MIB, 3)})
    assert (nothing.calibrated_by, nothing.gpu_bytes) == (0, plain.gpu_bytes)


def test_who_would_have_to_go(ask) -> None:
    loaded = (Occupant("old", 2 * GIB, last_used=1), Occupant("new", 2 * GIB, last_used=2))
    full = replace(ROOM, vram_free=100 * MIB)
    found = ask({"room": full, "occupants": loaded})
    assert (found.verdict.word, found.make_room, found.occupants) == ("does not fit", ("old",), loaded)
    assert (found.largest_context, found.most_slots) == (None, None)
    assert ask({"room": full}).make_room is None
    assert ask({"room": replace(full, ram_free=MIB), "occupants": loaded}).make_room is None
    assert ask({"occupants": loaded}).make_room == ()
    tight = tuple(replace(each, bytes=150 * MIB) for each in loaded)  # both together leave less than the headroom
    assert ask({"room": full, "occupants": tight}, context_length=2048).make_room == ("old",)


@large_files
@pytest.mark.parametrize("name", ["qwen3-coder-30b", "qwen3-coder-next", "gemma3"])
def test_the_largest_that_fits_is_brute_forces(name: str, tmp_path: Path) -> None:
    file = write_sparse(tmp_path / "m.gguf", *MODELS[name]())
    model = Model(name, size_bytes=file.stat().st_size, max_context_length=24_576, format="gguf")
    base = forecast(Question(model, LoadRequest(name), ROOM, file, llama_build=11549))
    room = replace(ROOM, vram_free=base.gpu_bytes + 600 * MIB + 150 * MIB)

    def fits(**settings: object) -> bool:
        question = Question(model, LoadRequest(name, **settings), room, file, llama_build=11549)
        return forecast(question, search=False).verdict.word == "fits"

    found = forecast(Question(model, LoadRequest(name, context_length=4096), room, file, llama_build=11549))
    assert found.largest_context == max(n for n in range(1024, 24_577, 1024) if fits(context_length=n))
    slots = [n for n in range(1, 65) if fits(context_length=4096, parallel=n)]
    assert found.most_slots == max(slots)
    assert slots == list(range(1, max(slots) + 1))


def test_an_embedding_model_has_no_question_of_slots(tmp_path: Path) -> None:
    file = write_sparse(tmp_path / "m.gguf", *MODELS["nomic-embed"]())
    model = Model("e", type="embedding", max_context_length=2048, format="gguf")
    found = forecast(Question(model, LoadRequest("e"), ROOM, file))
    assert (found.parallel, found.most_slots, found.largest_context) == (1, None, 2048)
    assert found.parts.kv_bytes == 0
    assert not any("slots" in note or "cache types" in note for note in found.notes)


@large_files
def test_a_forecast_is_quick_once_the_header_is_read(tmp_path: Path) -> None:
    file = write_sparse(tmp_path / "m.gguf", *MODELS["qwen3-coder-next"]())
    model = Model("m", size_bytes=file.stat().st_size, max_context_length=262_144, format="gguf")
    question = Question(model, LoadRequest("m"), replace(ROOM, vram_free=80 * GIB), file)
    forecast(question)
    best = min(_timed(question) for _ in range(5))
    assert best < 0.05  # about 0.01 s of computing


def _timed(question: Question) -> float:
    begun = time.process_time()
    assert forecast(question).largest_context
    return time.process_time() - begun


def test_a_header_of_the_table_weighs_what_the_file_does(headers: dict[str, Header]) -> None:
    """The table against the headers that the grid was measured with: the same cache and state, the same compute."""
    rows = (
        ("qwen3-coder-next", "qwen3next", "80B-A3B"), ("qwen3-coder-30b", "qwen3moe", "30B-A3B"),
        ("nemotron-3-nano", "nemotron_h_moe", "30B-A3B"), ("glm-4.7-flash", "deepseek2", "30B"),
        ("devstral-small-2", "mistral3", "24B"), ("qwen2.5-14b", "qwen2", "14B"), ("nomic-embed", "nomic-bert", "137M"),
    )  # fmt: skip
    for name, arch, params in rows:
        size = sum(tensor.bytes or 0 for tensor in headers[name].tensors)
        model = Model(name, architecture=arch, params=params, size_bytes=size)
        for settings in ({"context_length": 2048}, {"context_length": 32_768, "parallel": 7, "flash_attention": False}):
            found = forecast(Question(model, LoadRequest(name, **settings), ROOM)).parts
            true = estimate(headers[name], ask_of(LoadRequest(name, **settings), model))
            assert found is not None, name
            for part in ("n_ctx", "n_ctx_seq", "kv_bytes", "recurrent_bytes", "compute_bytes", "output_bytes"):
                assert getattr(found, part) == getattr(true, part), (name, part)
            assert found.weights_bytes == size
            assert found.gpu.weights == pytest.approx(true.gpu.weights, rel=0.02)
