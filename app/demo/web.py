"""HTTP odds and ends that the endpoints share: bodies, events, errors by path, clients that leave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Send

from lmdeck.demo.engines.base import EngineError
from lmdeck.demo.errors import ApiError, invalid
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.logs import LogHub

T = TypeVar("T")

MAX_BODY = 64 * 2**20
LOGGED_BODY = 16 * 2**10


async def read_body(request: Request, log: LogHub) -> Json:
    """The request's JSON object; tells the server log as LM Studio's verbose logging does. Raises ApiError 400."""
    path = request.url.path
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise ApiError(413, "invalid_request", "Request body is too large.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        log.server(f"Received request for {path} with invalid JSON: {error}", level="ERROR", tag="LM STUDIO SERVER")
        raise invalid(f"Invalid JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.")
    if log.heard("server"):
        shown = json.dumps(body, indent=2, ensure_ascii=False)
        if len(shown) > LOGGED_BODY:
            shown = f"{shown[:LOGGED_BODY]}… <{len(shown) - LOGGED_BODY} more characters>"
        log.server(f"Received request: {request.method} to {path} with body {shown}", level="DEBUG")
    return body


def event(data: Json) -> bytes:
    """One Server-Sent Event of the native API: its name is the data's `type`."""
    return f"event: {data['type']}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class ClosingStream(StreamingResponse):
    """A streamed response that closes its generator at once when the client leaves, wherever it stands."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(chunks, media_type=media_type, headers={"cache-control": "no-cache"})
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        """Send the chunks, then close."""
        async with aclosing(self._chunks):
            await super().stream_response(send)


def event_stream(chunks: AsyncGenerator[bytes, None]) -> ClosingStream:
    """A Server-Sent Events response; a client that leaves ends `chunks` where it waits."""
    return ClosingStream(chunks, "text/event-stream")


async def unless_gone(request: Request, work: Coroutine[object, object, T]) -> T:
    """The result of `work`, which is cancelled if the client leaves; ClientDisconnect is raised then."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.wait({task, gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def as_api_error(error: Exception) -> ApiError:
    """Any error of this package as the API's."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, FieldError):
        return invalid(str(error), param=error.name, code="invalid_value")
    if isinstance(error, EngineError):
        return ApiError(400 if error.kind == "invalid_request" else 500, error.kind, str(error))
    return ApiError(500, "internal_error", "Internal server error.")


def error_response(request: Request, error: Exception) -> Response:
    """The error in the dialect of the path that was asked."""
    refusal = as_api_error(error)
    path = request.url.path
    if path.startswith("/v1/messages"):
        body = refusal.anthropic()
    elif path.startswith("/v1/"):
        body = refusal.openai()
    else:
        body = refusal.plain() if path.startswith("/api/v0/") else refusal.native()
    return JSONResponse(body, refusal.status)
