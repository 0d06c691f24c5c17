"""`lmdeck web` from outside: its address, who is let in, the deck in a real browser, and what stays when it ends."""

import asyncio
import os
import re
import signal
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest
from browser import CHROMIUM, chromium

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.plain.address import Address
from lmdeck.web import command
from lmdeck.web.command import deck_arguments, main

posix = pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGTERM")
LM_TOKEN = "lm-studio-secret"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no `lms` of this machine's user."""
    for name in ("LMDECK_LMS", "LMDECK_CONFIG", "LMDECK_URL", "LM_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "LMDECK_DATA"):
        monkeypatch.setenv(name, str(tmp_path))


def test_without_the_extra_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([]) == 1
    assert 'pip install "lmdeck[web]"' in capsys.readouterr().err


def test_wrong_settings_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--profile", "nobody", "--listen", "127.0.0.1:0"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--listen", f"127.0.0.1:{port}"]) == 1
    out, said = capsys.readouterr()
    assert f"cannot listen on 127.0.0.1:{port}: " in said
    assert not out


@pytest.mark.parametrize(
    ("at", "names", "shown", "open_door"),
    [
        (Address("127.0.0.1", 80), [], "http://127.0.0.1:80/?token=T\n", False),
        (Address("::1", 80), [], "http://[::1]:80/?token=T\n", False),
        (Address("0.0.0.0", 80), [], "http://127.0.0.1:80/?token=T\n", True),
        (Address("0.0.0.0", 80), ["gpubox"], "http://gpubox:80/?token=T\n", True),
        (Address("192.0.2.1", 80), [], "http://192.0.2.1:80/?token=T\n", True),
    ],
)
def test_the_address_goes_to_stdout_and_an_open_door_is_named(
    at: Address, names: list[str], shown: str, open_door: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    command._announce(at, names, "T")
    out, said = capsys.readouterr()
    assert out == shown
    assert ("not encrypted" in said) is open_door
    assert "token=" not in said


def test_the_deck_gets_the_same_settings() -> None:
    options = Namespace(url="http://box", profile=None, lms=None, config="-c", read_only=True, gpu=False)
    assert deck_arguments(options)[3:] == ["lmdeck", "--url=http://box", "--config=-c", "--read-only", "--no-gpu"]
    options = Namespace(url=None, profile=None, lms=None, config=None, read_only=None, gpu=None)
    assert deck_arguments(options)[3:] == ["lmdeck"]


class Serving:
    """A server under way."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process, self.url = process, url
        self.page, self.token = url.split("?token=")

    async def deck(self) -> psutil.Process:
        """The process of its one deck, when there is one."""
        async with asyncio.timeout(90):
            while not (decks := psutil.Process(self.process.pid).children()):  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.05)
        (deck,) = decks
        return deck


async def gone(process: psutil.Process) -> None:
    """Wait until it has ended."""
    async with asyncio.timeout(90):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(*arguments: str, token: str = LM_TOKEN) -> AsyncIterator[Serving]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lmdeck", "web", "--listen", "127.0.0.1:0", "--no-gpu", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"LM_API_TOKEN": token},
    )
    try:
        assert process.stdout
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", url)
        yield Serving(process, url)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def session(server: Serving) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that was let in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(server.url) as answer:
            assert answer.status == 200
        yield http


@posix
@pytest.mark.parametrize("end", ["the page leaves", "the server is told to end", "the server is killed"])
async def test_a_deck_ends_with_its_page_and_with_the_server(end: str) -> None:
    async with serving("--url", "http://127.0.0.1:9") as server, session(server) as http:
        origin = {"Origin": server.page.rstrip("/")}
        async with http.ws_connect(f"{server.page}ws?width=100&height=30", headers=origin) as page:
            screen = b""
            async with asyncio.timeout(90):
                while b"Available" not in screen:
                    screen += await page.receive_bytes()
            deck = await server.deck()
            assert server.token not in " ".join(deck.cmdline())
            if end == "the server is told to end":
                server.process.send_signal(signal.SIGTERM)
                out, said = await asyncio.wait_for(server.process.communicate(), 60)
                assert (server.process.returncode, out) == (0, b"")
                assert LM_TOKEN.encode() not in said
                assert server.token.encode() not in said
            elif end == "the server is killed":
                server.process.kill()
        await gone(deck)


@posix
@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine; page, guard and decks are checked by plain requests"
)
async def test_the_deck_in_a_browser(scripted_server: DemoEndpoint) -> None:
    arguments = ("--url", scripted_server.url, "--lms", scripted_server.lms)
    async with serving(*arguments, token=scripted_server.token) as server, chromium() as browser:
        await browser.open(server.url)
        shown = await browser.sees("qwen")
        assert "Loaded" in shown
        assert "Available" in shown
        assert await browser.evaluate("location.href") == server.page, "the token is not in the address bar"
        (cookie,) = await browser.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert await browser.evaluate("document.cookie") == ""
        source = await browser.evaluate("document.documentElement.outerHTML")
        for secret in (scripted_server.token, cookie["value"], server.token):
            assert secret not in shown
            assert secret not in source
        elsewhere = [url for url in browser.requests if not re.match(r"(http|ws)://127\.0\.0\.1:\d+/|data:", url)]
        assert not elsewhere

        deck = await server.deck()
        assert "Keys" not in shown
        await browser.press("?")
        await browser.sees("Keys")
        await browser.open(server.url)
        await browser.is_true("document.body.classList.contains('-first-byte')")
        await browser.sees("qwen")
        await gone(deck)

        deck = await server.deck()
        await browser.press("q")
        await browser.is_true("document.body.classList.contains('-closed')")
        await gone(deck)
