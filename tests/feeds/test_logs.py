"""Three streams as one, and what a filter lets through of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from lmdeck.exchanges.join import Joiner
from lmdeck.feeds import chosen as chosen_module
from lmdeck.feeds import logs
from lmdeck.feeds.chosen import Chosen
from lmdeck.feeds.logs import Batch, Rests, in_portions, merged
from lmdeck.model.log import SOURCES, LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine
from lmdeck.model.log_query import parse_query


def line(at: float) -> RuntimeLine:
    return RuntimeLine(at, f"{at:g}")


async def stream(*batches: Batch, ends: bool = True, closed: list[str] | None = None) -> AsyncGenerator[Batch]:
    try:
        for batch in batches:
            yield batch
        if not ends:
            await asyncio.Event().wait()
    finally:
        if closed is not None:
            closed.append("closed")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHER_S", 0.01)


async def test_batches_of_all_streams_by_time():
    streams = [stream((line(1), line(4))), stream((line(2),), (line(5),)), stream((line(3),))]
    found = [entry.at for batch in [batch async for batch in merged(streams)] for entry in batch]
    assert found == [1, 2, 3, 4, 5]


async def test_no_streams_and_empty_ones():
    assert [batch async for batch in merged([])] == []
    assert [batch async for batch in merged([stream(), stream()])] == []


async def test_a_stream_that_fails_ends_all_of_them():
    async def failing() -> AsyncGenerator[Batch]:
        yield (line(1),)
        raise OSError("broken")

    async def read() -> None:
        async for _ in merged([failing(), stream((line(2),), ends=False, closed=closed)]):
            pass

    closed: list[str] = []
    with pytest.raises(OSError, match="broken"):
        await asyncio.wait_for(read(), 5)
    assert closed == ["closed"]


async def test_closing_it_closes_the_streams():
    closed: list[str] = []
    async with asyncio.timeout(5), aclosing(merged([stream((line(1),), ends=False, closed=closed)])) as batches:
        assert await anext(batches) == (line(1),)
    assert closed == ["closed"]


async def test_a_slow_reader_holds_the_streams_up_and_loses_nothing():
    asked = 0

    async def endless() -> AsyncGenerator[Batch]:
        nonlocal asked
        while True:
            asked += 1
            yield (line(asked),)

    seen: list[float] = []
    async with asyncio.timeout(10), aclosing(merged([endless()])) as batches:
        async for batch in batches:
            seen += [entry.at for entry in batch]
            before = asked
            await asyncio.sleep(0.02)
            assert asked - before < 20
            if len(seen) > 100:
                break
    assert seen == [float(n + 1) for n in range(len(seen))]


async def test_what_has_waited_is_not_made_to_wait_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHER_S", 3600.0)
    queue: logs.Arrivals = asyncio.Queue()
    arrived = asyncio.get_running_loop().time() - logs.GATHER_S
    for at in (1, 2):
        queue.put_nowait((arrived, (line(at),)))
    async with asyncio.timeout(5):
        assert await logs._gathered(queue, 2, None) == [(line(1),), (line(2),)]


async def test_a_batch_in_portions_leaves_others_their_turn_and_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "WORK_S", 0.0)
    entries = tuple(line(at) for at in range(1_000))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other, found, seen = asyncio.create_task(others()), list[LogEntry](), set[int]()
    async for portion in in_portions(entries, Rests()):
        found += portion
        seen.add(turns)
        assert len(portion) < 100
    other.cancel()
    assert tuple(found) == entries
    assert len(seen) > 10


async def test_a_flood_is_gathered_with_rests_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "WORK_S", 0.0)
    entries = tuple(line(at) for at in range(2_000))
    parts = [entries[number : number + 200] for number in range(0, 2_000, 200)]
    found = [batch async for batch in merged([stream(*parts[::2]), stream(*parts[1::2])], Rests())]
    assert sorted((entry for batch in found for entry in batch), key=lambda entry: entry.at) == list(entries)


async def test_after_a_key_one_rest_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    took = list[float]()

    async def sleep(seconds: float) -> None:
        took.append(seconds)

    monkeypatch.setattr(logs, "WORK_S", 0.0)
    monkeypatch.setattr(logs.asyncio, "sleep", sleep)
    rests = Rests()
    await rests.take()
    rests.heed_key()
    await rests.take()
    await rests.take()
    assert took == [logs.REST_S, logs.REST_S, logs.GIVE_WAY_S, logs.REST_S]


def exchange_lines(number: int, speed: float) -> list[LogEntry]:
    at, takes_s = 100.0 * number, 0.1 + 40 / speed
    stats = PredictionStats("eosFound", speed, 0.1, takes_s, 10, 40)
    output = PredictionOutput(at + takes_s, "m", f"answer {number}", stats)
    return [PredictionInput(at, "m", f"prompt {number}"), output]


def take(chosen: Chosen, joiner: Joiner, *entries: LogEntry) -> list[str]:
    changed = joiner.feed(entries)
    return [entry.text for entry in chosen.take(entries, changed)]


def test_all_lines_of_an_exchange_pass_or_none():
    joiner = Joiner()
    chosen = Chosen(parse_query("tps<20", 0), SOURCES, joiner)
    fast, slow = exchange_lines(1, 50.0), exchange_lines(2, 5.0)
    assert [take(chosen, joiner, entry) for entry in (*fast, *slow)] == [[], [], [], ["prompt 2", "answer 2"]]
    assert take(chosen, joiner, *exchange_lines(3, 5.0)) == ["prompt 3", "answer 3"]
    assert take(chosen, joiner, line(9)) == []


def test_only_the_wanted_sources_and_no_more_is_held_than_allowed(monkeypatch):
    monkeypatch.setattr(chosen_module, "MOST_HELD", 1)
    joiner = Joiner()
    chosen = Chosen(parse_query("tps<20", 0), ("model",), joiner)
    prompt, answer = exchange_lines(1, 5.0)
    assert take(chosen, joiner, prompt, line(1)) == []
    assert take(chosen, joiner, PredictionInput(150.0, "other", "later")) == []
    assert take(chosen, joiner, answer) == ["answer 1"]  # its prompt was let go
    assert chosen.take([line(1)]) == []
    assert Chosen(parse_query("", 0), ("model",), None).take([prompt, line(1)]) == [prompt]
