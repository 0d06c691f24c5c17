"""The hub alone, with the scripted engine in process: queue, just-in-time loads, idle time-out, eviction."""

import asyncio
from contextlib import aclosing

import pytest

from lmdeck.demo.engines.base import GenerateRequest, LoadOptions, RunnerGone
from lmdeck.demo.engines.scripted import ScriptedEngine, Timings
from lmdeck.demo.engines.seven import SEVEN
from lmdeck.demo.errors import ApiError
from lmdeck.demo.faults import Faults
from lmdeck.demo.hub import Hub
from lmdeck.demo.logs import LogHub

QWEN, GLM = "qwen/qwen3-coder-30b", "zai-org/glm-4.7-flash"


def hello(words: str = "5000 words") -> GenerateRequest:
    return GenerateRequest(messages=({"role": "user", "content": words},))


@pytest.fixture
def timings():
    return Timings(load_s=0.01, ttft_s=0.001, tokens_per_s=5000)


@pytest.fixture
async def hub(timings):
    made = Hub(ScriptedEngine(Faults(), timings), SEVEN, LogHub(), jit=True, jit_ttl_s=60)
    yield made
    await made.close()


async def load(hub: Hub, key: str, **options) -> str:
    options = {"context_length": 8192} | options
    return (await hub.load(hub.model(key), LoadOptions(**options)).done()).id


async def generate(hub: Hub, key: str, words: str) -> None:
    async with hub.request(key) as ticket, aclosing(ticket.generate(hello(words))) as pieces:
        async for _ in pieces:
            pass


async def started(hub: Hub, count: int) -> None:
    """Wait until `count` requests are in the queues."""
    async with asyncio.timeout(5):
        while sum(len(each.tickets) for each in hub.instances.values()) != count:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_requests_beyond_the_slots_wait_and_are_counted(hub, timings):
    timings.tokens_per_s = 1000
    await load(hub, QWEN, parallel=2)
    asking = [asyncio.create_task(generate(hub, QWEN, "100 words")) for _ in range(5)]
    await started(hub, 5)
    instance = hub.find(QWEN)
    assert (instance.ps()["queued"], instance.slots.locked()) == (5, True)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*asking)
    took = asyncio.get_running_loop().time() - begun
    assert took > 0.25  # three rounds of 0.1 s on two slots
    assert (instance.status, instance.ps()["queued"]) == ("idle", 0)


async def test_concurrent_requests_share_one_just_in_time_load(hub):
    await asyncio.gather(*(generate(hub, QWEN, "3 words") for _ in range(4)))
    assert list(hub.instances) == [QWEN]
    assert hub.instances[QWEN].jit


async def test_a_just_in_time_load_evicts_the_one_before_but_not_what_was_loaded_by_hand(hub):
    await load(hub, "ha-expert")
    await generate(hub, QWEN, "3 words")
    await generate(hub, GLM, "3 words")
    assert sorted(hub.instances) == ["ha-expert", GLM]
    assert hub.instances["ha-expert"].ttl_s is None
    assert hub.instances[GLM].ttl_s == 60


async def test_an_idle_instance_goes_after_its_ttl_and_a_request_resets_it(hub):
    reaper = asyncio.create_task(hub.reap(every_s=0.005))
    await hub.load(hub.model(QWEN), hub.defaults(hub.model(QWEN)), ttl_s=0.2).done()
    await load(hub, "ha-expert")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while loop.time() - begun < 0.3:
        await generate(hub, QWEN, "3 words")
    used = loop.time()
    async with asyncio.timeout(5):
        while QWEN in hub.instances:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert loop.time() - used > 0.15
    assert list(hub.instances) == ["ha-expert"]
    reaper.cancel()


async def test_a_busy_instance_outlives_its_ttl(hub, timings):
    timings.tokens_per_s = 100
    await hub.load(hub.model(QWEN), hub.defaults(hub.model(QWEN)), ttl_s=0.01).done()
    asking = asyncio.create_task(generate(hub, QWEN, "20 words"))
    reaper = asyncio.create_task(hub.reap(every_s=0.005))
    await asking  # would raise RunnerGone
    reaper.cancel()


async def test_unloading_ends_running_and_waiting_requests(hub, timings):
    timings.tokens_per_s = 10
    await load(hub, QWEN, parallel=1)
    asking = [asyncio.create_task(generate(hub, QWEN, "5000 words")) for _ in range(3)]
    await started(hub, 3)
    await hub.unload(QWEN)
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in outcomes] == [RunnerGone] * 3
    assert hub.instances == {}


async def test_without_jit_nothing_is_loaded_by_requests(timings):
    hub = Hub(ScriptedEngine(Faults(), timings), SEVEN, LogHub(), jit=False)
    with pytest.raises(ApiError, match="No models loaded") as nothing:
        await generate(hub, QWEN, "x")
    assert nothing.value.status == 400
    await load(hub, "ha-expert")
    with pytest.raises(ApiError, match="'qwen/qwen3-coder-30b' is not loaded"):
        await generate(hub, QWEN, "x")
    await hub.close()


async def test_an_identifier_is_used_once(hub):
    model = hub.model(QWEN)
    job = hub.load(model, hub.defaults(model), identifier="mine")
    with pytest.raises(ApiError, match="already in use"):
        hub.load(model, hub.defaults(model), identifier="mine")
    assert (await job.done()).id == "mine"
    assert hub.find(QWEN) is hub.find("mine")


async def test_a_load_outlives_its_waiter_and_ends_by_cancel(hub, timings):
    timings.load_s = 0.1
    model = hub.model(QWEN)
    job = hub.load(model, hub.defaults(model))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(job.done(), 0.01)
    assert (await job.done()).id == QWEN
    timings.load_s = 60
    second = hub.load(model, hub.defaults(model))
    await second.cancel()
    with pytest.raises(ApiError, match="was cancelled"):
        await second.done()
    assert list(hub.instances) == [QWEN]


async def test_close_ends_loads_and_instances(hub, timings):
    await load(hub, QWEN)
    timings.load_s = 60
    job = hub.load(hub.model(GLM), hub.defaults(hub.model(GLM)))
    await hub.close()
    assert hub.instances == {}
    with pytest.raises(ApiError, match="cancelled"):
        await job.done()
