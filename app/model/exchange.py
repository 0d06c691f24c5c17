"""One request and its answer, joined from what three logs tell of them. LM Studio gives no request id: a join says how
sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine

Certainty = Literal["certain", "likely", "guess"]
KEPT_TEXT: Final = 2**18
"""Characters that are kept of a prompt and of an answer."""


PROBE: Final = "lmdeck_doctor"
"""A key in the body of a request that only asks whether an endpoint is there, and is always refused."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as far as it is known; parts appear as their lines come. `number` counts in this session, from 1; an
    exchange of the history has 0. Times are Unix seconds.

    `path` and `parameters` (the body's top level without the conversation) come from the server's line, `client` where
    the server tells it; `input` and `output` from the model log, `generated` is the server's own "Generated
    prediction", `runtime` the engine's lines in between (bounded), `slot` llama.cpp's. `certainty` is about the join:
    `certain` by content, `likely` by tokens, times and model, `guess` where more than one fits; `doubt` says why.
    """

    number: int
    instance_id: str
    at: float
    ended_at: float | None = None
    path: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    client: str = ""
    request: ServerLine | None = None
    input: PredictionInput | None = None
    output: PredictionOutput | None = None
    generated: ServerLine | None = None
    runtime: tuple[RuntimeLine, ...] = ()
    slot: int | None = None
    stats: PredictionStats | None = None
    error: str = ""
    certainty: Certainty = "certain"
    doubt: str = ""

    @property
    def running(self) -> bool:
        """Whether its end has not been seen."""
        return self.ended_at is None

    @property
    def probe(self) -> bool:
        """Whether lmdeck's doctor sent it: such a one is shown, but neither counted nor kept."""
        return PROBE in self.parameters


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """What is kept of a finished exchange: numbers, no text. Counts are tokens, times seconds, `at` Unix time."""

    at: float
    server: str
    instance_id: str
    path: str = ""
    stop_reason: str | None = None
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    tokens_per_second: float | None = None
    ttft_s: float | None = None
    total_time_s: float | None = None
    draft_tokens: int | None = None
    accepted_draft_tokens: int | None = None
    error: str = ""
    certainty: Certainty = "certain"


@dataclass(frozen=True, slots=True)
class ExchangeText:
    """Prompt and answer of a kept exchange, only where the user turned that on."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class PastExchange:
    """A kept exchange by its number in the history, which is never used for another."""

    number: int
    record: ExchangeRecord
