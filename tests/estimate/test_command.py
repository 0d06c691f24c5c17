"""`lmdeck estimate`: keys, table, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gguf_models import gemma3
from gguf_writer import F32, write_sparse

from lmdeck.estimate.command import main

MIB = 2**20


def test_json_has_the_promised_keys(smollm2_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["--context", "8192", "--parallel", "4", "--no-unified", "--kv-type", "q8_0", "--llama-build", "b11549"]
    assert main([str(smollm2_file), *args, "--gpu", "off", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["kv_bytes"] == round(95.625 * MIB)
    assert (found["n_ctx"], found["n_ctx_seq"], found["recurrent_bytes"]) == (8192, 2048, 0)
    low, high = found["compute_range_bytes"]
    assert low <= found["compute_bytes"] <= high
    assert found["weights_bytes"] / MIB == pytest.approx(92.1, abs=0.01)
    assert found["total_bytes"] == found["ram"]["total_bytes"]
    assert found["output_bytes"] == 4 * 4 * 49152
    assert found["confidence"] == "from the file"
    assert smollm2_file.name in found["source"]
    assert all(isinstance(value, int) for key, value in found.items() if key.endswith("_bytes") and "range" not in key)


def test_the_table_is_for_people(smollm2_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(smollm2_file), "--context", "8192", "--llama-build", "11549"]) == 0
    out = capsys.readouterr().out
    assert "KV cache      180.0 MiB          0 B    180.0 MiB" in out
    assert "8192 tokens, 8192 in a slot" in out
    assert "31 of 31 on the GPU" in out


def test_a_projector_beside_the_model_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sparse(tmp_path / "model.gguf", *gemma3())
    write_sparse(tmp_path / "mmproj-model.gguf", {}, [("v.patch", (1024, 1024), F32)])
    assert main([str(tmp_path / "model.gguf"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["projector_bytes"] == 4 * MIB


@pytest.mark.parametrize(
    "wrong",
    [
        ["--gpu", "2"], ["--gpu", "some"], ["--context", "-1"], ["--parallel", "0"], ["--kv-type", "q3"],
        ["--ubatch", "x"], ["--no-such"], ["--llama-build", "new"], ["--flash-attention", "maybe"],
    ],
)  # fmt: skip
def test_usage(wrong: list[str], smollm2_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(smollm2_file), *wrong]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err


def test_no_estimate_says_why(tmp_path: Path, smollm2_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strange = write_sparse(tmp_path / "a.gguf", {"general.architecture": "glm-dsa"})
    (tmp_path / "b.gguf").write_bytes(b"GGML")
    cases = (
        ([str(strange)], "a.gguf: unknown: the architecture 'glm-dsa' is not covered"),
        ([str(tmp_path / "b.gguf")], "b.gguf: it does not start"),
        ([str(tmp_path / "c.gguf")], "No such file"),
        ([str(smollm2_file), "--kv-type", "q8_0", "--flash-attention", "off"], "requires flash attention"),
    )
    for args, words in cases:
        assert main(args) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert words in err


def test_help_says_that_only_files_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "Only a file can be named" in capsys.readouterr().out
