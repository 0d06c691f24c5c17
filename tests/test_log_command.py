"""`lmdeck log`: what it prints of which stream, filters, JSON, exit codes, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.log_command import main

posix = pytest.mark.skipif(os.name == "nt", reason="Windows runs no shell scripts and knows no SIGTERM")
FILE = """\
[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/chat/completions with body {
  "model": "gemma", "messages": [{"role": "user", "content": "secret"}]
}
[2026-04-17 18:32:18][ERROR] \x1b[2J evil \u202e
[2026-04-17 18:32:19][INFO] Finished streaming response
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No settings, no `lms` and no log files of this machine's user."""
    for name in ("LMDECK_LMS", "LMDECK_CONFIG", "LMDECK_URL", "LM_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


@pytest.fixture
def log_file(home: Path) -> None:
    """One of LM Studio's log files."""
    folder = home / ".lmstudio" / "server-logs" / "2026-04"
    folder.mkdir(parents=True)
    (folder / "2026-04-17.1.log").write_text(FILE, encoding="utf-8")


@pytest.fixture
def fake_lms(home: Path) -> Callable[[str], str]:
    """A script in place of `lms`, which runs the given Python with the arguments of `lms`."""

    def make(arguments: str) -> str:
        path = home / "lms"
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -m lmdeck demo-log {arguments} --as-lms "$@"\n')
        path.chmod(0o755)
        return str(path)

    return make


class Running:
    """An `lmdeck log` under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def lines(self, wanted: int) -> list[str]:
        """The next lines of stdout."""
        assert self.process.stdout
        async with asyncio.timeout(30):
            return [(await self.process.stdout.readline()).decode().rstrip("\n") for _ in range(wanted)]

    async def until(self, words: str) -> str:
        """The first line of stdout with these words."""
        async with asyncio.timeout(30):
            while True:
                (line,) = await self.lines(1)
                assert line, "it ended"
                if words in line:
                    return line

    async def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it by a signal; answers its exit code and stderr."""
        self.process.send_signal(number)
        _, said = await asyncio.wait_for(self.process.communicate(), 20)
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


@asynccontextmanager
async def running(endpoint: DemoEndpoint, *arguments: str, lms: str | None = None) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lmdeck", "log", "--url", endpoint.url, "--lms", lms or endpoint.lms, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=2**26,
        env=os.environ | {"LM_API_TOKEN": endpoint.token},
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ask(endpoint: DemoEndpoint) -> None:
    """Have it answer again and again: the streams need a moment to listen."""
    headers = {"authorization": f"Bearer {endpoint.token}"}
    body = {"model": "ha-expert", "messages": [{"role": "user", "content": "hello"}], "temperature": 0.5}
    async with httpx.AsyncClient(base_url=endpoint.url, headers=headers, timeout=20, trust_env=False) as client:
        while True:
            (await client.post("/v1/chat/completions", json=body)).raise_for_status()


@asynccontextmanager
async def asking(endpoint: DemoEndpoint) -> AsyncIterator[None]:
    task = asyncio.create_task(ask(endpoint))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@posix
async def test_the_streams_of_a_server_until_ctrl_c(scripted_server):
    async with running(scripted_server) as log, asking(scripted_server):
        output = await log.until("tok/s")
        assert "TTFT 0." in output
        assert " model " in output
        assert "ha-expert" in output
        assert "temperature=0.5" in await log.until("POST /v1/chat/completions")
        code, said = await log.end()
    assert (code, said) == (0, "")


@posix
async def test_json_by_source_and_filter(scripted_server):
    async with (
        running(scripted_server, "--json", "--source", "model", "--filter", "stop:eos tps>0 -nowhere") as log,
        asking(scripted_server),
    ):
        lines = [json.loads(line) for line in await log.lines(7)]
        assert await log.end() == (0, "")
    if lines[0]["type"] == "output":  # listening began in between
        del lines[0]
    assert [line["type"] for line in lines[:6]] == ["input", "output"] * 3  # all lines of an exchange
    asked, answered = lines[:2]
    assert asked["text"].startswith("<|im_start|>user")
    assert (answered["v"], answered["source"], answered["instance_id"]) == (1, "model", "ha-expert")
    assert answered["stats"]["stop_reason"] == "eosFound"
    assert answered["stats"]["tokens_per_second"] > 0
    assert answered["text"]


@posix
async def test_a_filter_that_asks_for_the_exchange_of_a_line(scripted_server, fake_lms):
    """A server line names no model: the prompt that was made of the request tells it."""
    lms = fake_lms("--rate 200 --shape parallel --seed 1")
    async with running(scripted_server, "--source", "server", "--filter", "model:devstral", "--json", lms=lms) as log:
        for line in await log.lines(8):
            found = json.loads(line)
            assert found["source"] == "server"
            assert '"model": "mistralai/devstral-small-2-2512"' in found["text"]
        assert (await log.end())[0] == 0


@posix
@pytest.mark.parametrize("form", ["text", "json"])
async def test_totals_at_the_end(scripted_server, fake_lms, form):
    lms = fake_lms("--rate 0 --shape flood --count 100")
    options = ["--json"] if form == "json" else []
    async with running(scripted_server, "--stats", *options, lms=lms) as log:
        await log.lines(100)
        log.process.send_signal(signal.SIGINT)
        everything, one, *_ = (await asyncio.wait_for(log.process.stdout.read(), 20)).decode().splitlines()
        assert await log.process.wait() == 0
    if form == "text":
        assert everything.startswith("all models  50 requests  ")
        assert re.search(r"  \d+\.\d tok/s \(p95 \d+\.\d tok/s\)  TTFT 0\.0\d s \(p95 0\.0\d s\)  ", everything)
        return
    found = json.loads(everything)
    assert (found["v"], found["type"], found["instance_id"], found["requests"]) == (1, "statistics", None, 50)
    assert found["speed"]["count"] > 40
    assert json.loads(one)["instance_id"]


@posix
async def test_hostile_lines_are_printed_safely(scripted_server, fake_lms):
    lms = fake_lms("--rate 0 --shape hostile --count 80")
    async with running(scripted_server, lms=lms) as log:
        lines = await log.lines(60)
        assert (await log.end())[0] == 0
    assert all(line.isprintable() for line in lines)
    assert any("not json at all" in line for line in lines)
    assert any("[bold red]x[/]" in line for line in lines)
    assert max(map(len, lines)) < 1000


@posix
async def test_ten_megabytes_in_one_json_line(scripted_server, fake_lms):
    lms = fake_lms("--rate 0 --shape hostile --count 80")
    async with running(scripted_server, "--json", "--filter", "model:big", lms=lms) as log:
        (line,) = await log.lines(1)
        assert len(json.loads(line)["text"]) == 10_000_000
        assert (await log.end(signal.SIGTERM))[0] == 0


@posix
async def test_the_order_is_that_of_time(scripted_server, fake_lms):
    async with running(scripted_server, "--json", lms=fake_lms("--rate 400 --shape mixed --count 300")) as log:
        moments = [json.loads(line)["at"] for line in await log.lines(200)]
        assert (await log.end())[0] == 0
    late = sum(after < before - 0.3 for before, after in pairwise(moments))
    assert late == 0


@posix
async def test_a_reader_that_has_seen_enough_and_no_process_left(scripted_server, fake_lms, home):
    lms = fake_lms("--rate 0 --shape flood --seed 4242")
    async with running(scripted_server, lms=lms) as log:
        assert log.process.stdout
        await log.lines(3)
        log.process.stdout._transport.close()
        assert await asyncio.wait_for(log.process.stderr.read(), 20) == b""
        assert await log.process.wait() == 0
    commands = [process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])]
    assert not [each for each in commands if "--seed" in each and "4242" in each]


@posix
async def test_a_stream_that_ends_is_told_on_stderr_and_begun_again(scripted_server, home):
    path = home / "lms"
    path.write_text('#!/bin/sh\necho \'Error: gone\' >&2\necho \'{"data":{"type":"server.log","content":"x"}}\'\n')
    path.chmod(0o755)
    async with running(scripted_server, "--source", "server", lms=str(path)) as log:
        assert [line[-1] for line in await log.lines(3)] == ["x"] * 3
        code, said = await log.end()
    assert code == 0
    assert "lmdeck log: log stream (server) ended: Error: gone; again in 0.5 s" in said.splitlines()


def test_the_end_of_lm_studios_files(log_file, capsys):
    assert main(["--no-follow"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    request, evil, last = out.splitlines()
    assert request.startswith("18:32:17 server  → POST /v1/chat/completions")
    assert "secret" not in request
    assert evil.startswith("18:32:18 server  ✗ ")
    assert "␛[2J evil" in evil
    assert last == "18:32:19 server  · Finished streaming response"


def test_the_last_that_pass_as_json(log_file, capsys):
    assert main(["--no-follow", "--json", "--last", "1", "--filter", "-level:error re:re[cq]"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert (found["type"], found["level"], found["source"]) == ("server", "debug", "server")
    assert found["text"] == FILE[: FILE.index("\n[2026-04-17 18:32:18]")]
    assert set(found) == {"v", "type", "at", "source", "level", "text"}
    assert main(["--no-follow", "--json", "--hide-text", "--filter", "POST"]) == 0
    out = capsys.readouterr().out
    assert "secret" not in out
    assert json.loads(out)["text"].endswith("POST to /v1/chat/completions with body")
    assert main(["--no-follow", "--source", "model", "runtime"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--no-follow"], 1, "no log files in"),
        (["--no-follow", "--url", "http://gpubox:1234"], 2, "not of http://gpubox:1234"),
        (["--last", "-1"], 2, "--last is a number of entries"),
        (["--filter", "tps<fast"], 2, "--filter: tps is compared with a number"),
        (["--source", "audit"], 2, "invalid choice"),
        (["--config", "/absent.toml"], 2, "does not exist"),
        (["--lms", "/absent/lms", "--url", "http://127.0.0.1:9"], 3, "down: "),
    ],
)
def test_what_cannot_be_done(arguments, code, words, capsys):
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_without_lms_the_next_step_is_told(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert main([]) == 1
    assert "npx lmstudio install-cli" in capsys.readouterr().err


def test_a_token_that_is_not_accepted(scripted_server, capsys, monkeypatch):
    monkeypatch.setenv("LM_API_TOKEN", "sk-lm-wrong")
    assert main(["--url", scripted_server.url, "--lms", scripted_server.lms]) == 4
    err = capsys.readouterr().err
    assert "401: token not accepted" in err
    assert "sk-lm-wrong" not in err


def test_no_screen_is_loaded(log_file):
    code = (
        "import sys; from lmdeck.cli import main; "
        "code = main(['log', '--no-follow']); print(code, *sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    code, *modules = ran.stderr.split()
    assert code == "0"
    assert "\x1b" not in ran.stdout
    assert not {*modules} & {"textual", "httpx", "psutil", "pynvml", "sqlite3"}
