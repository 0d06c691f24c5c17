"""A server that exists only as numbers: how it counts, what it refuses, cuts, forgets and how fast it writes."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import pytest

from lmdeck.backend.errors import BackendError, Refused
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    PromptProcessing,
)
from lmdeck.model.problem import Problem


@dataclass
class FakeBackend:
    """Answers the chat of the instance `m`. `context` is what there really is, `over` what happens to a longer prompt:
    `refuse` (HTTP), `fault` (an error in the stream), `cut` (the count tells), `swallow` (nothing is answered), or an
    error to raise. A code word is found in prompts of up to `sight` tokens."""

    context: int = 10**9
    over: str | BackendError = "refuse"
    sight: int = 10**9
    words: str = "the number of tokens is greater than the context length (n_keep: {sent} >= n_ctx: {context})"
    counts: bool = True
    instance: str = "m"
    per_word: float = 1.3
    template: int = 21
    fails: Callable[[int], BackendError | None] = lambda number: None
    asked: list[ChatRequest] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    open: int = 0
    hang: bool = False

    async def until_open(self, count: int) -> None:
        """Wait until so many requests run."""
        async with asyncio.timeout(5):
            while self.open < count:  # noqa: ASYNC110 - the tasks are not ours
                await asyncio.sleep(0)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        self.asked.append(request)
        self.open += 1
        try:
            async for event in self._events(request, len(self.asked)):
                yield event
        finally:
            self.open -= 1

    async def _events(self, request: ChatRequest, number: int) -> AsyncGenerator[ChatEvent]:
        if error := self.fails(number):
            raise error
        sent = self.template + round(self.per_word * len(request.input.split()))
        self.sizes.append(sent)
        counted, answer = sent, "What?"
        code = re.search(r"[A-Z]{4,}-\d{4}", request.input)
        if code and sent <= self.sight:
            answer = f"The code is {code[0]}."
        yield ChatStarted(self.instance)
        yield PromptProcessing(0.0)
        if self.hang:
            await asyncio.Event().wait()
        if sent >= self.context:
            if isinstance(self.over, BackendError):
                raise self.over
            said = self.words.format(sent=sent, context=self.context)
            if self.over == "refuse":
                raise Refused(said, status=400, kind="invalid_request")
            if self.over == "fault":
                yield ChatFault(Problem("invalid_request", said))
                yield ChatEnded(ChatStats(input_tokens=0, output_tokens=0))
                return
            answer = ""
            if self.over == "cut":
                counted, answer = self.context - 1, "What?"
        for word in answer.split():
            yield MessageDelta(f"{word} ")
        yield ChatEnded(ChatStats(input_tokens=counted if self.counts else None, output_tokens=len(answer.split())))


@pytest.fixture
def fake() -> type[FakeBackend]:
    """Makes such a server."""
    return FakeBackend
