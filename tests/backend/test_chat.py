"""The client's chat and embeddings by whichever endpoint, with a transport instead of a network."""

import json

import httpx
import pytest

from lmdeck.backend.errors import (
    BackendError,
    BadReply,
    ContextOverflow,
    ForgottenResponse,
    NotFound,
    NotLoaded,
    NotSent,
    Refused,
    StreamCut,
    Unauthorized,
)
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.model.chat import ChatEnded, ChatEvent, ChatRequest, ChatStarted, ChatStats, MessageDelta, Tools
from lmdeck.model.endpoints import CHAT_COMPLETIONS, ENDPOINTS, NATIVE, RESPONSES

CHUNK = b'data: {"model": "m", "choices": [{"delta": {"content": "Hi"}, "finish_reason": null}]}\n\n'
FINISH = b'data: {"model": "m", "choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'


class Server:
    """Gives one answer to everything, and keeps the requests."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer

    def client(self) -> LMStudio:
        return LMStudio("http://127.0.0.1:1", transport=httpx.MockTransport(self), clock=lambda: 0.0)


def streaming(*pieces: bytes) -> Server:
    return Server(httpx.Response(200, content=b"".join(pieces), headers={"content-type": "text/event-stream"}))


def refusing(status: int, message: str, kind: str = "invalid_request", code: str | None = None) -> Server:
    return Server(httpx.Response(status, json={"error": {"type": kind, "message": message, "code": code}}))


async def ask(server: Server, request: ChatRequest = ChatRequest("m", "hi")) -> list[ChatEvent]:  # noqa: B008
    return [event async for event in server.client().chat(request)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_every_endpoint_is_asked_at_its_own_path(endpoint):
    server = refusing(400, "no")
    with pytest.raises(Refused):
        await ask(server, ChatRequest("m", "hi", endpoint=endpoint.path))
    (request,) = server.requests
    assert (request.method, request.url.path) == ("POST", endpoint.path)
    assert {"model": "m", "stream": True}.items() <= json.loads(request.content).items()


async def test_an_answer_without_a_mark_is_whole_by_its_finish():
    request = ChatRequest("m", "hi", endpoint=CHAT_COMPLETIONS.path)
    assert await ask(streaming(CHUNK, FINISH), request) == [
        ChatStarted("m"),
        MessageDelta("Hi"),
        ChatEnded(ChatStats(ttft_s=0.0, measured=True), instance_id="m", stop="stop"),
    ]
    with pytest.raises(StreamCut):
        await ask(streaming(CHUNK), request)


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (refusing(400, "Could not find stored response for previous_response_id 'x'."), ForgottenResponse),
        (refusing(400, "Previous response with id 'x' not found.", code="x"), ForgottenResponse),
        (refusing(400, "(n_keep: 10247 >= n_ctx: 4096)"), ContextOverflow),
        (refusing(500, "Context size has been exceeded."), ContextOverflow),
        (refusing(400, "too many tokens", code="context_length_exceeded"), ContextOverflow),
        (refusing(400, "No models loaded. Please load a model in the developer page."), NotLoaded),
        (refusing(404, "Model with instance identifier 'm' is not loaded.", "model_not_found"), NotLoaded),
        (refusing(404, "Model m not found in downloaded models", "model_not_found"), NotFound),
        (refusing(400, "Cannot change the context length of 'm' while it is busy."), Refused),
        (refusing(401, "bad token for a context that exceeds"), Unauthorized),
    ],
)
async def test_a_refusal_is_what_it_means_in_a_chat(server, kind):
    message = json.loads(server.answer.content)["error"]["message"]
    with pytest.raises(BackendError) as caught:
        await ask(server)
    assert type(caught.value) is kind
    assert caught.value.problem.detail == message
    assert caught.value.status == server.answer.status_code


async def test_a_missing_variable_is_told_and_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("WEB_KEY", raising=False)
    server = streaming()
    tools = (Tools("web", server_url="https://example.org", headers={"Authorization": "WEB_KEY"}),)
    with pytest.raises(NotSent, match="needs the environment variable WEB_KEY, which is not set"):
        await ask(server, ChatRequest("m", "hi", tools=tools))
    assert server.requests == []


@pytest.mark.parametrize(("endpoint", "name"), [(NATIVE, "integrations"), (RESPONSES, "tools")])
async def test_a_headers_value_is_sent_and_shows_in_no_traceback(monkeypatch, endpoint, name):
    monkeypatch.setenv("WEB_KEY", "a secret value")
    server = refusing(400, "no")
    tools = (Tools("web", server_url="https://example.org", headers={"Authorization": "WEB_KEY"}),)
    with pytest.raises(Refused) as caught:
        await ask(server, ChatRequest("m", "hi", endpoint=endpoint.path, tools=tools))
    assert json.loads(server.requests[0].content)[name][0]["headers"] == {"Authorization": "a secret value"}
    frames, trace = [], caught.value.__traceback__
    while trace is not None:
        frames.append(repr(trace.tb_frame.f_locals))
        trace = trace.tb_next
    assert "a secret value" not in "".join(frames)


async def test_vectors_come_in_the_order_of_their_texts():
    data = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [0.5, -1.0]}]
    server = Server(httpx.Response(200, json={"data": data}))
    assert await server.client().embed("e", ["a", "b"]) == ((0.5, -1.0), (0.0, 1.0))
    assert server.requests[0].url.path == "/v1/embeddings"
    assert json.loads(server.requests[0].content) == {"model": "e", "input": ["a", "b"]}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"embedding": [1]}],
        [{"embedding": [1]}, {"embedding": []}],
        [{"embedding": [1]}, {"embedding": "AAAA"}],
        [{"embedding": [1]}, {"embedding": [1, None]}],
        [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}],
    ],
)
async def test_what_are_no_vectors_for_the_texts(data):
    with pytest.raises(BadReply):
        await Server(httpx.Response(200, json={"data": data})).client().embed("e", ["a", "b"])
