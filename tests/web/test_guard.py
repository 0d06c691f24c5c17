"""Who is let in: each refusal by a plain request on loopback, with no deck behind it."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie

import aiohttp
import pytest

from lmdeck.web.guard import Guard
from lmdeck.web.serving import WebServer

NO_DECK = (sys.executable, "-c", "")


class Door:
    """A server's door; a request names its own Host and Origin."""

    def __init__(self, http: aiohttp.ClientSession, port: int, token: str) -> None:
        self._http, self.port, self.token = http, port, token
        self.cookie: dict[str, str] = {}

    async def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> int:
        """The status of the answer; redirects are not followed."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._http.request(method, url, headers=headers, allow_redirects=False) as answer:
            self.answer = answer
            self.text = "" if answer.status == 101 or path.endswith(".ttf") else await answer.text()
            return answer.status

    async def enter(self, headers: Mapping[str, str] | None = None) -> None:
        """Exchange the token; `cookie` is a header then."""
        assert await self.ask(f"/?token={self.token}", headers) == 303
        (morsel,) = SimpleCookie(self.answer.headers["Set-Cookie"]).values()
        self.morsel, self.cookie = morsel, {"Cookie": f"{morsel.key}={morsel.value}"}


@asynccontextmanager
async def opened(host: str = "127.0.0.1", *names: str) -> AsyncIterator[Door]:
    guard = Guard(host, names)
    server = WebServer(NO_DECK, guard)
    try:
        port = await server.open("127.0.0.1", 0)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Door(http, port, guard.token)
    finally:
        await server.close()


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def test_nothing_is_served_without_a_session() -> None:
    async with opened() as door:
        for path in ("/", "/static/js/textual.js", "/nowhere", "/?token=", "/?token=%ff%00", "/?token=wrong"):
            assert await door.ask(path) == 401, path
        assert await door.ask("/ws", UPGRADE | {"Origin": f"http://127.0.0.1:{door.port}"}) == 401
        await door.enter()
        name = door.morsel.key
        for forged in (f"{name}=", f"{name}=wrong", f"{name}={door.token}", f"other={door.morsel.value}"):
            assert await door.ask("/", {"Cookie": forged}) == 401, forged


async def test_the_token_is_worth_one_session() -> None:
    async with opened() as door:
        await door.enter()
        assert door.answer.headers["Location"] == "/"
        assert door.morsel["httponly"]
        assert (door.morsel["samesite"], door.morsel["path"], door.morsel["max-age"]) == ("Strict", "/", "")
        assert door.token not in door.morsel.value
        assert await door.ask(f"/?token={door.token}") == 401
        assert "Set-Cookie" not in door.answer.headers
        assert await door.ask(f"/?token={door.token}", door.cookie) == 303, "its own browser only loses it"
        assert await door.ask("/", door.cookie) == 200


async def test_a_look_at_the_address_does_not_spend_the_token() -> None:
    async with opened() as door:
        for method in ("HEAD", "OPTIONS", "POST"):
            assert await door.ask(f"/?token={door.token}", method=method) == 405
        assert await door.ask(f"/?token={door.token}", {"Host": "evil.example"}) == 403
        await door.enter()


@pytest.mark.parametrize(
    ("listen", "names", "host", "status"),
    [
        ("127.0.0.1", (), "127.0.0.1:80", 200),
        ("127.0.0.1", (), "LocalHost:9000", 200),
        ("127.0.0.1", (), "[::1]:80", 200),
        ("127.0.0.1", (), "evil.example", 403),
        ("127.0.0.1", (), "127.0.0.1.evil.example", 403),
        ("127.0.0.1", (), "localhost@evil.example", 403),
        ("127.0.0.1", (), "[::1", 403),
        ("127.0.0.1", (), "192.0.2.7", 403),
        ("127.0.0.1", ("GpuBox",), "gpubox:80", 200),
        ("192.0.2.7", (), "192.0.2.7:80", 200),
        ("0.0.0.0", (), "192.0.2.7:80", 200),
        ("0.0.0.0", (), "evil.example", 403),
    ],
)
async def test_names_of_the_server(listen: str, names: tuple[str, ...], host: str, status: int) -> None:
    async with opened(listen, *names) as door:
        await door.enter()
        assert await door.ask("/", door.cookie | {"Host": host}) == status


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "http://localhost:{port}"]
)
async def test_a_foreign_page_gets_no_socket(origin: str | None) -> None:
    async with opened() as door:
        await door.enter()
        named = {} if origin is None else {"Origin": origin.format(port=door.port)}
        assert await door.ask("/ws", door.cookie | UPGRADE | named) == 403
        assert await door.ask("/ws", door.cookie | UPGRADE | {"Origin": f"http://127.0.0.1:{door.port}"}) == 101


async def test_the_page_names_nothing_from_elsewhere() -> None:
    async with opened() as door:
        await door.enter()
        assert await door.ask("/", door.cookie) == 200
        assert f'"ws://127.0.0.1:{door.port}/ws"' in door.text
        assert door.text.count("://") == 1
        for path in (
            "/static/js/textual.js",
            "/static/css/xterm.css",
            "/static/fonts/RobotoMono-VariableFont_wght.ttf",
        ):
            assert path in door.text
        assert door.answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in door.answer.headers["Content-Security-Policy"]
        assert await door.ask("/static/js/textual.js", door.cookie) == 200
        assert await door.ask("/static/", door.cookie) == 403, "no listing"
        assert await door.ask("/static/..%2f..%2fpyproject.toml", door.cookie) in (403, 404)
