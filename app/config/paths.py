"""Where lmdeck keeps its files on this platform."""

import os
from collections.abc import Mapping
from pathlib import Path

APP = "lmdeck"


def config_file(environ: Mapping[str, str]) -> Path:
    """The configuration file: `LMDECK_CONFIG`, or `config.toml` in the user's configuration folder."""
    if chosen := environ.get("LMDECK_CONFIG"):
        return Path(chosen).expanduser()
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False) / "config.toml"


def data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """For what must last (history, conversations, exports): `LMDECK_DATA`, or the user's data folder."""
    if chosen := environ.get("LMDECK_DATA"):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def exports_dir() -> Path:
    """Where reports go that the user asked for."""
    return data_dir() / "exports"
