"""The client against faults of HTTP, with a transport instead of a network."""

import json
import traceback
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from lmdeck.backend import http
from lmdeck.backend.errors import (
    BackendError,
    BadReply,
    LoadFailed,
    NotFound,
    NotLMStudio,
    Refused,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.token import Token
from lmdeck.model.load import LoadRequest

SECRET = "sk-lm-12345678:abcdefghijklmnopqrst"
Answer = httpx.Response | Exception
V0_LIST = {"data": [{"id": "old"}]}
UNEXPECTED = {"error": "Unexpected endpoint or method. (GET /x)"}


class Script:
    """A transport that gives its answers in turn, the last one for ever, and keeps the requests."""

    def __init__(self, *answers: Answer | Callable[[httpx.Request], Answer]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        found = answer(request) if callable(answer) else answer
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(http, "RETRY_AFTER_S", (0.0, 0.0))


def server(script: Script, token: Token | None = None) -> LMStudio:
    return LMStudio("http://127.0.0.1:1", token, httpx.MockTransport(script))


def ok(body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


async def test_greet_judges_by_the_body():
    assert await server(Script(ok({"lmstudio": True}))).greet() >= 0
    for answer in (
        ok({"lmstudio": "true"}),
        ok([]),
        ok(UNEXPECTED),
        httpx.Response(404, text="nope"),
        httpx.Response(200, text="<html><title>Router</title>"),
        httpx.RemoteProtocolError("illegal status line: bytearray(b'SSH-2.0-OpenSSH')"),
    ):
        with pytest.raises(NotLMStudio):
            await server(Script(answer)).greet()


async def test_greet_lets_a_refused_token_and_a_broken_server_be_what_they_are():
    with pytest.raises(Unauthorized):
        await server(Script(httpx.Response(401))).greet()
    with pytest.raises(Refused) as caught:
        await server(Script(httpx.Response(500, json={"error": {"type": "internal_error", "message": "x"}}))).greet()
    assert caught.value.problem.title == "500: internal_error"


async def test_models_falls_back_to_v0_and_remembers():
    script = Script(lambda request: ok(V0_LIST if "v0" in request.url.path else UNEXPECTED))
    client = server(script)
    assert [model.key for model in await client.models()] == ["old"]
    assert [model.key for model in await client.models()] == ["old"]
    assert script.paths == ["/api/v1/models", "/api/v0/models", "/api/v0/models"]


async def test_a_server_with_neither_list_is_asked_for_v1_again():
    script = Script(ok(UNEXPECTED))
    client = server(script)
    for _ in range(2):
        with pytest.raises(NotFound):
            await client.models()
    assert script.paths == ["/api/v1/models", "/api/v0/models"] * 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.Response(502, text="<html>"),
        httpx.Response(503, json={"error": "loading"}),
        httpx.Response(504, text="late"),
    ],
)
async def test_reads_are_tried_three_times_while_the_connection_fails(trouble):
    script = Script(trouble, trouble, ok({"models": []}))
    assert await server(script).models() == ()
    script = Script(trouble)
    with pytest.raises((Unreachable, Refused)):
        await server(script).models()
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.Response(500, json={"error": "x"}), Refused),
        (httpx.Response(401), Unauthorized),
        (httpx.Response(200, text='{"models": ['), BadReply),
        (httpx.ReadTimeout("slow"), TimedOut),
        (httpx.ConnectTimeout("slow"), TimedOut),
        (httpx.DecodingError("gzip"), BadReply),
    ],
)
async def test_what_a_second_try_would_not_mend_is_tried_once(trouble, kind):
    script = Script(trouble)
    with pytest.raises(kind):
        await server(script).models()
    assert len(script.requests) == 1


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.Response(503, json={"error": "loading"})])
async def test_writes_are_never_tried_again(trouble):
    for call in (lambda client: client.load(LoadRequest("m")), lambda client: client.unload("m")):
        script = Script(trouble)
        with pytest.raises(BackendError):
            await call(server(script))
        assert len(script.requests) == 1


