"""How an instance scales: short generations at once, measured from outside."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence

from lmdeck.backend.errors import BackendError
from lmdeck.backend.protocol import Backend
from lmdeck.experiments.turn import Clock, Turn, take_turn
from lmdeck.model.chat import ChatRequest, Value
from lmdeck.model.experiment import BenchLevel, BenchResult

ANSWER_TOKENS = 64
MOST_AT_ONCE = 32
_UNTOLD_SLOTS = 4  # LM Studio's default
_GAIN = 1.1


def levels_for(slots: int | None) -> tuple[int, ...]:
    """1, 2, 4, 8 … up to at least twice the slots, at most 32."""
    wanted = min(MOST_AT_ONCE, 2 * max(1, slots or _UNTOLD_SLOTS))
    levels = [1]
    while levels[-1] < wanted:
        levels.append(2 * levels[-1])
    return tuple(levels)


async def bench(
    backend: Backend,
    instance_id: str,
    levels: Sequence[int],
    *,
    slots: int | None = None,
    answer_tokens: int = ANSWER_TOKENS,
    clock: Clock = time.monotonic,
) -> AsyncGenerator[BenchLevel | BenchResult]:
    """Every level as it is over, then all of them. Closing or cancelling it closes every connection.

    A request that fails is counted, and the run ends with the first level at which all fail. Raises BackendError where
    there is nothing to measure: the warm-up, which is not counted, failed, or the whole first level.
    """
    prompts = _Prompts(instance_id, answer_tokens)
    warm = await take_turn(backend, prompts.next(), clock)
    done = list[BenchLevel]()
    for concurrency in levels:
        started = clock()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_attempt(backend, prompts.next(), clock)) for _ in range(concurrency)]
        turns = [task.result() for task in tasks]
        level = measure(concurrency, turns, clock() - started)
        if level.failed == concurrency and not done:
            raise next(turn for turn in turns if isinstance(turn, BackendError))
        done.append(level)
        yield level
        if level.failed == concurrency:
            break
    yield BenchResult(
        instance_id, slots, warm.stats.input_tokens, answer_tokens, tuple(done), effective(done), time.time()
    )


async def _attempt(backend: Backend, request: ChatRequest, clock: Clock) -> Turn | BackendError:
    try:
        return await take_turn(backend, request, clock)
    except BackendError as error:
        return error


def measure(concurrency: int, turns: Sequence[Turn | BackendError], wall_s: float) -> BenchLevel:
    """One level from its requests, in the order of their start."""
    good = [turn for turn in turns if isinstance(turn, Turn)]
    bad = [turn for turn in turns if isinstance(turn, BackendError)]
    tokens = sum(turn.tokens for turn in good)
    return BenchLevel(
        concurrency=concurrency,
        together=together(
            [(turn.first, turn.last) for turn in good if turn.first is not None and turn.last is not None]
        ),
        wall_s=wall_s,
        tokens=tokens,
        aggregate=tokens / wall_s if wall_s > 0 else 0.0,
        each=tuple(speed for turn in good if (speed := turn.speed) is not None),
        ttft=tuple(wait for turn in good if (wait := turn.ttft) is not None),
        failed=len(bad),
        refusal=bad[0].problem.sentence if bad else "",
    )


def together(spans: Sequence[tuple[float, float]]) -> int:
    """How many of the spans (first to last token) have a moment in common at the peak; touching ends do not count."""
    return max((sum(a <= start < b or (a == start) for a, b in spans) for start, _ in spans), default=0)


def effective(levels: Sequence[BenchLevel]) -> int | None:
    """The smallest concurrency after which no level brought a tenth more, or more requests generated at once no more
    than these; None while the last one still did."""
    peak = max((level.together for level in levels), default=0)
    if levels and peak < levels[-1].concurrency:
        return peak
    for number, level in enumerate(levels[:-1]):
        if all(later.aggregate < level.aggregate * _GAIN for later in levels[number + 1 :]):
            return level.concurrency
    return None


class _Prompts:
    """Prompts of one length that no cache has seen: a number that differs stands at their start."""

    def __init__(self, instance_id: str, answer_tokens: int) -> None:
        self._instance_id, self._answer_tokens = instance_id, answer_tokens
        self._number = random.randrange(10_000, 90_000)

    def next(self) -> ChatRequest:
        """One more. It asks for more than is taken, so that no answer ends early by itself."""
        self._number += 1
        text = f"{self._number} is the number of a ship. Write its story in {max(300, 2 * self._answer_tokens)} words."
        limits: dict[str, Value] = {"max_output_tokens": self._answer_tokens, "temperature": 0}
        return ChatRequest(self._instance_id, text, store=False, parameters=limits)
