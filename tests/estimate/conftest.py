"""The headers of all models of the grid: SmolLM2's real file, the others as sparse files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gguf_models import MODELS
from gguf_writer import TensorSpec, header, write_sparse

from lmdeck.demo.engines.find_model import find_model
from lmdeck.estimate.gguf import Header, read_header


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    path = find_model(None)
    assert path is not None, "`make` installs SmolLM2"
    return path


@pytest.fixture(scope="session")
def headers(smollm2_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Header]:
    folder = tmp_path_factory.mktemp("models")
    found = {"smollm2": read_header(smollm2_file)}
    for name, model in MODELS.items():
        found[name] = _read(folder / f"{name}.gguf", *model())
    return found


def _read(path: Path, keys: dict[str, object], tensors: list[TensorSpec]) -> Header:
    """The header of a sparse file, up to 45 GB long; without holes in files (Windows), of the bytes before the data."""
    if sys.platform == "win32":
        path.write_bytes(header(keys, tensors)[0])
        return replace(read_header(path), complete=True)
    write_sparse(path, keys, tensors)
    try:
        return read_header(path)
    finally:
        path.unlink()
