"""Every row of the grid: what llama.cpp allocated, over 8 builds and 9 models (shared/reference/vram_grid.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmdeck.estimate.gguf import Header
from lmdeck.estimate.memory import estimate
from lmdeck.model.estimate import Ask, Estimate, Unknown

MIB = 2**20
GRID = json.loads((Path(__file__).parent / "data" / "vram_grid.json").read_text("utf-8"))
ROWS = [dict(zip(GRID["columns"], row, strict=True)) for row in GRID["rows"]]


def _name(row: dict[str, object]) -> str:
    skipped = ("result", "swa_full", "embedding", "no_kv_offload")
    return "-".join(str(value) for key, value in row.items() if key not in skipped)


def _ask(row: dict[str, object]) -> Ask:
    return Ask(
        context=row["n_ctx_req"],
        parallel=row["parallel"],
        unified=row["unified"],
        kv_type_k=row["k"],
        kv_type_v=row["v"],
        flash_attention=row["flash_attention"],
        gpu="off",
        ubatch=row["n_ubatch"],
        llama_build=row["build"],
        offload_kv=not row["no_kv_offload"],
        swa_full=row["swa_full"],
        embedding=row["embedding"],
    )


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row["result"], list)], ids=_name)
def test_what_llama_cpp_allocated(row: dict[str, object], headers: dict[str, Header]) -> None:
    true = dict(zip(GRID["result"], row["result"], strict=True))
    found = estimate(headers[row["model"]], _ask(row))
    assert isinstance(found, Estimate)
    if true["n_ctx"] is not None:
        assert (found.n_ctx, found.n_ctx_seq) == (true["n_ctx"], true["n_ctx_seq"])
    assert found.kv_bytes / MIB == pytest.approx(true["kv_mib"], abs=0.02)
    assert found.recurrent_bytes / MIB == pytest.approx(true["recurrent_mib"], abs=0.02)
    if true["output_mib"] is not None:
        assert found.output_bytes / MIB == pytest.approx(true["output_mib"], abs=0.006)
    _check_weights(found.weights_bytes / MIB, true["weights_mib"])
    assert found.compute_bytes / MIB == pytest.approx(true["compute_mib"], rel=0.18)
    low, high = found.compute_range_bytes
    assert low / MIB <= true["compute_mib"] + 0.01
    assert high / MIB >= true["compute_mib"] - 0.01
    assert found.total_bytes == sum(
        (found.kv_bytes, found.recurrent_bytes, found.compute_bytes, found.weights_bytes, found.output_bytes)
    )


def _check_weights(mib: float, true: float) -> None:
    """The log has two decimals for real loads, whole MiB (cut) for measuring passes."""
    if isinstance(true, int):
        assert int(mib) == true
    else:
        assert mib == pytest.approx(true, abs=0.006)


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row["result"], str)], ids=_name)
def test_what_llama_cpp_refused(row: dict[str, object], headers: dict[str, Header]) -> None:
    found = estimate(headers[row["model"]], _ask(row))
    assert isinstance(found, Unknown)
    assert row["result"] in found.reason


def test_dense_models_on_the_newest_build_are_met_within_two_percent(headers: dict[str, Header]) -> None:
    dense = ("smollm2", "devstral-small-2", "qwen2.5-14b")
    rows = [r for r in ROWS if r["model"] in dense and r["build"] == 11549 and isinstance(r["result"], list)]
    assert len(rows) > 70
    for row in rows:
        found = estimate(headers[row["model"]], _ask(row))
        assert isinstance(found, Estimate)
        assert found.compute_bytes / MIB == pytest.approx(row["result"][4], rel=0.02)
