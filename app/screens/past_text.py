"""A request of the history, whole: what is kept of it as an exchange, and its pages."""

from collections.abc import Iterator
from typing import Final

from lmdeck.model.exchange import KEPT_TEXT, Exchange, ExchangeRecord, ExchangeText
from lmdeck.model.log import PredictionInput, PredictionStats
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN, elapsed
from lmdeck.screens.exchange_sections import Page, Section
from lmdeck.screens.exchange_text import Fact, figures, joined, moment, page
from lmdeck.widgets.paint.prompt import answer_marker, mark_tokens
from lmdeck.widgets.paint.text_rows import Marker

NOT_KEPT: Final = "not kept: log_text = true in the configuration keeps prompts and answers from then on"
_CUT: Final = f"The first {KEPT_TEXT} characters: the history keeps no more."


def past_exchange(record: ExchangeRecord, text: ExchangeText | None) -> Exchange:
    """As much of the exchange as is kept, under the number 0; with its prompt only where that is whole."""
    prompt = text.prompt if text is not None and 0 < len(text.prompt) < KEPT_TEXT else None
    return Exchange(
        0,
        record.instance_id,
        record.at,
        record.at,
        path=record.path,
        input=None if prompt is None else PredictionInput(record.at, record.instance_id, prompt),
        stats=_stats(record),
        error=record.error,
        certainty=record.certainty,
    )


def past_sections(record: ExchangeRecord, text: ExchangeText | None) -> tuple[Section, ...]:
    """Its pages: what is kept of every request, prompt, answer."""
    prompt, answer = (text.prompt, text.answer) if text else ("", "")
    nothing = "No log had told it." if text else f"It was {NOT_KEPT}."
    facts: list[Fact] = [*past_facts(record), ("texts", "kept" if text else NOT_KEPT, "")]
    return (
        Section("Overview", lambda *_: Page(*page(facts))),
        Section("Prompt", lambda *_: _page(prompt, mark_tokens, nothing), private=True),
        Section("Answer", lambda *_: _page(answer, answer_marker(answer), nothing), private=True),
    )


def past_facts(record: ExchangeRecord) -> Iterator[Fact]:
    """What is kept of every request."""
    for name, value in (("request", record.path), ("model", record.instance_id), ("server", record.server)):
        yield name, one_line(value) or UNKNOWN, ""
    if record.error:
        yield "error", one_line(record.error), "bad"
    yield from figures(_stats(record))
    yield "began", moment(record.at), ""
    if record.total_time_s is not None:
        yield "server's time", elapsed(record.total_time_s), ""
    yield from joined(past_exchange(record, None))


def _page(text: str, marker: Marker, nothing: str) -> Page:
    return Page(text, marker, _CUT if len(text) >= KEPT_TEXT else "") if text else Page("", remark=nothing)


def _stats(record: ExchangeRecord) -> PredictionStats:
    return PredictionStats(
        record.stop_reason,
        record.tokens_per_second,
        record.ttft_s,
        record.total_time_s,
        record.prompt_tokens,
        record.predicted_tokens,
        record.draft_tokens,
        record.accepted_draft_tokens,
    )
