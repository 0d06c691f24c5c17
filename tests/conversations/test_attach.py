"""Files that go with a turn."""

import base64
import os
from pathlib import Path

import pytest

from lmdeck.conversations import attach
from lmdeck.conversations.attach import (
    AttachFailed,
    Reference,
    complete_path,
    read_attachment,
    split_references,
    text_attachment,
)
from lmdeck.model.conversation import Attachment

PNG, JPEG, WEBP = b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xd8\xff\xe0\0", b"RIFF\0\0\0\0WEBPVP8 "


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def refused(path: str, words: str, *, images: bool = True) -> None:
    with pytest.raises(AttachFailed, match=words):
        read_attachment(Path(path), images=images)


def test_a_text_file(folder):
    (folder / "öl.txt").write_bytes("\ufeffzwei\r\nö".encode())
    assert read_attachment(Path("öl.txt"), images=False) == Attachment("text", "öl.txt", "text/plain", "zwei\r\nö", 8)
    (folder / "empty").touch()
    assert read_attachment(Path("~/empty"), images=True).content == ""


@pytest.mark.parametrize(("raw", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
def test_images_are_known_by_what_is_in_them(folder, raw, kind):
    (folder / "picture.txt").write_bytes(raw)
    read = read_attachment(folder / "picture.txt", images=True)
    assert (read.kind, read.media_type, read.size_bytes) == ("image", kind, len(raw))
    assert read.data_url == f"data:{kind};base64,{base64.b64encode(raw).decode()}"
    refused("picture.txt", "picture.txt is an image, and this model or endpoint takes none", images=False)


@pytest.mark.parametrize("raw", [b"\x7fELF\0\1", b"RIFF\0\0\0\0WAVE", b"caf\xe9", b"GIF89a\0"])
def test_other_files_are_refused(folder, raw):
    (folder / "x").write_bytes(raw)
    refused("x", "x is neither")


def test_what_is_no_file(folder):
    (folder / "sub").mkdir()
    refused("sub", "sub is a folder")
    refused("none\x1b[31m", r"There is no file none␛\[31m")
    refused("~nobody-of-that-name/x", "x cannot be read")
    refused("nul\0", "cannot be read")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no named pipes in folders")
def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    refused("pipe", "pipe is no ordinary file")


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    """Told by the system's word, not by the file's mode: nothing is forbidden to root."""

    def forbidden(path, *mode):
        raise PermissionError(13, "Permission denied", str(path))

    (folder / "secret").touch()
    monkeypatch.setattr(Path, "open", forbidden)
    refused("secret", "secret cannot be read: Permission denied")


def test_sizes(folder, monkeypatch):
    monkeypatch.setattr(attach, "MOST_TEXT", 10)
    monkeypatch.setattr(attach, "MOST_IMAGE", 20)
    (folder / "text").write_bytes(b"x" * 10)
    (folder / "image").write_bytes(PNG.ljust(20, b"\0"))
    assert read_attachment(Path("text"), images=True).size_bytes == 10
    assert read_attachment(Path("image"), images=True).size_bytes == 20
    (folder / "text").write_bytes(b"x" * 11)
    (folder / "image").write_bytes(PNG.ljust(21, b"\0"))
    refused("text", "text is larger than 1 MB")
    refused("image", "image is larger than 20 MB")


def test_a_text_that_is_no_file():
    assert text_attachment("paste 1", "ö\ud800") == Attachment("text", "paste 1", "text/plain", "ö\ud800", 3)


def test_paths_are_completed(folder):
    for name in ("beta.txt", "Beta", "be ta", ".hidden"):
        (folder / name).touch()
    (folder / "bench").mkdir()
    (folder / "bench" / "x").touch()
    assert complete_path("") == ("bench/", "Beta", "be ta", "beta.txt")
    assert complete_path("be") == ("bench/", "be ta", "beta.txt")
    assert complete_path("./be", limit=2) == ("./bench/", "./be ta")
    assert complete_path("~/bench/") == ("~/bench/x",)
    assert complete_path(f"{folder}/bench/x") == (f"{folder}/bench/x",)
    assert complete_path(".h") == (".hidden",)
    for nothing in ("no/such/", "~nobody-of-that-name/", "a\0/", "beta.txt/"):
        assert complete_path(nothing) == ()


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []), ("@", []), ("me@example.com", []), ("@a.txt", ["a.txt"]),
        ("see @a.txt, @b/c.py.", ["a.txt", "b/c.py"]),
        ('@"my notes.txt": why?', ["my notes.txt"]), ("(@x)", []), ("a\n@~/x\n", ["~/x"]), ('@""', []), ('@"open', []),
        ("@...", []), ("@../x?", ["../x"]),
    ],
)  # fmt: skip
def test_references_in_a_prompt(text, paths):
    found = split_references(text)
    assert [each.path for each in found] == paths
    for each in found:
        assert text[each.start : each.end] in (f"@{each.path}", f'@"{each.path}"')


def test_where_a_reference_stands():
    assert split_references('x @"a b", y') == (Reference("a b", 2, 8),)
