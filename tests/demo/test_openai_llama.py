"""OpenAI's own client against real llama.cpp: SmolLM2 answers."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from itertools import pairwise

import openai
import psutil
import pytest

from lmdeck.demo.launch import DemoEndpoint

CHAT, EMBEDDER = "smollm2-135m-instruct", "text-embedding-smollm2-135m"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
LONG = [{"role": "user", "content": "Count from one to five hundred in words."}]


@pytest.fixture
async def client(llama_server: DemoEndpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{llama_server.url}/v1", api_key=llama_server.token, max_retries=0, timeout=60
    ) as client:
        yield client


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_a_chat_streamed_and_whole_with_measured_numbers(client, llama_lms):
    async with llama_lms.log("-s", "model") as model_event:
        stream = await client.chat.completions.create(
            model=CHAT, messages=QUESTION, stream=True, stream_options={"include_usage": True}, max_tokens=8
        )
        async with stream:
            chunks = [chunk async for chunk in stream]
        said, told = await model_event(), await model_event()
        whole = await client.chat.completions.create(model=CHAT, messages=QUESTION, max_tokens=3)
        _, cut = await model_event(), await model_event()
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    usage, stats = chunks[-1].usage, told["stats"]
    assert f"{QUESTION[0]['content']}<|im_end|>" in said["input"]
    assert text
    assert told["output"] == text
    assert stats["promptTokensCount"] == usage.prompt_tokens > 20
    assert stats["predictedTokensCount"] == usage.completion_tokens <= 8
    assert stats["tokensPerSecond"] > 0 < stats["timeToFirstTokenSec"]
    (choice,) = whole.choices
    assert (choice.finish_reason, choice.message.role) == ("length", "assistant")
    assert choice.message.content == cut["output"]
    assert whole.usage.completion_tokens == 3
    assert cut["stats"]["stopReason"] == "maxPredictedTokensReached"
    assert {whole.model, chunks[0].model} == {CHAT}


async def test_an_instance_answers_under_its_own_name_and_by_a_schema(client, llama):
    await llama.load(CHAT)
    await llama.load(CHAT, context_length=1024)
    schema = {"name": "x", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    answer = await client.chat.completions.create(
        model=f"{CHAT}:2",
        messages=[{"role": "user", "content": "A number, please."}],
        response_format={"type": "json_schema", "json_schema": schema},
        max_tokens=60,
        temperature=0,
    )
    assert answer.model == f"{CHAT}:2"
    assert isinstance(json.loads(answer.choices[0].message.content)["n"], int)
    with pytest.raises(openai.BadRequestError, match=r"exceeds the available context size \(1024 tokens\)"):
        await client.chat.completions.create(
            model=f"{CHAT}:2", messages=[{"role": "user", "content": "word " * 1500}], stream=True
        )


async def test_completions_with_several_answers(client):
    answer = await client.completions.create(model=CHAT, prompt="Once upon a", max_tokens=4, n=2, temperature=0)
    first, second = answer.choices
    assert first.text.startswith(" time")
    assert (first.index, second.index) == (0, 1)


async def test_embeddings_are_the_models_own(client):
    texts = ["A cat sat on the mat.", "A kitten sat on the rug.", "Quarterly tax returns are due."]
    answer = await client.embeddings.create(model=EMBEDDER, input=texts)
    again = await client.embeddings.create(model=EMBEDDER, input=texts[0])
    cat, kitten, tax = (row.embedding for row in answer.data)
    assert len(cat) == 576
    assert math.hypot(*cat) == pytest.approx(1, abs=1e-3)
    assert cat == pytest.approx(again.data[0].embedding, abs=2e-2)
    assert dot(cat, kitten) > dot(cat, tax)


async def test_two_streams_really_run_at_once(client, llama):
    await llama.load(CHAT)
    came: list[int] = []

    async def listen(number: int) -> None:
        stream = await client.chat.completions.create(
            model=CHAT, messages=LONG, stream=True, max_tokens=24, extra_body={"ignore_eos": True}
        )
        async with stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    came.append(number)

    await asyncio.gather(listen(0), listen(1))
    turns = sum(one != other for one, other in pairwise(came))
    assert turns >= 5, came


async def test_a_client_that_leaves_stops_the_generation(client, llama, llama_lms, until):
    await llama.load(CHAT)
    async with llama_lms.log("-s", "model") as model_event, llama_lms.log("-s", "runtime") as runtime_event:
        stream = await client.chat.completions.create(model=CHAT, messages=LONG, stream=True, max_tokens=500)
        async with stream:
            async for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
            (instance,) = await llama.ps()
            assert (instance["status"], instance["queued"]) == ("generating", 1)

        async def idle() -> bool:
            return [(each["status"], each["queued"]) for each in await llama.ps()] == [("idle", 0)]

        await until(idle)
        await model_event()
        assert (await model_event())["stats"]["stopReason"] == "userStopped"
        async with asyncio.timeout(10):
            while "all slots are idle" not in (await runtime_event())["message"]:
                pass


@pytest.mark.parametrize(
    ("crash", "words", "reason"), [(False, "Model was unloaded", "modelUnloaded"), (True, "has crashed", "failed")]
)
async def test_an_unload_and_a_crash_end_the_stream_with_an_error(
    client, llama, llama_server, llama_lms, crash, words, reason
):
    await llama.load(CHAT)
    async with llama_lms.log("-s", "model") as model_event:
        stream = await client.chat.completions.create(model=CHAT, messages=LONG, stream=True, max_tokens=500)
        async with stream:
            iterator = aiter(stream)
            await anext(iterator)
            if crash:
                psutil.Process(llama_server.pid).children(recursive=True)[0].kill()
            else:
                await llama.post("/api/v1/models/unload", json={"instance_id": CHAT})
            with pytest.raises(openai.APIError, match=words):
                async for _ in iterator:
                    pass
        await model_event()
        assert (await model_event())["stats"]["stopReason"] == reason


@pytest.mark.parametrize("stream", [True, False])
async def test_what_is_no_text_is_refused_not_fatal(llama, stream):
    body = '{"model": "%s", "max_tokens": 1, "stream": %s, "messages": [{"role": "user", "content": "\\ud800"}]}'
    answer = await llama.post("/v1/chat/completions", content=body % (CHAT, str(stream).lower()))
    assert answer.status_code in (400, 500)
    assert answer.json()["error"]["message"]
