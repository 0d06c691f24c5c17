"""Feeds: sources in, events out, and an end that frees what they hold."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import psutil
import pytest

from lmdeck.backend.errors import BackendError, BadReply, CommandFailed, NotFound, NotLMStudio, TimedOut, Unreachable
from lmdeck.feeds.activity import activity_feed, runtime_feed
from lmdeck.feeds.contexts import context_feed
from lmdeck.feeds.files import file_feed
from lmdeck.feeds.machine import machine_feed
from lmdeck.feeds.models import model_feed
from lmdeck.feeds.pace import Pace
from lmdeck.feeds.sources import Machine
from lmdeck.model.catalog import Activity, Model, ModelFile
from lmdeck.model.machine import GpuSample, HostSample
from lmdeck.state.events import (
    ActivitySeen,
    CatalogSeen,
    Event,
    FilesSeen,
    MachineSeen,
    OlderApiSaid,
    RuntimeSeen,
    SourceLost,
)

MODELS = (Model("qwen"),)


def quick() -> Pace:
    """A pace that never rests."""
    return Pace(fast=0.0, slow=0.0, gap=0.0)


class Server:
    """A backend that answers its script, one item a question; the last one for ever."""

    round_trip_s = 0.004

    def __init__(self, *script: tuple[Model, ...] | BackendError, greeting: BackendError | None = None) -> None:
        self.script, self.greeting, self.greeted = list(script), greeting, 0

    async def models(self) -> tuple[Model, ...]:
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BackendError):
            raise answer
        return answer

    async def greet(self) -> float:
        self.greeted += 1
        if self.greeting:
            raise self.greeting
        return 0.001


async def take(feed: AsyncGenerator[Event], count: int) -> list[Event]:
    """The first events of a feed, which is then closed."""
    found: list[Event] = []
    async with aclosing(feed) as events, asyncio.timeout(5):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_models_are_told_and_a_loss_is_no_end() -> None:
    server = Server(MODELS, Unreachable("connection refused"), MODELS)
    first, lost, again = await take(model_feed(server, quick()), 3)  # type: ignore[arg-type]
    assert isinstance(first, CatalogSeen)
    assert first.models == MODELS
    assert first.latency_s == 0.004
    assert isinstance(lost, SourceLost)
    assert lost.problem.title == "down: connection refused"
    assert isinstance(again, CatalogSeen)
    assert server.greeted == 0


async def test_an_answer_without_sense_is_checked_against_the_greeting() -> None:
    foreign = Server(BadReply("no JSON"), greeting=NotLMStudio("it answers HTML"))
    (lost,) = await take(model_feed(foreign, quick()), 1)  # type: ignore[arg-type]
    assert isinstance(lost, SourceLost)
    assert lost.problem.title == "not LM Studio"
    ours = Server(BadReply("no JSON"))
    (lost,) = await take(model_feed(ours, quick()), 1)  # type: ignore[arg-type]
    assert isinstance(lost, SourceLost)
    assert lost.problem.title == "bad reply"


class Command:
    """An `lms` with a script."""

    def __init__(self, *script: tuple[Activity, ...] | BackendError, runtime: str | BackendError | None = None) -> None:
        self.script, self.selected, self.asked = list(script), runtime, 0

    async def ps(self) -> tuple[Activity, ...]:
        self.asked += 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BackendError):
            raise answer
        return answer

    async def runtime(self) -> str | None:
        if isinstance(self.selected, BackendError):
            raise self.selected
        return self.selected


async def test_activity_is_asked_only_while_the_server_is_there() -> None:
    online = asyncio.Event()
    command = Command((Activity("qwen", "qwen"),), CommandFailed("boom"))
    feed = activity_feed(command, quick(), online)  # type: ignore[arg-type]
    waiting = asyncio.ensure_future(anext(feed))
    for _ in range(10):
        await asyncio.sleep(0)
    assert command.asked == 0
    online.set()
    seen = await waiting
    assert isinstance(seen, ActivitySeen)
    assert seen.activities[0].instance_id == "qwen"
    lost = await anext(feed)
    assert isinstance(lost, SourceLost)
    assert (lost.source, lost.problem.detail) == ("activity", "boom")
    await feed.aclose()


@pytest.mark.parametrize(
    ("runtime", "events"),
    [("llama.cpp@2.3.0", [RuntimeSeen("llama.cpp@2.3.0")]), (None, []), (TimedOut("no answer within 15 s"), [])],
)
async def test_the_runtime_is_told_once_or_not_at_all(runtime: str | BackendError | None, events: list[Event]) -> None:
    feed = runtime_feed(Command((), runtime=runtime))  # type: ignore[arg-type]
    assert [event async for event in feed] == events


class Driver:
    """A GPU source that notes which thread touches it."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.closed = threading.Event()

    def sample(self) -> GpuSample:
        self.threads.add(threading.current_thread().name)
        return GpuSample()

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed.set()


class Host:
    def sample(self) -> HostSample:
        return HostSample(1.0, 2, 3, 4, 5)


async def test_the_machine_is_read_and_let_go_in_a_thread_of_its_own() -> None:
    driver = Driver()
    (event,) = await take(machine_feed(lambda: Machine(driver, Host())), 1)
    assert isinstance(event, MachineSeen)
    assert event.host.cpu == 1.0
    assert await asyncio.to_thread(driver.closed.wait, 5)
    assert {name.rsplit("_", 1)[0] for name in driver.threads} == {"telemetry"}


class Stumbling(Host):
    """Fails once, as a process table that changes under the reader may."""

    failed = False

    def sample(self) -> HostSample:
        if not self.failed:
            self.failed = True
            raise psutil.NoSuchProcess(1)
        return super().sample()


async def test_a_reading_that_fails_is_left_out_and_sampling_goes_on() -> None:
    (event,) = await take(machine_feed(lambda: Machine(None, Stumbling())), 1)
    assert isinstance(event, MachineSeen)


async def test_without_gpu_telemetry_the_host_is_still_read() -> None:
    (event,) = await take(machine_feed(lambda: Machine(None, Host())), 1)
    assert isinstance(event, MachineSeen)
    assert event.gpus is None


class Folder:
    """An `lms` that knows one file, after a first failure."""

    def __init__(self) -> None:
        self.asked = 0
        self.heard = asyncio.Event()

    async def ls(self) -> tuple[ModelFile, ...]:
        self.asked += 1
        self.heard.set()
        if self.asked == 1:
            raise CommandFailed("not now")
        return (ModelFile("qwen", "a/b.gguf"),)


async def test_files_are_asked_for_only_when_wanted() -> None:
    folder, wanted = Folder(), asyncio.Event()
    feed = file_feed(folder, wanted)
    waiting = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(0)
    assert folder.asked == 0
    wanted.set()
    await folder.heard.wait()
    wanted.set()
    assert await waiting == FilesSeen((ModelFile("qwen", "a/b.gguf"),))
    await feed.aclose()


class Older:
    """A server whose older API tells contexts, or is not there."""

    def __init__(self, *script: dict[str, int] | BackendError) -> None:
        self.script = list(script)

    async def loaded_contexts(self) -> dict[str, int]:
        answer = self.script.pop(0)
        if isinstance(answer, BackendError):
            raise answer
        return answer


async def test_the_older_api_is_asked_until_it_is_not_there() -> None:
    wanted = asyncio.Event()
    wanted.set()
    feed = context_feed(Older({"qwen": 8192}, NotFound("no")), wanted)
    assert await anext(feed) == OlderApiSaid({"qwen": 8192})
    wanted.set()
    with pytest.raises(StopAsyncIteration):
        await anext(feed)
