"""The OpenAI-compatible endpoints, asked by OpenAI's own client; the scripted engine answers."""

import asyncio
import json
import math
from collections.abc import AsyncIterator

import httpx
import openai
import pytest

from lmdeck.demo.launch import DemoEndpoint, DemoServer

MODEL, THINKER, SEES = "ha-expert", "zai-org/glm-4.7-flash", "mistralai/devstral-small-2-2512"
EMBEDDER = "text-embedding-nomic-embed-text-v1.5"
WEATHER = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
}


def client_of(endpoint: DemoEndpoint, token: str | None = None) -> openai.AsyncOpenAI:
    """OpenAI's client for a demo server."""
    return openai.AsyncOpenAI(base_url=f"{endpoint.url}/v1", api_key=token or endpoint.token, max_retries=0, timeout=30)


@pytest.fixture
async def client(scripted_server: DemoEndpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    async with client_of(scripted_server) as client:
        yield client


def ask(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


async def test_models_are_all_that_a_request_could_load(client, api):
    listed = [model.id async for model in client.models.list()]
    assert sorted(listed) == sorted(await api.models())
    await api.load(MODEL)
    await api.load(MODEL)
    listed = [model.id async for model in client.models.list()]
    assert listed.count(MODEL) == 1
    assert f"{MODEL}:2" in listed


async def test_without_just_in_time_loading_only_what_is_loaded_is_there():
    server = DemoServer("scripted", options=("--no-jit",))
    endpoint = await server.start()
    try:
        async with client_of(endpoint) as client:
            assert [model.id async for model in client.models.list()] == []
            with pytest.raises(openai.BadRequestError, match=r"No models loaded\. Please load a model in the develop"):
                await client.chat.completions.create(model=MODEL, messages=ask("hi"))
            headers = {"authorization": f"Bearer {endpoint.token}"}
            async with httpx.AsyncClient(base_url=endpoint.url, headers=headers, timeout=10) as http:
                (await http.post("/api/v1/models/load", json={"model": MODEL})).raise_for_status()
            assert [model.id async for model in client.models.list()] == [MODEL]
            answer = await client.chat.completions.create(model=MODEL, messages=ask("hi"))
            assert answer.choices[0].message.content == "You said: hi"
            with pytest.raises(openai.NotFoundError, match="is not loaded"):
                await client.chat.completions.create(model=THINKER, messages=ask("hi"))
    finally:
        await server.close()


async def test_a_whole_chat_completion_with_its_log_lines(client, lms):
    async with lms.log("-s", "model") as model_event, lms.log("-s", "server") as server_event:
        answer = await client.chat.completions.create(model=MODEL, messages=ask("hello there"), temperature=0.3)
        said, told = await model_event(), await model_event()
        lines = [(await server_event())["content"] for _ in range(5)]
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("You said: hello there", "stop")
    assert answer.model == MODEL
    assert answer.usage.completion_tokens == 4
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 4
    assert said["input"] == "<|im_start|>user\nhello there<|im_end|>\n<|im_start|>assistant\n"
    assert (told["output"], told["stats"]["stopReason"]) == ("You said: hello there", "eosFound")
    assert "[DEBUG] Received request: POST to /v1/chat/completions with body {" in lines[0]
    assert '"temperature": 0.3' in lines[0]
    head, _, prediction = lines[-1].partition(" Generated prediction: ")
    assert head.endswith(f"[INFO][{MODEL}]")
    assert json.loads(prediction)["id"] == answer.id


async def test_a_streamed_chat_completion(client):
    options = {"include_usage": True}
    stream = await client.chat.completions.create(
        model=MODEL, messages=ask("5 words"), stream=True, stream_options=options
    )
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    words = [chunk.choices[0].delta.content for chunk in chunks[1:-2]]
    assert words == ["word1", " word2", " word3", " word4", " word5"]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 5
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_a_stream_without_usage_ends_with_the_finish_reason(client):
    stream = await client.chat.completions.create(model=MODEL, messages=ask("hi"), stream=True, max_tokens=2)
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices[0].finish_reason == "length"
    assert all(chunk.usage is None for chunk in chunks)


async def test_sampling_bounds_and_the_number_of_answers(client):
    answer = await client.chat.completions.create(
        model=MODEL, messages=ask("count to 9"), n=2, stop=[" 4"], logprobs=True, top_logprobs=1, seed=7
    )
    assert [choice.message.content for choice in answer.choices] == ["1 2 3", "1 2 3"]
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert "".join(each.token for each in answer.choices[0].logprobs.content) == "1 2 3"
    answer = await client.chat.completions.create(model=MODEL, messages=ask("count to 3"), max_tokens=-1)
    assert answer.choices[0].message.content == "1 2 3"


async def test_a_reasoning_model_thinks_apart(client):
    answer = await client.chat.completions.create(model=THINKER, messages=ask("hi"))
    message = answer.choices[0].message
    assert message.content == "You said: hi"
    assert message.reasoning_content.startswith("The user wrote 2 characters.")
    assert answer.usage.completion_tokens_details.reasoning_tokens == 8
    quiet = await client.chat.completions.create(model=THINKER, messages=ask("hi"), reasoning_effort="none")
    assert not hasattr(quiet.choices[0].message, "reasoning_content")


async def test_a_tool_is_called_and_its_result_answered(client):
    tools = [{"type": "function", "function": WEATHER}]
    messages = ask("use the tool")
    answer = await client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": "use the tool", "days": 1},
    )
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    answer = await client.chat.completions.create(model=MODEL, messages=messages, tools=tools)
    assert answer.choices[0].message.content == "You said: use the tool"
    answer = await client.chat.completions.create(
        model=MODEL, messages=ask("use the tool"), tools=tools, tool_choice="none"
    )
    assert answer.choices[0].finish_reason == "stop"


async def test_an_answer_by_a_schema(client):
    schema = {"name": "x", "schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}}}
    answer = await client.chat.completions.create(
        model=MODEL, messages=ask("hi"), response_format={"type": "json_schema", "json_schema": schema}
    )
    assert json.loads(answer.choices[0].message.content) == {"ok": True}


async def test_images_go_to_a_model_that_sees(client):
    url = "data:image/png;base64,iVBORw0KGgo="
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = await client.chat.completions.create(model=SEES, messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "You said: see [image_url]"
    items = [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": url, "detail": "auto"}]
    response = await client.responses.create(model=SEES, input=[{"role": "user", "content": items}])
    assert response.output_text == "You said: see [image_url]"


async def test_completions_take_raw_prompts(client):
    answer = await client.completions.create(model=MODEL, prompt=["one", "two"], n=2)
    texts = [choice.text for choice in answer.choices]
    assert texts == ["You said: one", "You said: one", "You said: two", "You said: two"]
    assert answer.usage.prompt_tokens == 2
    stream = await client.completions.create(model=MODEL, prompt="again", stream=True)
    async with stream:
        assert "".join([chunk.choices[0].text async for chunk in stream]) == "You said: again"


async def test_embeddings_are_unit_vectors_of_their_text(client):
    texts = ["cat sat", "sat cat", "cat sat"]
    answer = await client.embeddings.create(model=EMBEDDER, input=texts)
    first, second, third = (row.embedding for row in answer.data)
    plain = await client.embeddings.create(model=EMBEDDER, input="cat sat", encoding_format="float")
    assert len(first) == 768
    assert first == third != second
    assert first == pytest.approx(plain.data[0].embedding, rel=1e-6)
    assert math.hypot(*first) == pytest.approx(1)
    assert answer.usage.prompt_tokens == 6


async def test_a_request_loads_for_its_ttl(client, api):
    await client.chat.completions.create(model=MODEL, messages=ask("hi"), extra_body={"ttl": 77})
    (instance,) = await api.ps()
    assert (instance["identifier"], instance["ttlMs"], instance["queued"]) == (MODEL, 77_000, 0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": []}, "'messages' is required"),
        ({"messages": [{"content": "x"}]}, "'role'"),
        ({"messages": ask("x"), "temperature": "hot"}, "'temperature' must be a number"),
        ({"messages": ask("x"), "temperature": 3}, "between 0 and 2"),
        ({"messages": ask("x"), "stop": 4}, "'stop' must be"),
        ({"messages": ask("x"), "n": 99}, "'n' must be between"),
        ({"messages": ask("x"), "tools": [{"type": "magic"}]}, "every tool must be a function"),
        ({"messages": ask("x"), "response_format": {"type": "xml"}}, "response_format"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "does not support image inputs"),
        ({"messages": ask("x"), "model": EMBEDDER}, "is an embedding model"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_openais_shape(api, body, words):
    response = await api.post("/v1/chat/completions", json={"model": MODEL} | body)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}


async def test_refusals_have_the_clients_own_exceptions(client, scripted_server):
    with pytest.raises(openai.NotFoundError, match="Model nope not found in downloaded models") as caught:
        await client.chat.completions.create(model="nope", messages=ask("hi"))
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="is not an embedding model"):
        await client.embeddings.create(model=MODEL, input="x")
    async with client_of(scripted_server, "sk-lm-wrong:token") as stranger:
        with pytest.raises(openai.AuthenticationError) as refused:
            await stranger.models.list()
    assert refused.value.code == "invalid_api_key"


async def test_half_a_character_is_echoed_as_it_came(api):
    body = '{"model": "ha-expert", "messages": [{"role": "user", "content": "\\ud800!"}]}'
    answer = (await api.post("/v1/chat/completions", content=body)).json()
    assert answer["choices"][0]["message"]["content"] == "You said: \ud800!"


async def test_unknown_paths_answer_200_with_an_error(api):
    response = await api.get("/v1/nothing")
    assert response.status_code == 200
    assert response.json() == {"error": "Unexpected endpoint or method. (GET /v1/nothing)"}


async def test_a_failed_load_and_a_fault_in_the_stream_are_errors(client, api):
    await api.faults("load_fail*1")
    with pytest.raises(openai.InternalServerError, match="insufficient system resources"):
        await client.chat.completions.create(model=MODEL, messages=ask("hi"))
    await api.faults("mid_stream_error")
    stream = await client.chat.completions.create(model=MODEL, messages=ask("9 words"), stream=True)
    async with stream:
        with pytest.raises(openai.APIError, match="The model has crashed"):
            async for _ in stream:
                pass


async def test_too_long_a_prompt_is_refused_before_the_stream(client):
    with pytest.raises(openai.BadRequestError, match="n_ctx: 4096"):
        await client.chat.completions.create(model=MODEL, messages=ask("word " * 5000), stream=True)


async def test_a_client_that_leaves_frees_its_slot(client, api, lms, until):
    await api.load(MODEL)
    await api.faults(timings="rate=20")
    async with lms.log("-s", "model") as model_event:
        stream = await client.chat.completions.create(model=MODEL, messages=ask("9999 words"), stream=True)
        async with stream:
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            (instance,) = await api.ps()
            assert (instance["status"], instance["queued"]) == ("generating", 1)
        await until(lambda: _idle(api))
        whole = asyncio.create_task(client.chat.completions.create(model=MODEL, messages=ask("9999 words")))
        await until(lambda: _busy(api))
        whole.cancel()
        await until(lambda: _idle(api))
        events = [await model_event() for _ in range(4)]
    outputs = [event for event in events if event["type"] == "llm.prediction.output"]
    assert [event["stats"]["stopReason"] for event in outputs] == ["userStopped", "userStopped"]
    assert outputs[0]["output"].startswith("word1")


async def _idle(api) -> bool:
    return [each["queued"] for each in await api.ps()] == [0]


async def _busy(api) -> bool:
    return [each["status"] for each in await api.ps()] == ["generating"]


async def test_more_streams_than_slots_wait_in_the_queue(client, api, until):
    await api.load(MODEL)
    await api.faults(timings="rate=25")

    async def words() -> str:
        answer = await client.chat.completions.create(model=MODEL, messages=ask("6 words"))
        return answer.choices[0].message.content

    tasks = [asyncio.create_task(words()) for _ in range(6)]

    async def queued() -> bool:
        return (await api.ps())[0]["queued"] == 6

    await until(queued)
    assert set(await asyncio.gather(*tasks)) == {"word1 word2 word3 word4 word5 word6"}
