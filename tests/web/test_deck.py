"""Decks that behave badly, pages that do."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import psutil
import pytest

from lmdeck.web import deck, serving
from lmdeck.web.guard import Guard
from lmdeck.web.serving import WebServer

HELLO = "import sys, time; print('__GANGLION__', flush=True); "
SHOWS = "sys.stdout.buffer.write(b'D\\0\\0\\0\\5there'); sys.stdout.flush(); "
DEAF = HELLO + SHOWS + "time.sleep(600)"
ECHO = HELLO + "sys.stdout.buffer.write(b'D' + sys.stdin.buffer.read(10)[1:]); sys.stdout.flush(); sys.stdin.read()"


@asynccontextmanager
async def served(program: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    guard = Guard("127.0.0.1")
    server = WebServer((sys.executable, "-c", program), guard)
    try:
        url = f"http://127.0.0.1:{await server.open('127.0.0.1', 0)}"
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, headers={"Origin": url}) as http:
            async with http.get(f"{url}/?token={guard.token}") as answer:
                assert answer.status == 200
            yield http, f"{url}/ws"
    finally:
        await server.close()


async def test_a_deck_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deck, "_GRACE_S", 0.01)
    async with served(DEAF) as (http, url), http.ws_connect(url) as page:
        assert await page.receive_bytes(timeout=60) == b"there"
        (process,) = (one for one in psutil.Process().children() if DEAF in one.cmdline())
    assert not process.is_running()


async def test_a_deck_that_fails_ends_its_page() -> None:
    async with served("") as (http, url), http.ws_connect(url) as page:
        assert (await page.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_what_is_no_message_is_ignored() -> None:
    async with served(ECHO) as (http, url), http.ws_connect(url) as page:
        for message in ("", "{}", "[", "[]", "7", '["nothing", 1]', "[[]]"):
            await page.send_str(message)
        await page.send_bytes(b"\0")
        await page.send_json(["ping", "1"])
        assert await page.receive_json(timeout=60) == ["pong", "1"]
        await page.send_json(["stdin", "hello"])
        assert await page.receive_bytes(timeout=60) == b"hello"


async def test_there_are_not_more_decks_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_DECKS", 1)
    monkeypatch.setattr(deck, "_GRACE_S", 0.01)
    async with served(DEAF) as (http, url), http.ws_connect(url) as page:
        assert await page.receive_bytes(timeout=60) == b"there"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url)
        assert refused.value.status == 503
        await page.close()
        async with asyncio.timeout(60):
            while True:
                try:
                    await (await http.ws_connect(url)).close()
                    break
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("value", "cells"),
    [("120", 120), (120, 120), ("", 80), ("²", 80), ("9" * 5000, 80), ("99999", 1000), (-1, 80), (0, 80), (None, 80)],
)
def test_sizes_of_a_page(value: object, cells: int) -> None:
    assert deck._cells(value, 80) == cells
