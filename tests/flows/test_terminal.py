"""The real program in a real pseudo-terminal, on the real engine: what `make demo` opens."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from terminal import Terminal

from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.launch import DemoEndpoint

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals in Python")

DECK = (sys.executable, "-m", "lmdeck")
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Opens a program in a terminal, and closes all of them at the end."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, size: tuple[int, int] = (120, 40), **env: str) -> Terminal:
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        opened.append(Terminal([*DECK, *arguments], size, home | env))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def environment(endpoint: DemoEndpoint) -> dict[str, str]:
    return {"LMDECK_URL": endpoint.url, "LM_API_TOKEN": endpoint.token, "LMDECK_LMS": endpoint.lms}


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


def test_the_whole_demo_by_hand(start: Start) -> None:
    deck = start("--demo")
    deck.wait_for("smollm2-135m-instruct", timeout=60)
    deck.wait_for("simulated")
    deck.press("2", "l")
    deck.wait_for("Context length")
    deck.press("2048", "enter")
    deck.wait_for(r"Loaded 1", timeout=60)
    deck.wait_for(r"○ idle\s+2048")
    family = deck.family()
    assert len(family) > 4  # the server, the engine's worker, three log streams

    deck.press("5")
    deck.wait_for("━ Chat")
    deck.press("Say hello in five words.", "enter")
    deck.wait_for(r"\d+→\d+ tok · [\d.]+ tok/s", timeout=60)
    deck.wait_for(r"← smollm2-135m-instruct\s.*[\d.]+ tok/s", timeout=20)  # a long stop reason takes room

    deck.press("esc")
    deck.wait_for("━ Loaded 1")
    deck.press("u")
    deck.wait_for("no model is loaded", timeout=20)
    deck.press("q")
    assert deck.wait_exit() == 0
    assert_all_gone(family)
    assert deck.raw.endswith(b"\x1b[?25h") or b"\x1b[?1049l" in deck.raw[-2000:]  # the terminal is given back


@pytest.mark.parametrize("sign", ["TERM", "HUP", "KILL"])
def test_nothing_is_left_when_the_deck_is_killed(start: Start, sign: str) -> None:
    deck = start("--demo", "--engine", "scripted")
    deck.wait_for("qwen3-coder-30b", timeout=30)
    deck.wait_until(lambda _: len(deck.family()) >= 5, "server and three log streams")
    family = deck.family()
    subprocess.run(["kill", f"-{sign}", str(deck.pid)], check=True)
    deck.wait_exit()
    assert_all_gone(family)


def test_the_token_is_nowhere_to_be_seen(start: Start, scripted_server: DemoEndpoint) -> None:
    deck = start(**environment(scripted_server))
    deck.wait_for("qwen3-coder-30b", timeout=30)
    deck.wait_until(lambda _: len(deck.family()) >= 4, "three log streams")
    secret = scripted_server.token.split(":")[1]
    for process in deck.family():
        assert secret not in " ".join(process.cmdline())
    deck.press("q")
    deck.wait_exit()
    assert secret.encode() not in bytes(deck.raw)


@pytest.mark.parametrize(
    "env", [{"NO_COLOR": "1"}, {"TERM": "xterm", "COLORTERM": ""}, {"TERM": "dumb"}], ids=["no-colour", "16", "dumb"]
)
def test_it_works_in_plain_terminals(start: Start, scripted_server: DemoEndpoint, env: dict[str, str]) -> None:
    deck = start(size=(80, 24), **environment(scripted_server), **env)
    deck.wait_for("no model is loaded", timeout=30)
    deck.press("2")
    deck.wait_for("qwen3-coder-30b")
    if "NO_COLOR" in env:
        assert not re.search(rb"\x1b\[[0-9;]*(?:[34]8;[25];|[39][0-7]m|4[0-7]m)", bytes(deck.raw))
    deck.press("q")
    assert deck.wait_exit() == 0


def test_it_follows_the_terminals_size(start: Start, scripted_server: DemoEndpoint) -> None:
    deck = start(size=(160, 45), **environment(scripted_server))
    deck.wait_for("Available 7", timeout=30)
    deck.resize(80, 24)
    deck.wait_for("1 Loaded .* 5 Chat")
    deck.wait_gone("Available 7")
    deck.resize(200, 60)
    deck.wait_for("Available 7")
    deck.press("q")
    assert deck.wait_exit() == 0


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program without a terminal."""
    return subprocess.run([*DECK, *arguments], capture_output=True, text=True, env=os.environ | env, timeout=60)


def test_without_a_terminal_there_is_a_hint_and_no_escape_code() -> None:
    done = run()
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_wrong_usage_and_wrong_settings_exit_with_2(tmp_path: Path) -> None:
    assert run("--nonsense").returncode == 2
    config = tmp_path / "config.toml"
    config.write_text('ulr = "http://x"\n')
    done = run("--config", str(config))
    assert done.returncode == 2
    assert "url" in done.stderr


def test_an_unknown_theme_is_named_with_the_known_ones(start: Start) -> None:
    deck = start("--theme", "nonsense")
    assert deck.wait_exit() == 2
    assert "lmdeck-light" in deck.text()


def test_estimate_answers_without_the_screen() -> None:
    model = find_model(None)
    assert model is not None
    done = run("estimate", str(model), "--context", "8192", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["kv_bytes"] == 180 * 2**20
    assert run("estimate", __file__).returncode == 1


def test_version() -> None:
    assert re.fullmatch(r"lmdeck \d+\.\d+\.\d+\n", run("--version").stdout)


def test_the_demo_server_alone_says_where_it_is() -> None:
    command = [*DECK, "demo-server", "--engine", "scripted", "--parent-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        said = json.loads(server.stdout.readline())
        assert set(said) == {"url", "token", "lms", "models"}
        server.stdin.close()
        assert server.wait(10) == 0
