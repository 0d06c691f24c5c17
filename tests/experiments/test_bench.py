"""How an instance scales: the arithmetic on a clock that only the fake server moves, and what happens on failures."""

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from lmdeck.backend.errors import BackendError, Refused, Unreachable
from lmdeck.experiments.bench import bench, effective, levels_for, measure, together
from lmdeck.experiments.turn import Turn
from lmdeck.model.chat import ChatEnded, ChatEvent, ChatRequest, ChatStats, MessageDelta
from lmdeck.model.experiment import BenchLevel, BenchResult


class Clock:
    """Seconds that pass only when everybody waits."""

    def __init__(self) -> None:
        self.now, self._waiting, self._count = 0.0, [], 0

    def __call__(self) -> float:
        return self.now

    async def rest(self, seconds: float) -> None:
        """Wait for a moment on this clock; the last one to wait moves it."""
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (self.now + seconds, self._count, future))
        for _ in range(20):  # let everybody else come to rest
            await asyncio.sleep(0)
        while not future.done():
            moment, _, first = heapq.heappop(self._waiting)
            self.now = max(self.now, moment)
            first.set_result(None)
            await asyncio.sleep(0)


class Paced:
    """A server with `slots`, 0.5 s to the first token and ten tokens a second for each."""

    def __init__(self, clock: Clock, slots: int, tokens: int | None = None) -> None:
        self.clock, self.slots, self.tokens = clock, asyncio.Semaphore(slots), tokens
        self.asked: list[ChatRequest] = []

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        self.asked.append(request)
        count = self.tokens or request.parameters.get("max_output_tokens") or 0
        async with self.slots:
            await self.clock.rest(0.5)
            for number in range(count):
                if number:
                    await self.clock.rest(0.1)
                yield MessageDelta("x")
        yield ChatEnded(ChatStats(input_tokens=40, output_tokens=count))


def level(concurrency: int, aggregate: float) -> BenchLevel:
    return BenchLevel(concurrency, concurrency, 1.0, 64, aggregate, (), ())


@pytest.mark.parametrize(
    ("slots", "levels"),
    [
        (1, (1, 2)), (3, (1, 2, 4, 8)), (4, (1, 2, 4, 8)), (8, (1, 2, 4, 8, 16)), (None, (1, 2, 4, 8)),
        (16, (1, 2, 4, 8, 16, 32)), (100, (1, 2, 4, 8, 16, 32)), (0, (1, 2, 4, 8)),
    ],
)  # fmt: skip
def test_levels_go_to_twice_the_slots(slots, levels):
    assert levels_for(slots) == levels


@pytest.mark.parametrize(
    ("spans", "peak"),
    [
        ([], 0),
        ([(1, 1)], 1),
        ([(0, 2), (2, 4)], 1),
        ([(0, 2), (1, 3), (1.5, 1.6)], 3),
        ([(0, 9), (1, 2), (3, 4)], 2),
        ([(5, 5), (5, 5)], 2),
    ],
)
def test_together_is_the_peak_of_the_overlap(spans, peak):
    assert together(spans) == peak


@pytest.mark.parametrize(
    ("speeds", "found"),
    [
        ((10, 20, 40), None),
        ((10, 20, 40, 43, 42), 4),
        ((10, 10.9), 1),
        ((10, 10.5, 20), None),  # a pause in between is no end
        ((10,), None),
        ((), None),
    ],
)
def test_effective_concurrency(speeds, found):
    assert effective([level(2**number, speed) for number, speed in enumerate(speeds)]) == found


async def test_measured_on_a_server_with_two_slots():
    clock = Clock()
    server = Paced(clock, slots=2)
    steps = [step async for step in bench(server, "m", (1, 2, 4), slots=2, answer_tokens=11, clock=clock)]
    *levels, result = steps
    assert isinstance(result, BenchResult)
    assert result.levels == tuple(levels)
    assert (result.slots, result.prompt_tokens, result.answer_tokens) == (2, 40, 11)
    one, two, four = levels
    assert (one.together, two.together, four.together) == (1, 2, 2)
    assert (one.tokens, two.tokens, four.tokens) == (11, 22, 44)
    assert [each.wall_s for each in levels] == pytest.approx([1.5, 1.5, 3.0], abs=0.01)
    assert [each.aggregate for each in levels] == pytest.approx([11 / 1.5, 22 / 1.5, 44 / 3], rel=0.01)
    assert one.each == pytest.approx([10.0], rel=0.01)
    assert sorted(four.ttft) == pytest.approx([0.5, 0.5, 2.0, 2.0], abs=0.01)
    assert result.effective == 2


async def test_prompts_differ_from_their_start_and_are_of_one_length():
    clock = Clock()
    server = Paced(clock, slots=4)
    async for _ in bench(server, "m", (2, 4), answer_tokens=3, clock=clock):
        pass
    prompts = [request.input for request in server.asked]
    assert len({prompt.split()[0] for prompt in prompts}) == len(prompts) == 7
    assert len({len(prompt) for prompt in prompts}) == 1
    limits = {"max_output_tokens": 3, "temperature": 0}
    assert all((each.parameters, each.store) == (limits, False) for each in server.asked)


async def test_answers_that_end_early_count_what_there_was():
    clock = Clock()
    levels = [step async for step in bench(Paced(clock, 4, tokens=5), "m", (2,), answer_tokens=64, clock=clock)]
    assert levels[0].tokens == 10


def test_an_answer_in_one_piece_has_the_servers_speed():
    turn = Turn(0.0, ended=1.0, first=0.9, last=0.9, pieces=1, stats=ChatStats(None, 64, None, 70.0))
    measured = measure(1, [turn], 1.0)
    assert (measured.each, measured.tokens, measured.together) == ((70.0,), 64, 1)


async def test_failures_are_counted_with_their_words(fake):
    backend = fake(fails=lambda number: Refused("too busy", status=429) if number in (4, 5) else None)
    steps = [step async for step in bench(backend, "m", (1, 4), slots=4)]
    assert (steps[1].failed, steps[1].refusal) == (2, "429: refused: too busy")
    assert len(steps[1].each) <= 2
    assert steps[-1].levels == (steps[0], steps[1])


async def test_the_first_level_where_all_fail_is_the_last(fake):
    backend = fake(fails=lambda number: Unreachable("connection refused") if number > 2 else None)
    steps = [step async for step in bench(backend, "m", (1, 2, 4), slots=4)]
    assert [step.failed for step in steps[:-1]] == [0, 2]
    assert steps[1].aggregate == 0
    assert steps[-1].effective == 1


@pytest.mark.parametrize("first_failure", [1, 2])
async def test_nothing_to_measure_is_raised(fake, first_failure):
    backend = fake(fails=lambda number: Unreachable("connection refused") if number >= first_failure else None)
    with pytest.raises(BackendError, match="connection refused"):
        async for _ in bench(backend, "m", (1, 2)):
            pass


async def test_stopping_closes_every_request(fake):
    backend = fake()
    async with aclosing(bench(backend, "m", (1, 8))) as steps:
        await anext(steps)
        backend.hang = True
        task = asyncio.ensure_future(anext(steps))
        await backend.until_open(8)
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert backend.open == 0
