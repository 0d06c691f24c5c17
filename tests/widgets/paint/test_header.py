"""The header line."""

import pytest

from lmdeck.model.problem import Problem
from lmdeck.model.server import ServerStatus
from lmdeck.widgets.paint.header import header_line

URL = "http://127.0.0.1:1234"
RUNTIME = "llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0"
BUSY = ServerStatus(URL, 0.0042, None, RUNTIME, "token", loaded=2, busy=1, speed=41.24)


def test_everything_where_there_is_room() -> None:
    line = header_line(BUSY, 160, "23:14").plain
    assert line.startswith(f"lmdeck  {URL} ● 4 ms   {RUNTIME}   2 loaded · 1 busy   41.2 tok/s   token ✓")
    assert line.endswith(" 23:14")
    assert len(line) == 160


@pytest.mark.parametrize("width", [1, 20, 60, 80, 100, 120, 200])
def test_it_never_outgrows_the_line(width: int) -> None:
    assert header_line(BUSY, width, "23:14").cell_length <= width


def test_the_runtime_keeps_its_start_and_its_version() -> None:
    line = header_line(BUSY, 110, "23:14").plain
    assert "llama.cpp" in line
    assert "@2.3.0" in line
    assert RUNTIME not in line


def test_a_server_that_is_away_says_why() -> None:
    line = header_line(ServerStatus(URL, problem=Problem("down: connection refused"), loaded=2), 120, "23:14").plain
    assert "✗ down: connection refused" in line
    assert "loaded" not in line


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ServerStatus(URL), "◌ connecting"),
        (ServerStatus(URL, auth="refused"), "token ✗"),
        (ServerStatus(URL), "no token"),
        (ServerStatus(URL, read_only=True), "read-only"),
        (ServerStatus("http://x\x1b[2J"), "␛[2J"),
    ],
)
def test_states_in_words(status: ServerStatus, words: str) -> None:
    assert words in header_line(status, 120, "23:14").plain
