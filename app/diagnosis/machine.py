"""What of this machine the deck uses: its files, the models' folder, the GPU's driver. Everything here blocks."""

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from lmdeck import __version__
from lmdeck.config.settings import Settings
from lmdeck.feeds.sources import Machine
from lmdeck.model.finding import Finding, Health
from lmdeck.model.machine import Gpu
from lmdeck.model.units import size
from lmdeck.state.hardware import is_local
from lmdeck.telemetry.nvml import NO_LIBRARY

_MOST_FOLDERS = 5_000
_ELSEWHERE = "the server is on another machine"


def program_finding() -> Finding:
    """What runs, on what."""
    system = f"{platform.system()} {platform.machine()}".strip()
    return Finding(
        "lmdeck", "ok", f"{__version__}, Python {platform.python_version()}, Textual {version('textual')}, {system}"
    )


def configuration_finding(settings: Settings) -> Finding:
    """Which file the settings come from. That they are sound is known: else there would be none."""
    path = settings.config
    if path is None or not path.is_file():
        return Finding("configuration", "ok", f"no file{f' at {path}' if path else ''}: the defaults hold")
    profile = f", profile {settings.profile}" if settings.profile else ""
    return Finding("configuration", "ok", f"{path}{profile}")


def history_finding(path: Path | None) -> Finding:
    """Whether what outlives a session can be kept."""
    if path is None:
        return Finding("history", "unknown", "nothing is kept")
    place = path if path.exists() else next((folder for folder in path.parents if folder.exists()), path)
    if not os.access(place, os.R_OK | os.W_OK):
        step = "Make it writable, or name another folder with LMDECK_DATA."
        return Finding("history", "fail", f"{place} cannot be written", step)
    return Finding("history", "ok", f"{path}{'' if path.is_file() else ', not begun yet'}")


def models_finding(folder: Path | None, settings: Settings) -> Finding:
    """Whether the models' files can be read: estimates come from their headers."""
    if not is_local(settings.url) and not settings.models_folder:
        return Finding("models folder", "unknown", _ELSEWHERE, "Name it as `models_folder` if it is mounted here.")
    step = "Name LM Studio's models folder as `models_folder` in the configuration: estimates read the models' headers."
    if folder is None or not folder.is_dir():
        return Finding("models folder", "warn", f"{folder} does not exist" if folder else "not known", step)
    if not os.access(folder, os.R_OK | os.X_OK):
        return Finding("models folder", "warn", f"{folder} cannot be read", step)
    found = sum(
        name.lower().endswith(".gguf") for _, _, names in islice(os.walk(folder), _MOST_FOLDERS) for name in names
    )
    return Finding("models folder", "ok", f"{folder}, {found} GGUF file{'' if found == 1 else 's'}")


def gpu_finding(open_machine: Callable[[], Machine], settings: Settings) -> Finding:
    """Whether the GPUs can be read, of this machine or by `gpu_url`."""
    if settings.gpu and not settings.gpu_url and not is_local(settings.url):
        return Finding("GPU", "unknown", _ELSEWHERE, "Name its GPU exporter as `gpu_url` in the configuration.")
    machine = open_machine()
    try:
        if machine.gpu is None:
            return Finding("GPU", "unknown", "switched off (--no-gpu)")
        sample = machine.gpu.sample()
    finally:
        machine.close()
    if sample.problem is not None:
        state: Health = "unknown" if sample.problem == NO_LIBRARY else "fail"
        return Finding("GPU", state, sample.problem.sentence, sample.problem.next_step)
    ill = next((gpu for gpu in sample.gpus if gpu.problem is not None), None)
    if ill is not None and ill.problem is not None:
        return Finding("GPU", "fail", f"{ill.index} {ill.name}: {ill.problem.sentence}", ill.problem.next_step)
    return Finding("GPU", "ok", ", ".join(map(_described, sample.gpus)))


def _described(gpu: Gpu) -> str:
    memory = f" {size(gpu.vram_total)}" if gpu.vram_total else ""
    return f"{gpu.name}{memory}{' (simulated)' if gpu.simulated else ''}"
