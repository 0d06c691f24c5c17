"""TLS, a path in front of the API, and proxies, with real sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from authority import authority_file, server_context

from lmdeck.backend import http
from lmdeck.backend.errors import Unreachable
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.token import Token

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"models":[]}'


class Served:
    """What a server on loopback was asked: the heads of the requests."""

    def __init__(self) -> None:
        self.port = 0
        self.heads: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other with an empty list of models."""
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode())
                writer.write(ANSWER)
                await writer.drain()


@asynccontextmanager
async def serving(*, tls: bool, tunnel_to: int | None = None) -> AsyncIterator[Served]:
    """A server; with `tunnel_to` a proxy whose CONNECT always leads to that port on loopback."""
    served, tunnels = Served(), set[asyncio.Task[None]]()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        there, back = await asyncio.open_connection("127.0.0.1", tunnel_to)
        served.writers += [writer, back]
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tunnels.update(asyncio.create_task(_copy(*pair)) for pair in ((reader, back), (there, writer)))

    context = server_context() if tls else None
    handler = served.answer if tunnel_to is None else proxy
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in tunnels:
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)
        for writer in served.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in served.writers), return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(2**16):
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def studio(url: str, ca_file: str | None = None) -> AsyncIterator[LMStudio]:
    client = LMStudio(url, Token("sk-secret"), ca_file=ca_file)
    try:
        yield client
    finally:
        await client.close()


async def failure(url: str, ca_file: str | None = None) -> str:
    async with studio(url, ca_file) as client:
        with pytest.raises(Unreachable) as caught:
            await client.models()
    return caught.value.problem.title


@pytest.fixture
def ca(tmp_path: Path) -> str:
    return authority_file(tmp_path)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """No pauses between tries, and no proxies but those that a test sets."""
    monkeypatch.setattr(http, "RETRY_AFTER_S", (0.0, 0.0))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch.setenv


async def test_a_private_authority_is_trusted_only_where_its_file_is_named(ca):
    async with serving(tls=True) as served:
        url = f"https://127.0.0.1:{served.port}"
        assert (await failure(url)).startswith("down: TLS: ")
        assert served.heads == []
        async with studio(url, ca) as client:
            assert await client.models() == ()
        assert "authorization: Bearer sk-secret" in served.heads[0].replace("Authorization", "authorization")


async def test_a_certificate_for_another_name_is_refused(ca):
    async with serving(tls=True) as served:
        assert "TLS: Hostname mismatch" in await failure(f"https://localhost:{served.port}", ca)


async def test_a_path_in_front_of_the_api_stays_there(ca):
    async with serving(tls=True) as served, studio(f"https://127.0.0.1:{served.port}/ai/lms/", ca) as client:
        await client.models()
        assert served.heads[0].startswith("GET /ai/lms/api/v1/models HTTP/1.1\r\n")


async def test_a_file_without_certificates_is_told_in_words(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    assert "empty.pem: no PEM certificates" in await failure("https://127.0.0.1:1", str(empty))
    assert "none.pem: No such file" in await failure("https://127.0.0.1:1", str(tmp_path / "none.pem"))


async def test_a_proxy_of_the_environment_is_asked_for_other_machines(environment):
    async with serving(tls=False) as proxy:
        environment("http_proxy", f"http://127.0.0.1:{proxy.port}")
        async with studio("http://box.test:1234") as client:
            assert await client.models() == ()
        assert proxy.heads[0].startswith("GET http://box.test:1234/api/v1/models HTTP/1.1\r\n")
        environment("no_proxy", "box.test")
        assert "down: " in await failure("http://box.test:1234")
        assert len(proxy.heads) == 1


async def test_a_proxy_sees_nothing_of_what_goes_through_tls(environment, ca):
    async with serving(tls=True) as served, serving(tls=False, tunnel_to=served.port) as proxy:
        environment("https_proxy", f"http://127.0.0.1:{proxy.port}")
        async with studio("https://box.test/lms", ca) as client:
            assert await client.models() == ()
        assert proxy.heads[0].startswith("CONNECT box.test:443 HTTP/1.1\r\n")
        assert "sk-secret" not in "".join(proxy.heads)
        assert served.heads[0].startswith("GET /lms/api/v1/models HTTP/1.1\r\n")
