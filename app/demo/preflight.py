"""What the demo server needs before it can start."""

from __future__ import annotations

import importlib.util
from pathlib import Path

NO_EXTRA = 'The demo server needs its extra: pip install "lmdeck[demo]"'


def missing(engine: str, model: Path | None) -> str | None:
    """What is missing for this engine, in one sentence that says how to get it; None when it can start."""
    needed = ["starlette", "uvicorn", *(["xllamacpp"] if engine == "llama" else [])]
    if any(importlib.util.find_spec(name) is None for name in needed):
        return NO_EXTRA
    if engine != "llama":
        return None
    from lmdeck.demo.engines.find_model import HINT, find_model

    if model is not None and not model.is_file():
        return f"No such model file: {model}"
    return None if find_model(model) else HINT
