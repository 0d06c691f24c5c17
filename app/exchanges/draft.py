"""An exchange while its parts are still being found."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter

from lmdeck.exchanges.reading import Asked, Generated
from lmdeck.exchanges.slots import KEPT_LINES, Task
from lmdeck.model.exchange import Certainty, Exchange
from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine

_WORDS = {"failed": "the generation failed", "modelUnloaded": "the model was unloaded"}
_ORDER: tuple[Certainty, ...] = ("certain", "likely", "guess")


@dataclass(frozen=True, slots=True)
class Join:
    """How sure one join of an exchange is, and why it is not surer."""

    certainty: Certainty = "certain"
    doubt: str = ""


SURE = Join()


def guess(doubt: str) -> Join:
    """A join where more than one fits."""
    return Join("guess", doubt)


@dataclass(eq=False, slots=True)
class Answer:
    """What belongs to one output and goes with it wherever it is joined: the server's words, the slot, an error.
    `holder` is the exchange it is joined to."""

    output: PredictionOutput
    generated: Generated | None = None
    task: Task | None = None
    error: str = ""
    sent: Join = SURE
    holder: Draft | None = None

    @property
    def at(self) -> float:
        """When it ended, Unix time."""
        return self.output.at

    @property
    def stats(self) -> PredictionStats:
        """Its statistics, empty ones if it has none."""
        return self.output.stats or PredictionStats()

    @property
    def failed(self) -> bool:
        """Whether it ended by an error."""
        return self.stats.stop_reason in _WORDS


@dataclass(eq=False, slots=True)
class Draft:
    """A request on its way. `requested` and `answered` are the joins of the prompt with its request and its answer;
    `sent` holds the server's answer where no output came; `heard` is the time of the last line about it; `silent` means
    given up, `tainted` that it may be over unnoticed. Several prompts may come of one request: `again` marks the first
    of them, `uses` counts them. `crowd` is how many prompts were under way when its own had come."""

    number: int
    at: float
    heard: float
    instance_id: str = ""
    asked: Asked | None = None
    input: PredictionInput | None = None
    answer: Answer | None = None
    sent: Generated | None = None
    requested: Join = SURE
    answered: Join = SURE
    slot: int | None = None
    lines: tuple[RuntimeLine, ...] = ()
    error: str = ""
    ended_at: float | None = None
    silent: bool = False
    tainted: bool = False
    again: bool = False
    uses: int = 0
    crowd: int = 1

    @property
    def running(self) -> bool:
        """Whether it counts as under way."""
        return self.ended_at is None

    def freeze(self) -> Exchange:
        """The exchange as far as it is known."""
        answer, asked = self.answer, self.asked
        generated = (answer.generated if answer else None) or self.sent
        task = answer.task if answer else None
        joins = [self.requested, self.answered, answer.sent if answer else SURE]
        return Exchange(
            number=self.number,
            instance_id=self.instance_id,
            at=self.at,
            ended_at=self.ended_at,
            path=asked.path if asked else "",
            parameters=asked.parameters if asked else {},
            client=asked.client if asked else "",
            request=asked.line if asked else None,
            input=self.input,
            output=answer.output if answer else None,
            generated=generated.line if generated else None,
            runtime=tuple(sorted(self._runtime(), key=attrgetter("at"))[-KEPT_LINES:]),
            slot=task.slot if task else self.slot,
            stats=answer.output.stats if answer else generated.stats if generated else None,
            error=self.error or (self._failure(answer) if answer else ""),
            certainty=max((join.certainty for join in joins), key=_ORDER.index),
            doubt="; ".join(dict.fromkeys(join.doubt for join in joins if join.doubt)),
        )

    def entries(self) -> Iterator[LogEntry]:
        """The log entries it is made of."""
        lines: tuple[ServerLine | PredictionInput | PredictionOutput | None, ...] = (
            self.asked.line if self.asked else None,
            self.input,
            self.answer.output if self.answer else None,
            self.answer.generated.line if self.answer and self.answer.generated else None,
            self.sent.line if self.sent else None,
        )
        yield from (line for line in lines if line is not None)
        yield from self._runtime()

    def size(self) -> int:
        """Bytes of its texts and of what stands around them."""
        return 1_000 + sum(200 + sys.getsizeof(_text(entry)) for entry in self.entries())

    def _runtime(self) -> Collection[RuntimeLine]:
        task = self.answer.task if self.answer else None
        return self.lines if task is None else {id(line): line for line in (*self.lines, *task.lines)}.values()

    def _failure(self, answer: Answer) -> str:
        return answer.error or _WORDS.get(answer.stats.stop_reason or "", "")


def _text(entry: LogEntry) -> str:
    return entry.text
