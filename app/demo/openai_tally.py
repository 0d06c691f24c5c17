"""What is heard and measured of an answer on its way from llama-server to the client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from lmdeck.demo import fields
from lmdeck.demo.engines.base import Stats
from lmdeck.demo.fields import Json
from lmdeck.demo.openai_wire import count


@dataclass(slots=True)
class Tally:
    """The text so far, and llama.cpp's own numbers where the dialect carries them; the clock's otherwise. `limit` is
    the request's bound on generated tokens; `stop_reason` is LM Studio's word, None until the end has been seen."""

    limit: int | None = None
    stop_reason: str | None = None
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    _answers: dict[int, list[str]] = field(default_factory=dict)
    _timings: Json = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)
    _first: float | None = None

    @property
    def text(self) -> str:
        """The answer without its reasoning; several answers follow each other on lines of their own."""
        return "\n".join("".join(self._answers[index]) for index in sorted(self._answers))

    @property
    def begun(self) -> bool:
        """Whether a first token has come."""
        return self._first is not None

    def begin(self) -> None:
        """A token has come, of whatever kind."""
        if self._first is None:
            self._first = time.monotonic()

    def say(self, text: object, answer: int = 0) -> None:
        """A piece of an answer has come; anything but text is ignored."""
        if isinstance(text, str) and text:
            self.begin()
            self._answers.setdefault(answer, []).append(text)

    def usage(self, usage: object) -> None:
        """Token counts, as any of the dialects names them."""
        record = fields.obj(usage)
        prompt = [count(record, name) for name in ("prompt_tokens", "input_tokens", "cache_read_input_tokens")]
        if prompt[:2] != [None, None]:
            self.prompt_tokens = sum(n for n in prompt if n is not None)
        predicted = count(record, "completion_tokens") or count(record, "output_tokens")
        self.predicted_tokens = predicted or self.predicted_tokens

    def timings(self, timings: object) -> None:
        """llama.cpp's measurements of the request."""
        record = fields.obj(timings)
        if record:
            self._timings = record
            self.prompt_tokens = (count(record, "cache_n") or 0) + (count(record, "prompt_n") or 0)
            self.predicted_tokens = count(record, "predicted_n")

    def stop(self, words: dict[str, str], finish: object) -> None:
        """The end, in the dialect's word: `words` maps it to `eosFound`, `length`, `toolCalls` or `stopStringFound`."""
        if isinstance(finish, str):
            self.stop_reason = words.get(finish, "eosFound")

    def stats(self) -> Stats:
        """The numbers so far. The time to the first token is the prompt's evaluation where llama.cpp tells it."""
        now = time.monotonic()
        prompt_ms, predicted_ms = _number(self._timings, "prompt_ms"), _number(self._timings, "predicted_ms")
        measured = prompt_ms is not None and predicted_ms is not None
        ttft = None if self._first is None else self._first - self._started
        speed = _number(self._timings, "predicted_per_second")
        if speed is None and self._first is not None and self.predicted_tokens and self.predicted_tokens > 1:
            speed = (self.predicted_tokens - 1) / max(now - self._first, 1e-6)
        return Stats(
            stop_reason=self._reason(),
            prompt_tokens=self.prompt_tokens,
            predicted_tokens=self.predicted_tokens,
            tokens_per_second=speed,
            ttft_s=ttft if prompt_ms is None else prompt_ms / 1000,
            total_s=((prompt_ms or 0) + (predicted_ms or 0)) / 1000 if measured else now - self._started,
        )

    def _reason(self) -> str:
        if self.stop_reason != "length":
            return self.stop_reason or "userStopped"
        reached = self.limit is not None and (self.predicted_tokens or 0) >= self.limit
        return "maxPredictedTokensReached" if reached else "contextLengthReached"


def _number(record: Json, name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) else None
