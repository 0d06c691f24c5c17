"""`lmdeck exporter` from outside: its words, its exit codes, its page."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from scrape import Scrape

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.exporter import command
from lmdeck.exporter.command import main
from lmdeck.plain.address import Address

posix = pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGTERM")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no `lms` of this machine's user."""
    for name in ("LMDECK_LMS", "LMDECK_CONFIG", "LMDECK_URL", "LM_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([]) == 1
    assert 'pip install "lmdeck[exporter]"' in capsys.readouterr().err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--listen", f"127.0.0.1:{port}", "--url", "http://127.0.0.1:9", "--no-gpu"]) == 1
    assert f"cannot listen on 127.0.0.1:{port}: " in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gpu-box"])
def test_an_open_door_is_named(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    command._announce(Address(host, 9464), "http://127.0.0.1:1234")
    assert "no token protects it" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_no_open_door(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    command._announce(Address(host, 9464), "http://127.0.0.1:1234")
    said = capsys.readouterr().err
    assert said == f"lmdeck exporter: serving http://{Address(host, 9464)}/metrics of http://127.0.0.1:1234\n"


class Running:
    """An exporter under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.page = ""

    async def said(self) -> str:
        """Its next line on stderr."""
        assert self.process.stderr
        async with asyncio.timeout(60):
            return (await self.process.stderr.readline()).decode()

    async def scrape_until(self, name: str, value: float) -> Scrape:
        """Scrape until this metric has this value."""
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as http:
            while True:
                scrape = Scrape((await http.get(self.page)).text)
                if scrape(name) == value:
                    return scrape
                await asyncio.sleep(0.05)


@asynccontextmanager
async def exporting(*arguments: str, token: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lmdeck", "exporter", "--listen", "127.0.0.1:0", "--no-gpu", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"LM_API_TOKEN": token},
    )
    try:
        running = Running(process)
        while "serving " not in (line := await running.said()):
            assert line, "it ended"
        running.page = line.split()[3]
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@posix
async def test_a_server_is_scraped_until_it_is_told_to_end(scripted_server: DemoEndpoint) -> None:
    arguments = ("--url", scripted_server.url, "--lms", scripted_server.lms)
    async with exporting(*arguments, token=scripted_server.token) as exporter:
        scrape = await exporter.scrape_until("up", 1)
        assert (scrape("models") or 0) > 0
        assert scrape("source_up", source="lms") is not None
        assert scripted_server.token not in scrape.page
        exporter.process.send_signal(signal.SIGTERM)
        out, said = await asyncio.wait_for(exporter.process.communicate(), 60)
        assert (exporter.process.returncode, out, said) == (0, b"", b"")


@posix
async def test_a_server_that_is_not_there_is_a_metric_and_no_end() -> None:
    async with exporting("--url", "http://127.0.0.1:9", token="secret-token") as exporter:
        assert "connection refused" in await exporter.said()
        scrape = await exporter.scrape_until("up", 0)
        assert "lmstudio_models" not in scrape.names()
        exporter.process.send_signal(signal.SIGINT)
        _, said = await asyncio.wait_for(exporter.process.communicate(), 60)
        assert exporter.process.returncode == 0
        assert b"secret-token" not in said
