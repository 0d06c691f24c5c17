"""Experiments on real servers: the scripted one, whose contexts are as they are told to be, and llama.cpp."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import httpx
import pytest

from lmdeck.backend.errors import BackendError, BadReply, Refused, StreamCut, Unauthorized
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.experiments.bench import bench
from lmdeck.experiments.verify import plan, verify
from lmdeck.model.experiment import BenchResult, Verified
from lmdeck.model.load import LoadRequest

Connect = Callable[[DemoEndpoint], LMStudio]
CHAT, SMALL = "ha-expert", "smollm2-135m-instruct"


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes a backend for a server, closed at the end."""
    backends: list[LMStudio] = []

    def make(endpoint: DemoEndpoint) -> LMStudio:
        backends.append(LMStudio(endpoint.url, Token(endpoint.token)))
        return backends[-1]

    yield make
    for backend in backends:
        await backend.close()


async def verdict_of(backend: LMStudio, instance: str, context: int) -> Verified:
    *probes, found = [step async for step in verify(backend, plan(instance, context), reasoning_off=False)]
    assert isinstance(found, Verified)
    assert list(found.probes) == probes
    return found


def control(endpoint: DemoEndpoint) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=endpoint.url, headers={"authorization": f"Bearer {endpoint.token}"})


async def set_faults(endpoint: DemoEndpoint, *faults: str, timings: str | None = None) -> None:
    async with control(endpoint) as client:
        (await client.post("/demo/faults", json={"faults": faults, "timings": timings})).raise_for_status()


async def idle(endpoint: DemoEndpoint) -> bool:
    async with control(endpoint) as client:
        return all(each["status"] == "idle" for each in (await client.get("/demo/ps")).json())


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)


async def test_a_context_that_was_granted(scripted_server, connect):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=16384))
    found = await verdict_of(backend, CHAT, 16384)
    assert found.proof is not None
    assert (found.proof.tokens, found.proof.refused) == (16384 - 64, None)


async def test_less_than_was_promised(scripted_server, connect):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=8192))
    found = await verdict_of(backend, CHAT, 32768)
    assert found.proof is not None
    assert found.proof.tokens < 8192 <= (found.proof.refused or 0)
    assert found.words.endswith("the context is about 8192, not 32768.")


@pytest.mark.parametrize("fault", ["context_collapse", "context_deny", "context_truncate"])
async def test_a_server_that_gives_less_than_it_says(scripted_server, connect, fault):
    backend = connect(scripted_server)
    await set_faults(scripted_server, fault)
    await backend.load(LoadRequest(CHAT, context_length=32768))
    assert (await backend.models()) != ()
    found = await verdict_of(backend, CHAT, 32768)
    assert found.proof is not None
    assert 8192 - 110 < found.proof.tokens <= 8192
    assert found.proof.refused is not None
    assert found.words.endswith("not 32768.")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("unauthorized:/api/v1/chat", Unauthorized), ("http_500:/api/v1/chat", Refused),
     ("sse_cut:/api/v1/chat", StreamCut), ("html:/api/v1/chat", BadReply)],
)  # fmt: skip
async def test_trouble_proves_nothing(scripted_server, connect, fault, kind):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=8192))
    await set_faults(scripted_server, fault)
    with pytest.raises(kind):
        await verdict_of(backend, CHAT, 8192)


async def test_what_is_not_loaded_is_not_loaded_for_it(scripted_server, connect):
    backend = connect(scripted_server)
    with pytest.raises(BackendError, match=f"{CHAT} is gone"):
        await verdict_of(backend, CHAT, 8192)


async def test_stopping_makes_the_server_stop(scripted_server, connect):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=8192))
    await set_faults(scripted_server, timings="ttft=60")
    async with aclosing(bench(backend, CHAT, (4,))) as steps:
        task = asyncio.ensure_future(anext(steps))

        async def busy() -> bool:
            return not await idle(scripted_server)

        await until(busy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await until(lambda: idle(scripted_server))


async def test_a_request_that_breaks_off_is_counted(scripted_server, connect):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=8192))
    steps = bench(backend, CHAT, (1, 4), slots=4)
    async with aclosing(steps):
        first = await anext(steps)
        await set_faults(scripted_server, "mid_stream_error*1")
        second = await anext(steps)
    assert (first.failed, second.failed) == (0, 1)
    assert "Exit code" in second.refusal


async def test_slots_limit_what_runs_together(scripted_server, connect):
    backend = connect(scripted_server)
    await backend.load(LoadRequest(CHAT, context_length=8192))
    await set_faults(scripted_server, timings="ttft=0.02,rate=400")
    *levels, result = [step async for step in bench(backend, CHAT, (1, 4, 8), slots=4)]
    assert isinstance(result, BenchResult)
    assert [level.together for level in levels] == [1, 4, 4]
    assert [level.tokens for level in levels] == [64, 256, 512]
    assert levels[1].aggregate > 2 * levels[0].aggregate


async def test_the_real_engine_keeps_what_it_promises(llama_server, connect):
    backend = connect(llama_server)
    await backend.load(LoadRequest(SMALL, context_length=2048))
    found = await verdict_of(backend, SMALL, 2048)
    assert found.proof is not None
    assert found.proof.refused is None
    assert 2048 - 80 <= found.proof.tokens < 2048
    levels = [step async for step in bench(backend, SMALL, (1, 2), slots=4, answer_tokens=24)]
    assert [(level.concurrency, level.together, level.tokens, level.failed) for level in levels[:2]] == [
        (1, 1, 24, 0),
        (2, 2, 48, 0),
    ]
    assert all(speed > 0 for level in levels[:2] for speed in level.each)


async def test_the_real_engine_refuses_what_is_too_long(llama_server, connect):
    backend = connect(llama_server)
    await backend.load(LoadRequest(SMALL, context_length=512))
    found = await verdict_of(backend, SMALL, 2048)
    assert found.proof is not None
    assert 512 - 70 <= found.proof.tokens < 512 <= (found.proof.refused or 0)
    assert found.words.endswith("the context is about 512, not 2048.")
