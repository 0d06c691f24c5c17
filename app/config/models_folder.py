"""Where LM Studio keeps its models and its log files on this machine."""

import json
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

_MAX_FILE = 2**20
_POINTER = ".lmstudio-home-pointer"


def models_folder(chosen: str | None, home: Path) -> Path:
    """The models folder: `chosen` by the user, else LM Studio's own setting (`downloadsFolder` in its
    `settings.json`), else `models` in LM Studio's folder. It need not exist. Blocks: small files are read."""
    if chosen:
        return Path(os.path.expanduser(chosen))
    folder = _lmstudio_folder(home)
    try:
        settings = json.loads(_start_of(folder / "settings.json"))
    except (OSError, ValueError, RecursionError):
        settings = None
    named = settings.get("downloadsFolder") if isinstance(settings, dict) else None
    if isinstance(named, str) and "\0" not in named and Path(named).is_absolute():
        return Path(named)
    return folder / "models"


def logs_folder(home: Path) -> Path:
    """The folder of LM Studio's log files, `YYYY-MM/*.log` in it; need not exist. Blocks: a small file is read."""
    return _lmstudio_folder(home) / "server-logs"


def model_path(folder: Path, told: str) -> Path | None:
    """The place of a model whose path `lms ls` tells, relative to the models folder; None for one that would lead out
    of it."""
    parts = PurePosixPath(told.replace("\\", "/")).parts
    if not parts or ".." in parts or "\0" in told or told.startswith(("/", "\\")) or PureWindowsPath(told).drive:
        return None
    return folder.joinpath(*parts)


def _lmstudio_folder(home: Path) -> Path:
    """LM Studio's folder: where its pointer file says, else the one of older versions if it is there."""
    try:
        pointed = _start_of(home / _POINTER).strip()
    except (OSError, ValueError):
        pointed = ""
    if pointed and "\0" not in pointed and Path(pointed).is_absolute():
        return Path(pointed)
    new, old = home / ".lmstudio", home / ".cache" / "lm-studio"
    return old if old.is_dir() and not new.is_dir() else new


def _start_of(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_FILE).decode("utf-8-sig")
