"""Files that go with a turn: found in what was typed, completed, read."""

import base64
import os
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from lmdeck.model.conversation import Attachment
from lmdeck.model.text import one_line

MOST_TEXT: Final = 10**6
"""Bytes of a text file."""
MOST_IMAGE: Final = 20 * 10**6
"""Bytes of an image."""

_MOST_LISTED: Final = 20_000
_REFERENCE: Final = re.compile(r'(?<!\S)@(?:"([^"\n]+)"|([^\s"]\S*))')
_CLOSING: Final = ".,;:!?)]}'\""


class AttachFailed(ValueError):
    """The file cannot go with a turn; the message says why, in words for a person."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A `@path` in a text: the path as it was written, and where (`text[start:end]` is all of it with its `@`)."""

    path: str
    start: int
    end: int


def read_attachment(path: Path, *, images: bool) -> Attachment:
    """A file's content: UTF-8 text of up to 1 MB, or, where `images` are taken, PNG, JPEG or WebP of up to 20 MB.

    Blocks; raises AttachFailed."""
    name = one_line(path.name, 200)
    raw = _content(path, name)
    if (media_type := image_type(raw)) is not None:
        if not images:
            raise AttachFailed(f"{name} is an image, and this model or endpoint takes none.")
        if len(raw) > MOST_IMAGE:
            raise AttachFailed(f"{name} is larger than 20 MB, the most that an image may have.")
        return Attachment("image", name, media_type, base64.b64encode(raw).decode(), len(raw))
    if b"\0" in raw:
        raise AttachFailed(f"{name} is neither text nor an image in PNG, JPEG or WebP.")
    if len(raw) > MOST_TEXT:
        raise AttachFailed(f"{name} is larger than 1 MB, the most that a text may have.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AttachFailed(f"{name} is neither UTF-8 text nor an image in PNG, JPEG or WebP.") from None
    return text_attachment(name, text)


def text_attachment(name: str, text: str) -> Attachment:
    """A text that is no file, such as a large paste, under a name."""
    return Attachment("text", name, "text/plain", text, len(text.encode("utf-8", "replace")))


def image_type(raw: bytes) -> str | None:
    """The media type of PNG, JPEG or WebP by its first bytes."""
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if raw.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP" else None


def complete_path(prefix: str, limit: int = 50) -> tuple[str, ...]:
    """Paths that begin with what was typed, folders first and with a slash behind them; `~` stays, hidden names only
    where a dot was typed. Blocks; empty where nothing can be read."""
    folder, begun = os.path.split(prefix)
    lead = prefix[: len(prefix) - len(begun)]
    try:
        with os.scandir(Path(folder or ".").expanduser()) as entries:
            found = [
                (not entry.is_dir(), entry.name)
                for entry in islice(entries, _MOST_LISTED)
                if entry.name.startswith(begun) and (begun.startswith(".") or not entry.name.startswith("."))
            ]
    except (OSError, RuntimeError, ValueError):  # RuntimeError: `~name` of nobody; ValueError: a NUL
        return ()
    return tuple(f"{lead}{name}" if is_file else f"{lead}{name}/" for is_file, name in sorted(found)[:limit])


def split_references(text: str) -> tuple[Reference, ...]:
    """The words `@path` and `@"path with spaces"`, in their order; a sentence's mark behind a path is no part of it.
    Whether a file is there is not looked at."""
    found = []
    for match in _REFERENCE.finditer(text):
        quoted, bare = match.groups()
        path = quoted or bare.rstrip(_CLOSING)
        if path:
            end = match.end() if quoted else match.start() + 1 + len(path)
            found.append(Reference(path, match.start(), end))
    return tuple(found)


def _content(path: Path, name: str) -> bytes:
    """The file's bytes, up to one more than any kind may have."""
    try:
        path = path.expanduser()
        is_folder = path.is_dir()
        is_strange = path.exists() and not is_folder and not path.is_file()  # a pipe could be read for ever
        raw = b"" if is_folder or is_strange else _beginning(path)
    except FileNotFoundError:
        raise AttachFailed(f"There is no file {one_line(str(path))}.") from None
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: `~name` of nobody; ValueError: a NUL
        raise AttachFailed(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if is_folder or is_strange:
        raise AttachFailed(f"{name} is a folder." if is_folder else f"{name} is no ordinary file.")
    return raw


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_IMAGE + 1)