async def test_timeouts_say_how_long_was_waited():
    with pytest.raises(TimedOut, match="down: no answer within 5 s"):
        await server(Script(httpx.ReadTimeout("x"))).models()
    with pytest.raises(TimedOut, match="down: no answer within 2 s"):
        await server(Script(httpx.ConnectTimeout("x"))).models()


async def test_load_waits_for_ever_and_sends_only_what_was_set():
    script = Script(ok({"instance_id": "m", "load_config": {"context_length": 8192}}))
    result = await server(script).load(LoadRequest("m", context_length=32768))
    assert result.config is not None
    assert result.config.context_length == 8192
    (request,) = script.requests
    assert json.loads(request.content) == {"model": "m", "context_length": 32768, "echo_load_config": True}
    assert request.extensions["timeout"]["read"] is None
    assert request.extensions["timeout"]["connect"] == 2.0


async def test_a_load_that_fails_without_a_type_is_still_a_failed_load():
    answer = httpx.Response(500, json={"error": {"type": "internal_error", "message": "Exit code 6"}})
    with pytest.raises(LoadFailed) as caught:
        await server(Script(answer)).load(LoadRequest("m"))
    assert (caught.value.detail, caught.value.kind, caught.value.status) == ("Exit code 6", "internal_error", 500)


async def test_a_lone_surrogate_can_be_sent():
    script = Script(ok({"instance_id": "x"}))
    await server(script).unload("\ud800")
    assert json.loads(script.requests[0].content) == {"instance_id": "\ud800"}


async def test_the_size_of_an_answer_is_bounded(monkeypatch):
    monkeypatch.setattr(http, "MAX_BODY", 2**20)

    async def flood() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 2**16

    with pytest.raises(BadReply, match="larger than 1 MiB"):
        await server(Script(httpx.Response(200, content=flood()))).models()


async def test_redirects_are_not_followed():
    script = Script(httpx.Response(302, headers={"location": "http://elsewhere.invalid/"}))
    with pytest.raises(BadReply):
        await server(script, Token(SECRET)).models()
    assert len(script.requests) == 1


async def test_the_token_is_sent_and_shows_nowhere():
    script = Script(httpx.Response(401, json={"error": {"message": "bad token"}}))
    client = server(script, Token(SECRET))
    with pytest.raises(Unauthorized) as caught:
        await client.models()
    assert script.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in _traceback_with_locals(caught.value)
    assert SECRET not in repr(vars(client)) + repr(vars(client._http))
    assert client.has_token
    assert not server(script).has_token


async def test_a_foreign_error_is_cut_off_from_the_translated_one():
    with pytest.raises(Unreachable) as caught:
        await server(Script(httpx.ConnectError("x")), Token(SECRET)).models()
    assert caught.value.__suppress_context__
    assert SECRET not in _traceback_with_locals(caught.value)


def _traceback_with_locals(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_proxies_of_the_environment_are_never_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://proxy.invalid:3128")
    local, remote = (http._client(url, None, None) for url in ("http://localhost:1234", "http://box.lan:1234"))
    assert not any(local._mounts.values())
    assert any(remote._mounts.values())


async def test_a_proxy_that_cannot_be_used_is_told_in_words(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks9://proxy.invalid")
    with pytest.raises(Unreachable, match="proxy or certificate settings"):
        await LMStudio("http://box.lan:1234").models()


async def test_after_closing_nothing_is_opened_any_more():
    script = Script(ok({"models": []}))
    client = server(script)
    await client.close()
    with pytest.raises(Unreachable, match="down: closed"):
        await client.models()
    assert not script.requests


@pytest.mark.parametrize("host", ["xn--", "a..b", "[::1%25lo]", "256.1.1.1"])
async def test_an_address_that_cannot_be_is_only_a_server_that_is_down(host):
    with pytest.raises(Unreachable):
        await LMStudio(f"http://{host}:1").models()
