"""HTTP to one server: one long-lived client, foreign errors translated in one place, reads retried, sizes bounded.

The token is added to each request by `_Bearer` and stands in no attribute that is printed; foreign errors are
cut off from the translated ones (`from None`), because their frames hold the request's headers.
"""

import asyncio
import json
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import httpx

from lmdeck.backend.errors import BackendError, BadReply, Refused, StreamCut, TimedOut, Unreachable
from lmdeck.backend.protocol import Secret
from lmdeck.backend.refusal import GATEWAY_TROUBLE, answer
from lmdeck.model.server import is_loopback
from lmdeck.model.text import one_line

Transport = httpx.AsyncBaseTransport

CONNECT_S = 2.0
READ_S = 5.0
WHOLE_READ_S = 30.0
"""A server that sends a byte now and then must not hold a read for ever."""
RETRY_AFTER_S = (0.2, 0.5)
MAX_BODY = 64 * 2**20
# Below the 5 s after which many servers close an idle connection: a request must not meet the closing.
KEEP_ALIVE_S = 3.0


class Http:
    """Requests to one server. Every method raises a BackendError and never an error of httpx."""

    def __init__(
        self, url: str, token: Secret | None = None, transport: Transport | None = None, ca_file: str | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._ca_file = ca_file
        self.has_token = token is not None
        self._auth = _Bearer(token) if token is not None else None
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._closed = False
        self.round_trip_s = 0.0

    async def get(self, path: str) -> object:
        """The JSON answer to a GET; tried up to three times while the connection or a gateway fails."""
        return await retrying(lambda: self.get_once(path))

    async def get_once(self, path: str) -> object:
        """The JSON answer to a GET, tried once."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(WHOLE_READ_S):
                found = await self._ask("GET", path, None, READ_S)
        except TimeoutError:
            raise TimedOut(f"no whole answer within {WHOLE_READ_S:g} s") from None
        self.round_trip_s = time.perf_counter() - started
        return found

    async def post(self, path: str, body: Mapping[str, object], read_s: float | None = None) -> object:
        """The JSON answer to a POST, tried once. `read_s`: the longest silence; None waits for ever."""
        return await self._ask("POST", path, body, read_s)

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, object]) -> AsyncIterator[AsyncIterator[bytes]]:
        """POST and read the event stream as it comes, without a time-out; leaving it closes the connection.
        Once it runs, a broken connection is a StreamCut."""
        async with self._send("POST", path, body, None) as response:
            kind = response.headers.get("content-type", "")
            if response.status_code != 200 or not kind.startswith("text/event-stream"):
                answer(response.status_code, await _whole(response, None), has_token=self.has_token)
                raise BadReply(f"an event stream was asked for, {one_line(kind, 60) or 'something unnamed'} came")
            yield _pieces(response)

    async def close(self) -> None:
        """Close every connection, and open no more."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        """The client, made at the first request: in a thread, because it reads certificates from the disk."""
        async with self._opening:
            if self._closed:
                raise Unreachable("closed")
            if self._client is None:
                self._client = await asyncio.to_thread(_client, self.url, self._auth, self._transport, self._ca_file)
            return self._client

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None, read_s: float | None) -> object:
        async with self._send(method, path, body, read_s) as response:
            return answer(response.status_code, await _whole(response, read_s), has_token=self.has_token)

    @asynccontextmanager
    async def _send(
        self, method: str, path: str, body: Mapping[str, object] | None, read_s: float | None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; the headers of the answer are there, its body is still to be read."""
        with translated(read_s):
            client = await self._opened()
            # Escaped JSON: a lone surrogate, as a terminal may hand over, cannot be sent as UTF-8.
            content = None if body is None else json.dumps(body).encode()
            headers = {} if body is None else {"Content-Type": "application/json"}
            timeout = httpx.Timeout(CONNECT_S, read=read_s, write=read_s, pool=None)
            request = client.build_request(method, path, content=content, headers=headers, timeout=timeout)
            response = await client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()


Result = TypeVar("Result")


async def retrying(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """`attempt`, and again after each of RETRY_AFTER_S while the connection or a gateway fails. What took its
    time to fail (TimedOut) is not tried again: the answer would come too late to be believed."""
    for pause in RETRY_AFTER_S:
        try:
            return await attempt()
        except TimedOut:
            raise
        except Unreachable:
            pass
        except Refused as error:
            if error.status not in GATEWAY_TROUBLE:
                raise
        await asyncio.sleep(pause)
    return await attempt()


@contextmanager
def translated(read_s: float | None, *, streaming: bool = False) -> Iterator[None]:
    """The one place where errors of httpx become BackendErrors. `streaming`: the answer has begun."""
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise TimedOut(f"no answer within {CONNECT_S:g} s") from None
    except httpx.TimeoutException:
        raise TimedOut(f"no answer within {read_s or READ_S:g} s") from None
    except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
        raise _broken(error, streaming=streaming) from None
    except httpx.DecodingError:
        raise BadReply("the answer's compression is broken") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):  # the last: names that IDNA cannot encode
        raise Unreachable("bad address") from None
    except httpx.HTTPError as error:
        raise BadReply(type(error).__name__) from None


def _broken(error: httpx.HTTPError, *, streaming: bool) -> BackendError:
    if streaming:
        return StreamCut("the connection broke before the end of the answer")
    if isinstance(error, httpx.RemoteProtocolError):
        words = str(error)
        if "peer closed" in words:
            return Unreachable("connection broke during the answer")
        return Unreachable("connection closed without an answer") if "disconnect" in words else BadReply("not HTTP")
    return Unreachable(_reason(error))


def _reason(error: BaseException) -> str:
    """Why there is no connection, as a person would say it."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            words = (
                getattr(cause, "verify_message", "") or (cause.reason or "handshake failed").replace("_", " ").lower()
            )
            return f"TLS: {words}"
        if isinstance(cause, socket.gaierror):
            return "name not found"
    for cause in causes:
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "connection reset"
    system = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    words = one_line(system or str(error), 120)
    return words[:1].lower() + words[1:] if words else "no connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything that led to it, groups included."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__context__, cause.__cause__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    with translated(None, streaming=True):
        async for piece in response.aiter_bytes():
            yield piece


async def _whole(response: httpx.Response, read_s: float | None) -> bytes:
    body = bytearray()
    with translated(read_s):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_BODY:
                raise BadReply(f"the answer is larger than {MAX_BODY // 2**20} MiB")
    return bytes(body)


class _Bearer(httpx.Auth):
    """Adds the token to each request. (httpx shows an Authorization header as `[secure]`.)"""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


def _client(
    url: str, auth: _Bearer | None, transport: Transport | None, ca_file: str | None = None
) -> httpx.AsyncClient:
    """The client of one server: no redirects, proxies from the environment but never for this machine."""
    local = is_loopback(url)
    try:
        return httpx.AsyncClient(
            base_url=url,
            auth=auth,
            transport=transport,
            trust_env=not local,
            verify=_tls(url, ca_file),
            follow_redirects=False,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            headers={"Accept": "application/json, text/event-stream", "Accept-Encoding": "identity"},
        )
    except (ImportError, ValueError, OSError):
        raise Unreachable("the environment's proxy or certificate settings cannot be used") from None


def _tls(url: str, ca_file: str | None) -> ssl.SSLContext:
    """Certificates: httpx's bundle, the system's own store and the user's file (private authorities). Plain HTTP to
    this machine needs none, and loading them takes 20 ms."""
    if url.startswith("http://") and is_loopback(url):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=os.path.expanduser(ca_file))
        except OSError as error:  # an SSLError, too: no certificate in it
            why = "no PEM certificates" if isinstance(error, ssl.SSLError) else error.strerror or "unreadable"
            raise Unreachable(f"ca_file {one_line(ca_file, 80)}: {why}") from None
    return context
