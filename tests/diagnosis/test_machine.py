"""What the doctor says of this machine's files and GPUs."""

import os
from pathlib import Path

import pytest

from lmdeck.config.settings import Settings
from lmdeck.diagnosis.machine import configuration_finding, gpu_finding, history_finding, models_finding
from lmdeck.feeds.sources import Machine
from lmdeck.model.machine import Gpu, GpuSample, HostSample
from lmdeck.model.problem import Problem
from lmdeck.telemetry.nvml import MISMATCH, NO_LIBRARY

LOCAL, REMOTE = Settings(), Settings(url="http://gpubox:1234")


def test_the_configuration_file_is_named_whether_it_is_there_or_not(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert configuration_finding(Settings(config=path)).words == f"no file at {path}: the defaults hold"
    path.touch()
    assert configuration_finding(Settings(config=path, profile="box")).words == f"{path}, profile box"


def test_a_history_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "history.db"
    finding = history_finding(path)
    assert (finding.state, finding.words) == ("ok", f"{path}, not begun yet")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    finding = history_finding(path)
    assert (finding.state, finding.words) == ("fail", f"{tmp_path} cannot be written")
    assert "LMDECK_DATA" in finding.next_step
    assert history_finding(None).state == "unknown"


def test_models_are_counted_and_a_missing_folder_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x.gguf", "y.GGUF", "z.json"):
        (tmp_path / "a" / "b" / name).touch()
    assert models_finding(tmp_path, LOCAL).words == f"{tmp_path}, 2 GGUF files"
    finding = models_finding(tmp_path / "gone", LOCAL)
    assert finding.state == "warn"
    assert "models_folder" in finding.next_step
    assert models_finding(tmp_path, REMOTE).state == "unknown"


class Gpus:
    def __init__(self, sample: GpuSample) -> None:
        self.taken, self.closed = sample, False

    def sample(self) -> GpuSample:
        return self.taken

    def close(self) -> None:
        self.closed = True


class NoHost:
    def sample(self) -> HostSample:
        raise AssertionError("nobody asks for it")


@pytest.mark.parametrize(
    ("sample", "state", "words"),
    [
        (GpuSample((Gpu(0, "RTX 4090", vram_total=24 * 2**30),)), "ok", "RTX 4090 24.0 GiB"),
        (GpuSample((Gpu(0, "GPU", simulated=True),)), "ok", "GPU (simulated)"),
        (GpuSample((Gpu(0, "A"), Gpu(1, "B", problem=Problem("GPU lost")))), "fail", "1 B: GPU lost"),
        (GpuSample(problem=NO_LIBRARY), "unknown", NO_LIBRARY.title),
        (GpuSample(problem=MISMATCH), "fail", MISMATCH.sentence),
    ],
)
def test_gpus(sample: GpuSample, state: str, words: str) -> None:
    gpus = Gpus(sample)
    finding = gpu_finding(lambda: Machine(gpus, NoHost()), LOCAL)
    assert (finding.state, finding.words) == (state, words)
    assert gpus.closed


def test_gpus_that_nobody_asks() -> None:
    assert "--no-gpu" in gpu_finding(lambda: Machine(None, NoHost()), Settings(gpu=False)).words
    finding = gpu_finding(lambda: Machine(None, NoHost()), REMOTE)
    assert finding.state == "unknown"
    assert "gpu_url" in finding.next_step
