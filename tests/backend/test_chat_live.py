"""The chat on real servers: the demo's, by every endpoint, with what can go wrong there; and llama.cpp's own HTTP
server, which nobody here wrote, by those that it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lmdeck.backend.errors import ContextOverflow, ForgottenResponse, NotFound, NotLoaded, Refused, StreamCut
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.token import Token
from lmdeck.demo.engines.base import LoadOptions
from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.engines.llama import LlamaEngine
from lmdeck.demo.faults import Faults
from lmdeck.demo.launch import DemoEndpoint, DemoServer
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatRequest,
    MessageDelta,
    ModelLoading,
    ReasoningDelta,
    Said,
    ToolCall,
    Tools,
)
from lmdeck.model.endpoints import (
    CHAT_COMPLETIONS,
    COMPLETIONS,
    ENDPOINTS,
    MESSAGES,
    NATIVE,
    RESPONSES,
    V0_CHAT,
    Endpoint,
)
from lmdeck.model.load import LoadRequest

MODEL, THINKER, SEES, SMOL = (
    "ha-expert",
    "zai-org/glm-4.7-flash",
    "mistralai/devstral-small-2-2512",
    "smollm2-135m-instruct",
)
EMBEDDER, SMOL_EMBEDDER = "text-embedding-nomic-embed-text-v1.5", "text-embedding-smollm2-135m"
PNG = "data:image/png;base64,iVBORw0KGgo="
TALKING = [endpoint for endpoint in ENDPOINTS if endpoint is not COMPLETIONS]
STATEFUL = [endpoint for endpoint in ENDPOINTS if endpoint.stateful]
WITH_IMAGES = [endpoint for endpoint in ENDPOINTS if endpoint.images]


def named(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda endpoint: endpoint.name)


@pytest.fixture
async def demo(scripted_server: DemoEndpoint) -> AsyncIterator[LMStudio]:
    client = LMStudio(scripted_server.url, Token(scripted_server.token))
    yield client
    await client.close()


@pytest.fixture
async def smol(llama_server: DemoEndpoint) -> AsyncIterator[LMStudio]:
    client = LMStudio(llama_server.url, Token(llama_server.token))
    yield client
    await client.close()


@pytest.fixture
async def llama_cpp(tmp_path: Path) -> AsyncIterator[LMStudio]:
    """llama.cpp's own server, with 512 tokens of context and nothing of the demo's in front of it."""
    file = find_model(None)
    assert file is not None
    engine = LlamaEngine(file, tmp_path, Faults())
    model = (await engine.catalogue())[0]
    runner = await engine.load(model, LoadOptions(512, parallel=1), progress=lambda share: None, log=lambda line: None)
    assert runner.url is not None
    client = LMStudio(runner.url, Token(runner.api_key))
    yield client
    await client.close()
    await runner.close()


async def set_faults(endpoint: DemoEndpoint, *faults: str, timings: str | None = None) -> None:
    headers = {"authorization": f"Bearer {endpoint.token}"}
    async with httpx.AsyncClient(base_url=endpoint.url, headers=headers, trust_env=False) as client:
        (await client.post("/demo/faults", json={"faults": faults, "timings": timings})).raise_for_status()


async def answer(client: LMStudio, request: ChatRequest) -> list[ChatEvent]:
    async with asyncio.timeout(300):
        return [event async for event in client.chat(request)]


def said(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, MessageDelta))


def ended(events: list[ChatEvent]) -> ChatEnded:
    assert isinstance(events[-1], ChatEnded)
    return events[-1]


@named(ENDPOINTS)
async def test_every_endpoint_answers_with_its_statistics(demo, endpoint):
    events = await answer(demo, ChatRequest(MODEL, "5 words", endpoint=endpoint.path))
    stats = ended(events).stats
    assert said(events) == "word1 word2 word3 word4 word5"
    assert ended(events).instance_id == MODEL
    assert (stats.output_tokens, stats.measured) == (5, endpoint not in (NATIVE, V0_CHAT))
    assert stats.input_tokens
    assert stats.ttft_s is not None
    assert stats.tokens_per_second


@named(TALKING)
async def test_thoughts_are_apart_and_can_be_turned_off_where_that_is_taken(demo, endpoint):
    def thoughts(events: list[ChatEvent]) -> str:
        return "".join(event.text for event in events if isinstance(event, ReasoningDelta))

    assert thoughts(await answer(demo, ChatRequest(THINKER, "hi", endpoint=endpoint.path))).startswith(
        "The user wrote 2"
    )
    quiet = ChatRequest(THINKER, "hi", endpoint=endpoint.path, parameters={"reasoning": "off"})
    assert bool(thoughts(await answer(demo, quiet))) is (endpoint is MESSAGES)


@named(ENDPOINTS)
async def test_parameters_arrive(demo, endpoint):
    parameters = {"max_output_tokens": 2, "temperature": 0.5, "top_k": 3, "stop": [" word9"], "seed": 1}
    events = await answer(demo, ChatRequest(MODEL, "5 words", endpoint=endpoint.path, parameters=parameters))
    assert said(events) == "word1 word2"
    stops = {"native": "", "openai": "length", "completions": "length", "v0": "maxPredictedTokensReached"}
    assert ended(events).stop == stops.get(endpoint.name, "max_tokens" if endpoint is MESSAGES else "max_output_tokens")


@named([endpoint for endpoint in ENDPOINTS if endpoint.history])
async def test_earlier_turns_are_known_where_they_are_sent(demo, endpoint):
    history = (Said("user", "my name is Ada"), Said("assistant", "Hello, Ada."))
    request = ChatRequest(MODEL, "what did I say", system_prompt="Be kind.", endpoint=endpoint.path, history=history)
    assert said(await answer(demo, request)) == "You first said: my name is Ada"


@named(STATEFUL)
async def test_an_answer_is_gone_on_from_and_branched_from(demo, endpoint):
    first = ended(await answer(demo, ChatRequest(MODEL, "my name is Ada", endpoint=endpoint.path)))
    for _ in range(2):
        follow = ChatRequest(MODEL, "what did I say", first.response_id, endpoint=endpoint.path)
        assert said(await answer(demo, follow)) == "You first said: my name is Ada"


@named(STATEFUL)
async def test_what_the_server_forgot_or_never_kept_is_told_apart(demo, scripted_server, endpoint):
    first = ended(await answer(demo, ChatRequest(MODEL, "my name is Ada", endpoint=endpoint.path)))
    follow = ChatRequest(MODEL, "what did I say", first.response_id, endpoint=endpoint.path)
    await set_faults(scripted_server, "forgotten*1")
    with pytest.raises(ForgottenResponse, match="Could not find stored response"):
        await answer(demo, follow)
    assert said(await answer(demo, follow)) == "You first said: my name is Ada"
    unkept = ended(await answer(demo, ChatRequest(MODEL, "a secret", store=False, endpoint=endpoint.path)))
    assert unkept.response_id is None


@named(WITH_IMAGES)
async def test_images_go_to_a_model_that_sees_and_are_refused_by_one_that_does_not(demo, endpoint):
    request = ChatRequest(SEES, "what is this", endpoint=endpoint.path, images=(PNG,))
    found = said(await answer(demo, request))
    assert "what is this" in found
    assert found.count("[image_url]") == 1
    with pytest.raises(Refused, match="does not support image inputs"):
        await answer(demo, ChatRequest(MODEL, "what is this", endpoint=endpoint.path, images=(PNG,)))


@pytest.mark.parametrize(("endpoint", "provider"), [(NATIVE, "files"), (RESPONSES, "web")], ids=["native", "responses"])
@pytest.mark.parametrize(
    ("text", "state", "reason"),
    [
        ("a tool", "success", ""),
        ("a bad tool", "failure", "Cannot find tool with name lookup."),
        ("a wrong tool", "failure", "Arguments of lookup do not match its schema."),
    ],
)
async def test_tools_are_run_by_the_server(demo, monkeypatch, endpoint, provider, text, state, reason):
    monkeypatch.setenv("WEB_KEY", "a key")
    tools = (
        Tools("files", plugin_id="mcp/files"),
        Tools("web", server_url="http://127.0.0.1:9", headers={"X-Key": "WEB_KEY"}),
    )
    tools = tools if endpoint is NATIVE else tools[1:]
    events = await answer(demo, ChatRequest(MODEL, text, endpoint=endpoint.path, tools=tools))
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert [call.state for call in calls] == ["called", "arguments", state]
    assert calls[-1].reason == reason
    assert {call.tool for call in calls} == {"lookup"}
    assert said(events) == f"You said: {text}"
    if state == "success":
        assert calls[-1].provider == {"files": "mcp/files"}.get(provider, provider)
        assert ("X-Key" in calls[-1].output) is (endpoint is RESPONSES)


async def test_a_tools_server_out_of_reach_is_an_error_in_the_stream(demo, smol):
    tools = (Tools("web", server_url="http://127.0.0.1:9"),)
    for client, model, kind in ((demo, MODEL, "mcp_connection_error"), (smol, SMOL, "plugin_connection_error")):
        *_, fault, end = await answer(client, ChatRequest(model, "a lost tool", tools=tools))
        assert isinstance(fault, ChatFault)
        assert fault.problem.title == kind
        assert isinstance(end, ChatEnded)


@named(ENDPOINTS)
async def test_a_prompt_that_does_not_fit(demo, endpoint):
    await demo.load(LoadRequest(MODEL, context_length=64))
    request = ChatRequest(MODEL, "word " * 100, endpoint=endpoint.path)
    if endpoint is NATIVE:  # told in the stream there
        *_, fault, _ = await answer(demo, request)
        assert isinstance(fault, ChatFault)
        problem = fault.problem
    else:
        with pytest.raises(ContextOverflow) as caught:
            await answer(demo, request)
        problem = caught.value.problem
    assert problem.title == "the context is full"
    assert "n_ctx: 64" in problem.detail


@named(ENDPOINTS)
async def test_an_error_in_the_middle_keeps_what_came(demo, scripted_server, endpoint):
    await set_faults(scripted_server, "mid_stream_error")
    events = await answer(demo, ChatRequest(MODEL, "9 words", endpoint=endpoint.path))
    assert said(events) == "word1 word2"
    assert isinstance(events[-2], ChatFault)
    assert "crashed" in events[-2].problem.detail
    assert ended(events).response_id is None


@named(ENDPOINTS)
async def test_a_stream_that_is_cut_raises_after_what_came(demo, scripted_server, endpoint):
    await set_faults(scripted_server, "sse_cut")
    events: list[ChatEvent] = []

    async def read() -> None:
        async for event in demo.chat(ChatRequest(MODEL, "50 words", endpoint=endpoint.path)):
            events.append(event)

    with pytest.raises(StreamCut):
        await read()
    assert not any(isinstance(event, ChatEnded) for event in events)


@named(ENDPOINTS)
async def test_a_model_that_is_unloaded_meanwhile(demo, scripted_server, endpoint):
    await demo.load(LoadRequest(MODEL))
    await set_faults(scripted_server, timings="rate=20")
    async with aclosing(demo.chat(ChatRequest(MODEL, "500 words", endpoint=endpoint.path))) as events:
        found = [await anext(events)]
        while not isinstance(found[-1], MessageDelta):
            found.append(await anext(events))
        await demo.unload(MODEL)
        found += [event async for event in events]
    fault = found[-2]
    assert isinstance(fault, ChatFault)
    assert fault.problem.title == NotLoaded.title
    assert isinstance(found[-1], ChatEnded)


async def test_a_model_that_is_not_there(demo):
    for endpoint in ENDPOINTS:
        with pytest.raises(NotFound, match="Model nope not found"):
            await answer(demo, ChatRequest("nope", "hi", endpoint=endpoint.path))


async def test_nothing_loaded_and_nothing_loaded_for_a_request():
    server = DemoServer("scripted", options=("--no-jit",))
    endpoint = await server.start()
    client = LMStudio(endpoint.url, Token(endpoint.token))
    try:
        for each in ENDPOINTS:
            with pytest.raises(NotLoaded, match="No models loaded"):
                await answer(client, ChatRequest(MODEL, "hi", endpoint=each.path))
    finally:
        await client.close()
        await server.close()


async def test_another_context_reloads_the_model_unless_it_is_busy(demo, scripted_server):
    await demo.load(LoadRequest(MODEL, context_length=4096))
    other = ChatRequest(MODEL, "hi", parameters={"context_length": 2048})
    await set_faults(scripted_server, timings="rate=20")
    async with aclosing(demo.chat(ChatRequest(MODEL, "500 words"))) as busy:
        while not isinstance(await anext(busy), MessageDelta):
            pass
        with pytest.raises(Refused, match="while it is busy"):
            await answer(demo, other)
    async with asyncio.timeout(60):
        while True:  # until the server has noticed that the client left
            try:
                events = await answer(demo, other)
                break
            except Refused:
                await asyncio.sleep(0.02)
    assert any(isinstance(event, ModelLoading) and event.done for event in events)
    assert (await demo.loaded_contexts())[MODEL] == 2048


async def test_vectors(demo, smol):
    for client, model, size in ((demo, EMBEDDER, 768), (smol, SMOL_EMBEDDER, 576)):
        one, other, again = await client.embed(model, ["a cat", "a tax return", "a cat"])
        assert (len(one), len(other)) == (size, size)
        assert one == pytest.approx(again, abs=2e-2)
        assert one != other
    with pytest.raises(Refused, match="is not an embedding model"):
        await demo.embed(MODEL, ["a cat"])


async def test_a_real_model_answers_by_every_endpoint(smol):
    parameters = {"temperature": 0, "max_output_tokens": 8}
    for endpoint in ENDPOINTS:
        events = await answer(smol, ChatRequest(SMOL, "Count to ten.", endpoint=endpoint.path, parameters=parameters))
        assert said(events)
        assert (ended(events).stats.input_tokens or 0) > (30 if endpoint in TALKING else 3)
        assert ended(events).stats.tokens_per_second


async def test_llama_cpps_own_server(llama_cpp):
    parameters = {"temperature": 0, "max_output_tokens": 8, "top_p": 0.9, "top_k": 20, "min_p": 0.05, "seed": 7}
    asked = ChatRequest(SMOL, "Count to ten.", system_prompt="Be brief.", parameters=parameters)
    history = (Said("user", "Hello."), Said("assistant", "Hello! How can I help?"))
    for endpoint in (CHAT_COMPLETIONS, RESPONSES, MESSAGES, COMPLETIONS):
        read = []
        for earlier in ((), history):
            events = await answer(llama_cpp, replace(asked, endpoint=endpoint.path, history=earlier))
            stats = ended(events).stats
            assert said(events)
            assert ended(events).text in ("", said(events))
            assert 0 < (stats.output_tokens or 0) <= 8
            assert stats.measured
            assert stats.ttft_s is not None
            read.append(stats.input_tokens or 0)
        assert (read[1] > read[0] + 10) is endpoint.history
        with pytest.raises(ContextOverflow, match=r"exceeds the available context size \(512 tokens\)"):
            await answer(llama_cpp, ChatRequest(SMOL, "word " * 700, endpoint=endpoint.path))
