"""What stands before every request: the token, and the scripted HTTP faults."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lmdeck.demo.errors import ApiError
from lmdeck.demo.faults import Faults
from lmdeck.demo.logs import LogHub
from lmdeck.demo.web import error_response

GREETING = "/lmstudio-greeting"
NO_TOKEN = (
    "An LM Studio API token is required to make requests to this server, but none was provided using the Authorization "
    "header using the 'Bearer' scheme (i.e., 'Authorization: Bearer $LM_API_TOKEN'). Learn more at: "
    "https://lmstudio.ai/docs/developer/core/authentication."
)
BAD_TOKEN = "The LM Studio API token provided is not valid."
PROXY_PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class TokenGuard:
    """Lets in who knows the token: `Authorization: Bearer`, or `x-api-key` for Anthropic's clients. No `token`, no
    guard. The greeting is open, as LM Studio's is."""

    def __init__(self, app: ASGIApp, token: str, faults: Faults, log: LogHub) -> None:
        self._app, self._token, self._faults, self._log = app, token, faults, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        refusal = self._refusal(request)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        self._log.server(f"{request.method} {request.url.path}: {refusal.message}", level="ERROR")
        await error_response(request, refusal)(scope, receive, send)

    def _refusal(self, request: Request) -> ApiError | None:
        path = request.url.path
        if path == GREETING:
            return None
        private = path.startswith("/demo/")
        if not private and self._faults.take("unauthorized", path):
            return ApiError(401, "invalid_request", BAD_TOKEN, code="invalid_api_key")
        if not self._token:
            return None
        given = _tokens(request)
        if any(hmac.compare_digest(each.encode(), self._token.encode()) for each in given):
            return None
        return ApiError(401, "invalid_request", BAD_TOKEN if given else NO_TOKEN, code="invalid_api_key")


def _tokens(request: Request) -> list[str]:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    tokens = [bearer.strip()] if scheme.lower() == "bearer" and bearer.strip() else []
    if request.url.path.startswith("/v1/messages") and (key := request.headers.get("x-api-key")):
        tokens.append(key)
    return tokens


class FaultGuard:
    """Spoils answers as the active faults say; `/demo` and the greeting stay sound."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == GREETING or path.startswith("/demo/"):
            await self._app(scope, receive, send)
            return
        take = self._faults.take
        instead: Response | None = None
        if take("hang", path):
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if take("http_500", path):
            failure = ApiError(500, "internal_error", "Scripted fault: something went wrong inside the server.")
            instead = JSONResponse(failure.native(), failure.status)
        elif take("html", path):
            instead = HTMLResponse(PROXY_PAGE)
        if instead is not None:
            await instead(scope, receive, send)
            return
        await self._app(scope, receive, self._spoiled(path, send))

    def _spoiled(self, path: str, send: Send) -> Send:
        """`send`, cutting or slowing the body; what goes on the wire is told by the content type."""
        spoiler = _Spoiler(send, self._faults, path)
        return spoiler if spoiler.needed else send


class _Spoiler:
    """Rewrites one response's messages for half_json, sse_cut and slow_bytes."""

    def __init__(self, send: Send, faults: Faults, path: str) -> None:
        self._send, self._faults, self._path = send, faults, path
        self.needed = any(faults.on(name) for name in ("half_json", "sse_cut", "slow_bytes"))
        self._stream = self._half = self._slow = False
        self._cut: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(self._start(message))
            return
        body = bytes(message.get("body", b""))
        if self._half:
            body = body[: len(body) // 2]
        if self._cut is not None:
            self._cut -= 1
            if self._cut < 0:
                raise ConnectionAbortedError("scripted fault: sse_cut")
        if self._slow:
            for part in _pieces(body, 3):
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
                await asyncio.sleep(0.0005)
            body = b""
        await self._send({**message, "body": body})

    def _start(self, message: Message) -> Message:
        headers: Iterable[tuple[bytes, bytes]] = message["headers"]
        kind = next((value for name, value in headers if name == b"content-type"), b"")
        self._stream = kind.startswith(b"text/event-stream")
        self._half = kind.startswith(b"application/json") and self._faults.take("half_json", self._path)
        self._slow = self._faults.take("slow_bytes", self._path)
        if self._stream and self._faults.take("sse_cut", self._path):
            self._cut = 8
        without_length = [(name, value) for name, value in headers if name != b"content-length"]
        return {**message, "headers": without_length if self._half or self._slow else list(headers)}


def _pieces(body: bytes, size: int) -> Iterable[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
