"""Where the models are, by whoever says it, and paths that stay there."""

import json
from pathlib import Path

import pytest

from lmdeck.config.models_folder import logs_folder, model_path, models_folder


def settings(folder: Path, text: str | bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_bytes(text.encode() if isinstance(text, str) else text)


def test_lm_studios_own_folder(tmp_path):
    assert models_folder(None, tmp_path) == tmp_path / ".lmstudio" / "models"


def test_the_users_word_goes_first(tmp_path, monkeypatch):
    settings(tmp_path / ".lmstudio", json.dumps({"downloadsFolder": str(tmp_path / "big")}))
    assert models_folder(None, tmp_path) == tmp_path / "big"
    assert models_folder("/m", tmp_path) == Path("/m")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert models_folder("~/m", tmp_path) == tmp_path / "m"


def test_a_byte_order_mark_does_no_harm(tmp_path):
    settings(tmp_path / ".lmstudio", b"\xef\xbb\xbf" + json.dumps({"downloadsFolder": str(tmp_path)}).encode())
    assert models_folder(None, tmp_path) == tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "{}", '{"downloadsFolder": 7}', '{"downloadsFolder": null}',
        '{"downloadsFolder": "a/b"}',
        '{"downloadsFolder": ""}', '{"downloadsFolder": "/a\\u0000b"}', b"\xff\xfe{", "[" * 100_000,
    ],
)  # fmt: skip
def test_settings_that_say_nothing(tmp_path, text):
    settings(tmp_path / ".lmstudio", text)
    assert models_folder(None, tmp_path) == tmp_path / ".lmstudio" / "models"


def test_where_lm_studio_is_at_home(tmp_path):
    old, pointed = tmp_path / ".cache" / "lm-studio", tmp_path / "elsewhere"
    old.mkdir(parents=True)
    assert models_folder(None, tmp_path) == old / "models"
    (tmp_path / ".lmstudio").mkdir()
    assert models_folder(None, tmp_path) == tmp_path / ".lmstudio" / "models"
    pointer = tmp_path / ".lmstudio-home-pointer"
    pointer.write_text(f"{pointed}\n")
    assert models_folder(None, tmp_path) == pointed / "models"
    pointer.write_text("not a path")
    assert models_folder(None, tmp_path) == tmp_path / ".lmstudio" / "models"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("a/b/c.gguf", "a/b/c.gguf"),
        ("a\\b\\c.gguf", "a/b/c.gguf"),
        ("./a", "a"),
        ("", None),
        (".", None),
        ("../a", None),
        ("a/../../b", None),
        ("a\\..\\b", None),
        ("/etc/passwd", None),
        ("\\\\server\\share", None),
        ("C:\\a", None),
        ("a\0b", None),
    ],
)
def test_paths_stay_in_the_folder(told, found):
    folder = Path("models")
    assert model_path(folder, told) == (None if found is None else folder / found)


def test_the_log_files_are_in_lm_studios_folder(tmp_path):
    assert logs_folder(tmp_path) == tmp_path / ".lmstudio" / "server-logs"
    (tmp_path / ".cache" / "lm-studio").mkdir(parents=True)
    assert logs_folder(tmp_path) == tmp_path / ".cache" / "lm-studio" / "server-logs"
    (tmp_path / ".lmstudio-home-pointer").write_text(str(tmp_path / "big"))
    assert logs_folder(tmp_path) == tmp_path / "big" / "server-logs"
