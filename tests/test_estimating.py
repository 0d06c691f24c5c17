"""`lmdeck estimate FILE|KEY`: the JSON's keys, the table, keys of models, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gguf_models import gemma3
from gguf_writer import F32, write_sparse

from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.estimating import main

MIB = 2**20
LS = [
    {"modelKey": "lab/tiny-gemma", "path": "lab/tiny-GGUF/tiny.gguf", "sizeBytes": 10},
    {"modelKey": "lab/tiny-mlx", "path": "lab/tiny-mlx", "sizeBytes": 10, "format": "safetensors"},
    {"modelKey": "lab/far", "path": "lab/far.gguf", "deviceIdentifier": "box"},
    {"modelKey": "lab/lost", "path": "../../lost.gguf"},
]
ESTIMATE = (
    "Model: x\\nEstimated GPU Memory:   11.50 GiB\\nEstimated Total Memory: 12.00 GiB\\nConfidence: LOW\\n\\n"
    "Estimate: This model may be loaded based on your resource guardrails settings."
)
posix = pytest.mark.skipif(os.name == "nt", reason="Windows runs no shell scripts, and the fake lms is one")


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    path = find_model(None)
    assert path is not None, "`make` installs SmolLM2"
    return path


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no `lms` of this machine's user."""
    for name in ("LMDECK_LMS", "LMDECK_CONFIG", "LMDECK_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., list[str]]:
    """Options for a models folder with one model, and an `lms` that lists `LS` and estimates."""

    def make(models: object = LS, estimates: str = f"print('{ESTIMATE}', file=sys.stderr)") -> list[str]:
        write_sparse(_folder(tmp_path / "models" / "lab" / "tiny-GGUF") / "tiny.gguf", *gemma3())
        _folder(tmp_path / "models" / "lab" / "tiny-mlx")
        script, launcher = tmp_path / "lms.py", tmp_path / "lms"
        script.write_text(
            "import json, sys\n"
            f"(open({str(tmp_path / 'seen')!r}, 'a')).write(json.dumps(sys.argv[1:]) + chr(10))\n"
            f"if sys.argv[1] == 'ls': print(json.dumps(json.loads({json.dumps(models)!r})))\n"
            f"else: {estimates}\n"
        )
        launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {script} "$@"\n')
        launcher.chmod(0o755)
        return ["--lms", str(launcher), "--models", str(tmp_path / "models")]

    return make


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


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


def test_a_folder_of_one_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sparse(tmp_path / "model.gguf", *gemma3())
    assert main([str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"].startswith("model.gguf: ")
    write_sparse(tmp_path / "other.gguf", *gemma3())
    assert main([str(tmp_path), "--json"]) == 1
    assert "holds no model, or several" in capsys.readouterr().err


@posix
@pytest.mark.parametrize("key", ["lab/tiny-gemma", "tiny-gemma", "Gemma"])
def test_a_key_is_found_under_the_models_folder(key: str, fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([key, "--context", "8192", "--json", *fake()]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_ctx"] == 8192
    assert (found["confidence"], found["source"].partition(":")[0]) == ("from the file", "tiny.gguf")


@posix
@pytest.mark.parametrize(("key", "why"), [("tiny-mlx", "no GGUF"), ("far", "linked device"), ("lost", "no GGUF")])
def test_without_a_file_here_it_is_lm_studios_figure(
    key: str, why: str, fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = fake()
    assert main([key, "--context", "8192", "--gpu", "0.5", "--json", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["confidence"], found["kv_bytes"], found["n_ctx"]) == ("LM Studio's figure", None, None)
    assert found["total_bytes"] == 12 * 2**30
    assert found["gpu"]["total_bytes"] == int(11.5 * 2**30)
    assert why in found["source"]
    assert "LM Studio doubts it itself" in found["notes"]
    asked = json.loads((tmp_path / "seen").read_text().splitlines()[-1])
    assert asked[:2] == ["load", "--estimate-only"]
    assert asked[asked.index("-c") + 1] == "8192"
    assert asked[asked.index("--gpu") + 1] == "0.5"
    assert main([key, *options]) == 0
    out = capsys.readouterr().out
    assert "12.0 GiB" in out
    assert "for LM Studio's default context" in out


MANY = [{"modelKey": f"m{n}-a", "path": "x"} for n in range(12)]


@posix
@pytest.mark.parametrize(
    ("args", "listed", "code", "words"),
    [
        (["none-such"], LS, 1, "no model of this key; there are lab/far, lab/lost"),
        (["none-such"], [], 1, "there are none"),
        (["a"], MANY, 1, "a may be any of m0-a, m1-a, m10-a"),
        (["a"], MANY, 1, "and 4 more"),
        (["a"], {"no": "list"}, 3, "`lms ls --json` answered without a JSON list"),
        (["far"], LS, 1, "linked device; lms failed"),
        (["tiny-gemma", "--context", "-1"], LS, 2, "context length"),
        (["tiny-gemma", "--lms", "/absent/lms"], LS, 3, "/absent/lms"),
    ],
)
def test_keys_that_lead_nowhere(
    args: list[str], listed: object, code: int, words: str, fake, capsys: pytest.CaptureFixture[str]
) -> None:
    options = fake(listed, estimates="sys.exit('Error: no estimate for this')")
    assert main([args[0], *options, *args[1:]]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_a_key_without_any_lms(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["qwen/qwen3-coder-30b"]) == 3
    assert "no such file, and LM Studio's `lms`" in capsys.readouterr().err


def test_bad_settings_are_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("modelsfolder = 'x'")
    assert main(["some-key", "--config", str(tmp_path / "config.toml")]) == 2
    assert "did you mean 'models_folder'" in capsys.readouterr().err


def test_a_key_of_the_demo(llama_server: DemoEndpoint, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    assert llama_server.models is not None
    monkeypatch.setenv("LM_API_TOKEN", llama_server.token)
    args = ["smollm2-135m-instruct", "--lms", llama_server.lms, "--models", llama_server.models, "--context", "4096"]
    assert main([*args, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kv_bytes"] == 90 * MIB


def test_no_screen_is_loaded(smollm2_file: Path) -> None:
    code = (
        "import sys; from lmdeck.cli import main; "
        "code = main(['estimate', sys.argv[1], '--json']); print(code, *sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(smollm2_file)], capture_output=True, text=True, check=True)
    code, *modules = ran.stderr.split()
    assert code == "0"
    assert not {*modules} & {"textual", "rich", "httpx", "psutil", "pynvml", "sqlite3", "asyncio"}
