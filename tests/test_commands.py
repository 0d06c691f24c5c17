"""What can be done, against a backend that does as it is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lmdeck.backend.errors import BackendError, LoadFailed, NotFound
from lmdeck.commands import Commands, shortfall
from lmdeck.model.catalog import InstanceConfig, Model
from lmdeck.model.chat import ChatEvent, ChatRequest, ChatStarted
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.state.events import Event, LoadEnded, LoadStarted, UnloadEnded, UnloadStarted

REQUEST = LoadRequest("qwen", context_length=8192)


class Scripted:
    """A `Backend` whose load waits for `gate` and whose unload fails for `missing`."""

    url, has_token, round_trip_s = "http://test", False, 0.0

    def __init__(self, error: BackendError | None = None) -> None:
        self.error, self.gate, self.unloaded = error, asyncio.Event(), list[str]()
        self.gate.set()

    async def greet(self) -> float:
        return 0.0

    async def models(self) -> tuple[Model, ...]:
        return ()

    async def load(self, request: LoadRequest) -> LoadResult:
        await self.gate.wait()
        if self.error:
            raise self.error
        return LoadResult(request.model)

    async def unload(self, instance_id: str) -> None:
        if instance_id == "missing":
            raise NotFound("not loaded", status=404)
        self.unloaded.append(instance_id)

    async def chat(self, request: ChatRequest) -> AsyncIterator[ChatEvent]:
        yield ChatStarted(request.model)

    async def close(self) -> None:
        pass


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_load_tells_its_start_and_its_result() -> None:
    events: list[Event] = []
    await Commands(Scripted(), events.append).load(REQUEST)
    assert names(events) == ["LoadStarted", "LoadEnded"]
    assert events[1] == LoadEnded(REQUEST, LoadResult("qwen"))


async def test_a_failed_load_is_an_event_and_an_error() -> None:
    events: list[Event] = []
    error = LoadFailed("insufficient system resources", status=500)
    with pytest.raises(LoadFailed):
        await Commands(Scripted(error), events.append).load(REQUEST)
    assert events[1] == LoadEnded(REQUEST, problem=error.problem)


async def test_a_cancelled_load_ends_without_an_outcome() -> None:
    events: list[Event] = []
    started = asyncio.Event()

    def emit(event: Event) -> None:
        events.append(event)
        started.set()

    backend = Scripted()
    backend.gate.clear()
    task = asyncio.create_task(Commands(backend, emit).load(REQUEST))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(events[0], LoadStarted)
    assert events[1] == LoadEnded(REQUEST)


async def test_unload_all_goes_on_after_a_failure_and_then_raises_it() -> None:
    events: list[Event] = []
    backend = Scripted()
    with pytest.raises(NotFound):
        await Commands(backend, events.append).unload_all(["a", "missing", "b"])
    assert backend.unloaded == ["a", "b"]
    assert [type(event) for event in events] == [UnloadStarted, UnloadEnded] * 3
    assert [event.problem is not None for event in events if isinstance(event, UnloadEnded)] == [False, True, False]


def test_shortfall_names_only_what_differs() -> None:
    def echo(**config: int | bool) -> LoadResult:
        return LoadResult("qwen", config=InstanceConfig(**config))  # type: ignore[arg-type]

    assert shortfall(REQUEST, LoadResult("qwen")) is None
    assert shortfall(REQUEST, echo(context_length=8192, flash_attention=True)) is None
    assert shortfall(REQUEST, echo(context_length=4096)) == "context_length: 8192 requested, 4096 reported"
