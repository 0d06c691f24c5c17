"""Real connections on the loopback: streaming, cancelling, cut streams, and why there is none."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lmdeck.backend import http
from lmdeck.backend.errors import BadReply, NotFound, Refused, StreamCut, TimedOut, Unreachable
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.model.chat import ChatEnded, ChatEvent, ChatRequest, MessageDelta
from lmdeck.model.load import LoadRequest

from .conftest import Handler, raw_server, until

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n"
ASK = ChatRequest("m", "hello")


def sse(kind: str, **data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def whole(status: str, body: bytes, kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def studio(handler: Handler) -> AsyncIterator[LMStudio]:
    async with raw_server(handler) as url:
        client = LMStudio(url)
        try:
            yield client
        finally:
            await client.close()


def answering(*pieces: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return handler


async def collect(client: LMStudio) -> list[ChatEvent]:
    return [event async for event in client.chat(ASK)]


async def test_deltas_arrive_while_the_answer_is_still_being_written():
    go_on = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + sse("message.delta", content="a"))
        await go_on.wait()
        writer.write(sse("chat.end", result={"response_id": "r"}))
        await writer.drain()

    async with studio(handler) as client:
        events = client.chat(ASK)
        assert await anext(events) == MessageDelta("a")
        go_on.set()
        ended = await anext(events)
        assert isinstance(ended, ChatEnded)
        assert ended.response_id == "r"
        with pytest.raises(StopAsyncIteration):
            await anext(events)


@pytest.mark.parametrize("way", ["aclose", "cancel"])
async def test_leaving_the_answer_closes_the_connection(way):
    closed = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + sse("message.delta", content="a"))
        await reader.read()  # the request's body, then the end of the connection
        closed.set()

    async with studio(handler) as client:
        if way == "aclose":
            events = client.chat(ASK)
            await anext(events)
            await events.aclose()
        else:
            task = asyncio.create_task(collect(client))
            await asyncio.wait({task}, timeout=0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize(
    "pieces",
    [
        (STREAM + sse("message.delta", content="a"),),
        (STREAM + sse("message.delta", content="a") + b"event: chat.end\ndata: {",),
        (
            STREAM.replace(b"connection: close", b"transfer-encoding: chunked"),
            b"%x\r\n%s\r\n" % (len(sse("message.delta", content="a")), sse("message.delta", content="a")),
        ),
    ],
    ids=["closed", "half an event", "half a chunk"],
)
async def test_a_stream_without_its_closing_event_is_cut_and_what_came_is_kept(pieces):
    async with studio(answering(*pieces)) as client:
        got: list[ChatEvent] = []

        async def read() -> None:
            async for event in client.chat(ASK):
                got.append(event)

        with pytest.raises(StreamCut):
            await read()
        assert got == [MessageDelta("a")]


async def test_a_chat_that_is_refused_or_answered_with_something_else():
    no_model = whole("400 Bad Request", b'{"error": {"type": "invalid_request", "message": "No models loaded."}}')
    for answer, kind, words in (
        (no_model, Refused, "No models loaded."),
        (whole("200 OK", b'{"error": "Unexpected endpoint or method. (POST /api/v1/chat)"}'), NotFound, "Unexpected"),
        (whole("200 OK", b'{"output": []}'), BadReply, "an event stream was asked for, application/json came"),
        (whole("200 OK", b"<html>", "text/html"), BadReply, "web page"),
    ):
        async with studio(answering(answer)) as client:
            with pytest.raises(kind, match=words):
                await collect(client)


async def test_a_silent_server_times_out_for_reads_but_not_for_a_load(monkeypatch):
    monkeypatch.setattr(http, "READ_S", 0.05)
    may_answer = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        writer.write(whole("200 OK", b'{"instance_id": "m"}'))
        await writer.drain()

    async with studio(handler) as client:
        load = asyncio.create_task(client.load(LoadRequest("m")))
        with pytest.raises(TimedOut, match=r"down: no answer within 0\.05 s"):
            await client.models()
        assert not load.done()
        may_answer.set()
        assert (await load).instance_id == "m"


async def test_a_trickling_server_cannot_hold_a_read_for_ever(monkeypatch):
    monkeypatch.setattr(http, "WHOLE_READ_S", 0.2)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with studio(handler) as client:
        with pytest.raises(TimedOut, match=r"no whole answer within 0\.2 s"):
            await client.models()


async def test_cancelling_a_load_closes_the_connection():
    asked, closed = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        closed.set()

    async with studio(handler) as client:
        task = asyncio.create_task(client.load(LoadRequest("m")))
        await asked.wait()
        task.cancel()
        await asyncio.wait_for(closed.wait(), 5)
        with pytest.raises(asyncio.CancelledError):
            await task


async def _reason(client: LMStudio) -> str:
    try:
        with pytest.raises(Unreachable) as caught:
            await client.models()
    finally:
        await client.close()
    return caught.value.problem.title


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(http, "RETRY_AFTER_S", (0.0, 0.0))


@pytest.mark.usefixtures("no_pauses")
async def test_the_reasons_are_in_words(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert await _reason(LMStudio(f"http://127.0.0.1:{port}")) == "down: connection refused"
    async with studio(answering()) as client:
        assert await _reason(client) == "down: connection closed without an answer"
    async with studio(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{")) as client:
        assert await _reason(client) == "down: connection broke during the answer"
    async with raw_server(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), until=b"\x00") as url:
        assert (await _reason(LMStudio(url.replace("http:", "https:")))).startswith("down: TLS: ")

    def no_such_name(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert await _reason(LMStudio("http://localhost:1")) == "down: name not found"


def test_a_bad_certificate_is_named():
    error = ssl.SSLCertVerificationError(1, "verify failed")
    error.verify_message = "self-signed certificate"
    outer = OSError("All connection attempts failed")
    outer.__cause__ = ExceptionGroup("multiple connection attempts failed", [ConnectionRefusedError(), error])
    assert http._reason(outer) == "TLS: self-signed certificate"


async def test_the_connection_is_used_again():
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            writer.write(whole("200 OK", b'{"models": []}'))
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")

    async with studio(handler) as client:
        for _ in range(3):
            await client.models()
        await until(lambda: connections > 0)
        assert connections == 1
