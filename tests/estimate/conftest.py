"""The headers of all models of the grid: SmolLM2's real file, the others as sparse files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf_models import MODELS
from gguf_writer import write_sparse

from lmdeck.demo.engines.find_model import find_model
from lmdeck.estimate.gguf import Header, read_header


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    path = find_model(None)
    if path is None:
        pytest.skip("SmolLM2 is not installed")
    return path


@pytest.fixture(scope="session")
def headers(smollm2_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Header]:
    folder = tmp_path_factory.mktemp("models")
    found = {"smollm2": read_header(smollm2_file)}
    for name, model in MODELS.items():
        path = write_sparse(folder / f"{name}.gguf", *model())
        found[name] = read_header(path)
        path.unlink()
    return found
