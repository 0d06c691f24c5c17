"""Verify context: is the promised context there? Proven with prompts of growing length, over HTTP alone."""

import time
from collections.abc import AsyncGenerator
from dataclasses import replace

from lmdeck.backend.errors import BadReply, Forbidden, LoadFailed, NotFound, Refused, Unauthorized
from lmdeck.backend.protocol import Backend
from lmdeck.backend.too_long import named_limit, says_too_long
from lmdeck.experiments.haystack import ROUND, Haystack, Scale
from lmdeck.experiments.search import Search, growing_sizes
from lmdeck.experiments.turn import Clock, take_turn
from lmdeck.experiments.verdict import verdict
from lmdeck.model.chat import ChatRequest, Value
from lmdeck.model.experiment import Probe, Verified, VerifyPlan
from lmdeck.model.text import one_line

ANSWER_TOKENS = 32
"""Enough for a code word; with it the largest prompt still fits into the context."""

CONTROLS = (0, 4 * ROUND)
"""Filler words of the two tiny prompts in front: they tell tokens per word, and whether the model can find a code."""

SMALL_PROMPT = 2048
"""Tokens up to which a needle that is not found speaks against the model, not against the context."""

_CUT_BELOW = 0.97
_CUT_SLACK = 16
_TELLING_GROWTH = 100
"""Tokens by which a prompt must have grown for its time to tell a pace: of so few more, most is fixed cost."""


def plan(instance_id: str, context: int, *, prompt_speed: float | None = None) -> VerifyPlan:
    """What will be sent to prove `context` tokens. `prompt_speed` is the speed of prompt reading in tokens/s, where it
    is known; the time is that without any help of a prompt cache, so rather less."""
    sizes = growing_sizes(context)
    speed = prompt_speed if prompt_speed and prompt_speed > 0 else None
    return VerifyPlan(instance_id, context, sizes, speed, sum(sizes) / speed if speed else None)


def cost(plan: VerifyPlan) -> tuple[int, int]:
    """How many prompts, and how many tokens in all, if nothing is refused."""
    return len(CONTROLS) + len(plan.sizes), sum(plan.sizes)


def seconds_left(plan: VerifyPlan, probes: tuple[Probe, ...]) -> float | None:
    """What the rest will take at the pace of the last growth: each prompt begins like the one before, which a prompt
    cache need not read again. None until one of the plan's own prompts went in, and once one was refused."""
    passed = [probe for probe in probes if probe.passed]
    if len(passed) <= len(CONTROLS) or len(passed) < len(probes):
        return None
    before, last = passed[-2].counted or 0, passed[-1].counted or 0
    grown = last - before if last - before >= _TELLING_GROWTH else last  # so little more is mostly fixed cost
    return max(0, plan.sizes[-1] - last) * passed[-1].took_s / max(1, grown)


async def verify(
    backend: Backend, plan: VerifyPlan, *, reasoning_off: bool, clock: Clock = time.monotonic
) -> AsyncGenerator[Probe | Verified]:
    """Every probe as it is over, then the verdict. Closing it closes the connection, and the server stops.

    `reasoning_off`: the model accepts `reasoning: off`. Raises BackendError for everything that is no refusal for
    length (server down, 401, unloaded): that proves nothing.
    """
    course, probes = _Course(backend, plan.instance_id, reasoning_off, clock), list[Probe]()
    for words in CONTROLS:
        probe = await course.control(words)
        probes.append(probe)
        yield probe
        if not probe.passed:
            break
    else:
        search = Search(plan.sizes, probes[-1].counted or 0)
        while (size := search.next_size()) is not None:
            probe = await course.probe(size)
            search.took(size, passed=probe.passed, limit=course.limit)
            probes.append(probe)
            yield probe
    yield verdict(plan, tuple(probes), course.limit)


class _Course:
    """The prompts of one verification and what they have taught so far. `limit` is the context that the last refusal
    named, or what was left of a prompt that was cut."""

    def __init__(self, backend: Backend, instance_id: str, reasoning_off: bool, clock: Clock) -> None:
        self._backend, self._instance_id, self._clock = backend, instance_id, clock
        self._quiet: dict[str, Value] = {"reasoning": "off"} if reasoning_off else {}
        self._hay = Haystack()
        self._scale: Scale | None = None
        self._can_find, self._can_talk = True, True
        self.limit: int | None = None
        self._counts = list[tuple[int, int]]()

    async def control(self, words: int) -> Probe:
        """One of the tiny prompts. A model that does not find the code in it is not expected to later."""
        sent = len(self._hay.prompt(words).split()) if self._scale is None else self._scale.tokens(words)
        probe = await self._ask(words, sent, sent // 2)  # nobody knows yet how many tokens a word takes
        if probe.passed and probe.counted is not None:
            self._scale = self._scale or Scale(probe.counted)
            self._scale.learn(words, probe.counted)
            probe = replace(probe, sent=probe.counted)
        self._can_talk = self._can_talk and not probe.silent
        self._can_find = self._can_find and probe.needle is True
        return _without_needle(probe)

    async def probe(self, size: int) -> Probe:
        """A prompt of about `size` tokens."""
        assert self._scale is not None  # the controls made it
        words = self._scale.words(size)
        probe = await self._ask(words, size, self._scale.tokens(words))
        if probe.passed and probe.counted is not None and self._counted_before(size, probe.counted):
            self.limit = probe.counted
            return replace(_without_needle(probe), refusal=f"silently cut to {probe.counted} tokens")
        if probe.passed:
            self._scale.learn(words, probe.counted or 0)
        if self._can_talk and probe.silent:
            return probe
        if probe.needle is False and size <= SMALL_PROMPT:
            self._can_find = False
        return probe if self._can_find else _without_needle(probe)

    def _counted_before(self, size: int, counted: int) -> bool:
        """Whether a clearly shorter prompt had the same count: then both were cut to it."""
        same = any(counted <= known and size - sent > _CUT_SLACK for sent, known in self._counts)
        self._counts.append((size, counted))
        return same

    async def _ask(self, words: int, sent: int, expected: int) -> Probe:
        request = ChatRequest(
            self._instance_id,
            self._hay.prompt(words),
            store=False,
            parameters={"max_output_tokens": ANSWER_TOKENS, "temperature": 0, **self._quiet},
        )
        started = self._clock()
        try:
            turn = await take_turn(self._backend, request, self._clock)
        except Refused as error:
            said = f"{error.detail} {error.kind or ''} {error.code or ''}"
            if isinstance(error, Unauthorized | Forbidden | NotFound | LoadFailed) or not says_too_long(said):
                raise
            self.limit = named_limit(error.detail) or self.limit
            words_said = one_line(error.detail or error.problem.title)
            return Probe(sent, None, self._clock() - started, refusal=words_said)
        counted = turn.stats.input_tokens
        if not counted:
            raise BadReply("the server does not count input tokens, so nothing can be proven")
        took = turn.ended - turn.started
        found, silent = self._hay.in_answer(turn.text), not turn.text.strip()
        if counted < expected * _CUT_BELOW - _CUT_SLACK:
            self.limit = counted
            return Probe(sent, counted, took, found, f"silently cut to {counted} tokens", silent)
        return Probe(sent, counted, took, found, silent=silent)


def _without_needle(probe: Probe) -> Probe:
    """As it is when nothing can be concluded from a needle that is not found."""
    if probe.needle:
        return probe
    return replace(probe, needle=None)
