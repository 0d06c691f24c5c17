"""LM Studio's own log files: `server-logs/YYYY-MM/*.log`, text in lines such as `[2026-04-17 18:32:17][DEBUG] …`.

An entry may go on over further lines. LM Studio writes them only where its file logging is on.
"""

import asyncio
import codecs
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from lmdeck.backend.masking import masked
from lmdeck.model.log import LogEntry, ServerLine

TAIL_BYTES = 256 * 2**10
TAIL_ENTRIES = 500
MOST_FILES = 100_000

_MOST_DEPTH = 4
_MONTHS, _FILES = 3, 3
_HEAD = re.compile(r"^\[(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?\]\s*(?:\[([A-Za-z]+)\])?", re.MULTILINE)
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


async def tail_of_logs(
    folder: Path, most_bytes: int = TAIL_BYTES, most_entries: int = TAIL_ENTRIES
) -> tuple[LogEntry, ...]:
    """The last entries in the newest files under `folder`, oldest first, with their own times (local in the file) and
    levels: at most so many, from at most so many bytes. Empty where there are no files or they cannot be read."""
    return await asyncio.to_thread(_tail, folder, most_bytes, most_entries)


async def folder_size(folder: Path, most_files: int = MOST_FILES) -> int | None:
    """Bytes in all files under `folder`; None where it does not exist, cannot be read or holds more than `most_files`
    files and folders."""
    return await asyncio.to_thread(_size, folder, most_files)


def _tail(folder: Path, most_bytes: int, most_entries: int) -> tuple[LogEntry, ...]:
    """From the newest file, and from older ones while that one is too short: at midnight it is nearly empty."""
    entries: list[ServerLine] = []
    left = most_bytes
    for path in _newest_files(folder):
        try:
            read, found = _entries_at_end(path, left)
        except OSError:  # removed or locked meanwhile
            continue
        entries = found + entries
        left -= read
        if left <= 0 or len(entries) >= most_entries:
            break
    return tuple(entries[-most_entries:]) if most_entries > 0 else ()


def _newest_files(folder: Path) -> list[Path]:
    """The newest log files, newest first."""
    months = sorted((entry.path for entry in _scan(folder) if entry.is_dir()), reverse=True)[:_MONTHS]
    for month in months:
        dated = list[tuple[float, str]]()
        for entry in _scan(month):
            with suppress(OSError):
                if entry.name.endswith(".log") and entry.is_file():
                    dated.append((entry.stat().st_mtime, entry.path))
        if dated:
            return [Path(path) for _, path in sorted(dated, reverse=True)[:_FILES]]
    return []


def _scan(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder; nothing where it cannot be read."""
    with suppress(OSError), os.scandir(folder) as found:
        yield from found


def _entries_at_end(path: Path, most_bytes: int) -> tuple[int, list[ServerLine]]:
    """How many bytes were read from the end of the file, and the whole entries in them. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(3)
        mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
        size = file.seek(0, os.SEEK_END)
        begin = max(len(mark), size - max(most_bytes, 0))
        if mark and len(mark) == 2:
            begin += begin % 2  # UTF-16 comes in pairs of bytes
        file.seek(begin)
        raw = file.read(size - begin)  # what is being written meanwhile comes by the log stream
        moment = os.fstat(file.fileno()).st_mtime
    text = raw.decode(_MARKS.get(mark, "utf-8"), "replace")
    return len(raw), list(_entries(text, moment, cut=begin > len(mark)))


def _entries(text: str, moment: float, *, cut: bool) -> Iterator[ServerLine]:
    """The entries in `text`; what stands before the first head belongs to an entry that was `cut`, else to none: it has
    the file's time."""
    heads = list(_HEAD.finditer(text))
    first = heads[0].start() if heads else len(text)
    if not cut and (stray := text[:first].strip()):
        yield ServerLine(moment, masked(stray))
    for head, following in zip(heads, [*heads[1:], None], strict=False):
        end = following.start() if following else len(text)
        level = (head[3] or "info").lower()
        entry = text[head.start() : end].replace("\r\n", "\n").rstrip()
        yield ServerLine(_seconds(head[1], head[2], moment), masked(entry), level)


def _seconds(day: str, clock: str, otherwise: float) -> float:
    """Unix seconds of a local time; `otherwise` for one that cannot be."""
    try:
        return datetime.fromisoformat(f"{day} {clock}").timestamp()
    except (ValueError, OverflowError, OSError):
        return otherwise


def _size(folder: Path, most_files: int) -> int | None:
    total, left = 0, most_files
    open_folders = [(str(folder), 0)]
    while open_folders:
        here, depth = open_folders.pop()
        try:
            with os.scandir(here) as found:
                for entry in found:
                    left -= 1
                    if left < 0:
                        return None
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _MOST_DEPTH:
                            open_folders.append((entry.path, depth + 1))
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            if depth == 0:
                return None
    return total
