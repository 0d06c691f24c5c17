"""A history's file, and SQLite with and without its word index."""

from pathlib import Path

import pytest

from lmdeck.store import turn_words, words


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture(params=[True, False], ids=["fts5", "no fts5"])
def fts5(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With the index, and with a SQLite that has none."""
    if not request.param:
        for module in (words, turn_words):
            monkeypatch.setattr(module, "has_fts5", lambda db: False)
    return request.param
