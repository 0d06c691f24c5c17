"""LM Studio's log files: their last entries with their own times, whatever is in them, and how much there is."""

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from lmdeck.backend.logfiles import folder_size, tail_of_logs
from lmdeck.model.log import LogEntry, ServerLine

LOG = """\
[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/chat/completions with body {
  "model": "gemma",
  "stream": true
}
[2026-04-17 18:32:18][INFO][gemma] Generated prediction: {}
[2026-04-17 18:32:19][WARN] häßlich \x1b[2J
[2026-04-17 18:32:20] no level
[2026-04-17 18:32:21][ERROR]
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a log file, older ones first."""
    written: list[Path] = []

    def make(text: str | bytes = LOG, name: str = "2026-04-17.1.log", month: str = "2026-04") -> Path:
        path = tmp_path / "server-logs" / month / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        written.append(path)
        os.utime(path, (1e9 + len(written), 1e9 + len(written)))
        return path

    return make


def at(clock: str, day: str = "2026-04-17") -> float:
    return time.mktime(time.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S"))


def texts(entries: tuple[LogEntry, ...]) -> list[str]:
    return [entry.text for entry in entries]


async def tail(tmp_path: Path, *limits: int) -> tuple[LogEntry, ...]:
    return await tail_of_logs(tmp_path / "server-logs", *limits)


async def test_entries_with_their_own_times_and_levels(write, tmp_path):
    write(LOG)
    first, *others = await tail(tmp_path)
    assert first == ServerLine(at("18:32:17"), LOG[: LOG.index("\n[2026-04-17 18:32:18")], "debug")
    assert [(each.at, each.level) for each in others] == [
        (at("18:32:18"), "info"), (at("18:32:19"), "warn"), (at("18:32:20"), "info"), (at("18:32:21"), "error"),
    ]  # fmt: skip
    assert others[1].text == "[2026-04-17 18:32:19][WARN] häßlich \x1b[2J"
    assert {each.source for each in others} == {"server"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("most", [10**6, 400, 401, 402, 403])
async def test_encodings_and_line_ends(write, tmp_path, encoding, ends, most):
    write(LOG.replace("\n", ends).encode(encoding))
    found = texts(await tail(tmp_path, most))
    assert found[-3:] == LOG.splitlines()[-3:]
    assert len(found) == 5 or most < 10**6


async def test_bytes_that_are_no_text(write, tmp_path):
    write(b"[2026-04-17 18:32:17][INFO] a\xff\xfeb\0c\n\x80\n")
    assert texts(await tail(tmp_path)) == ["[2026-04-17 18:32:17][INFO] a��b\0c\n�"]


@pytest.mark.parametrize("most", range(len(LOG.encode()) + 3))
async def test_wherever_the_tail_begins_its_entries_are_whole(write, tmp_path, most):
    write(LOG)
    whole = await tail(tmp_path)
    found = await tail(tmp_path, most)
    assert found == whole[len(whole) - len(found) :]
    assert sum(len(each.text.encode()) for each in found) <= most


async def test_only_so_many_entries(write, tmp_path):
    write(LOG * 100)
    assert len(await tail(tmp_path)) == 500
    assert [each.at for each in await tail(tmp_path, 10**6, 2)] == [at("18:32:20"), at("18:32:21")]
    assert await tail(tmp_path, 10**6, 0) == ()


async def test_the_newest_files_of_the_newest_month(write, tmp_path):
    write("[2026-03-31 23:00:00][INFO] march", "2026-03-31.1.log", "2026-03")
    write("[2026-04-01 09:00:00][INFO] one", "2026-04-01.9.log")
    write("[2026-04-01 10:00:00][INFO] two", "2026-04-01.10.log")
    write("[2026-04-02 00:00:00][INFO] three", "2026-04-02.1.log")
    write("[2026-04-02 00:00:00][INFO] no log", "notes.txt")
    (tmp_path / "server-logs" / "2026-05").mkdir()
    (tmp_path / "server-logs" / "2026-04" / "folder.log").mkdir()
    assert [text.split()[-1] for text in texts(await tail(tmp_path))] == ["one", "two", "three"]
    assert [text.split()[-1] for text in texts(await tail(tmp_path, 10))] == []
    assert [text.split()[-1] for text in texts(await tail(tmp_path, 40))] == ["three"]


async def test_text_before_any_head_is_kept_with_the_files_time(write, tmp_path):
    write("no log at all\nreally")
    assert await tail(tmp_path) == (ServerLine(1e9 + 1, "no log at all\nreally"),)
    write("prefix\n" + LOG, "b.log")
    assert texts(await tail(tmp_path))[:2] == ["no log at all\nreally", "prefix"]


@pytest.mark.parametrize("head", ["[2026-13-40 18:32:17]", "[2026-04-17 25:61:00]", "[0000-01-01 00:00:00]"])
async def test_times_that_cannot_be_are_the_files(write, tmp_path, head):
    write(f"{head}[INFO] x")
    assert await tail(tmp_path) == (ServerLine(1e9 + 1, f"{head}[INFO] x"),)


async def test_nothing_there(tmp_path, write):
    assert await tail(tmp_path) == ()
    (tmp_path / "server-logs").mkdir()
    assert await tail(tmp_path) == ()
    write("")
    assert await tail(tmp_path) == ()
    assert await tail_of_logs(tmp_path / "server-logs" / "2026-04" / "2026-04-17.1.log") == ()


async def test_a_large_file_costs_its_tail_only(write, tmp_path):
    path = write("[2026-04-17 18:32:17][INFO] start\n")
    with path.open("r+b") as file:
        file.seek(2**33)  # sparse: 8 GiB of nothing in between
        file.write(b"\n[2026-04-17 18:32:18][INFO] end\n")
    began = datetime.now()
    assert texts(await tail(tmp_path)) == ["[2026-04-17 18:32:18][INFO] end"]
    assert await folder_size(tmp_path) > 2**33
    assert (datetime.now() - began).total_seconds() < 2


async def test_the_size_of_the_folder(write, tmp_path):
    assert await folder_size(tmp_path / "absent") is None
    folder = tmp_path / "server-logs"
    folder.mkdir()
    assert await folder_size(folder) == 0
    write(b"x" * 100)
    write(b"y" * 20, "b.log", "2026-05")
    assert await folder_size(folder) == 120
    assert await folder_size(folder, 4) == 120
    assert await folder_size(folder, 3) is None
    if hasattr(os, "symlink") and os.name != "nt":
        (folder / "loop").symlink_to(folder)
        assert 120 <= (await folder_size(folder) or 0) < 10_000
