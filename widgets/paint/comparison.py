"""How compared answers came along, as a table: one line each, the best figures marked."""

from collections.abc import Callable, Sequence
from typing import Final

from lmdeck.model.chat import ChatStats
from lmdeck.model.comparison import Outcome
from lmdeck.model.units import UNKNOWN
from lmdeck.widgets.paint.line import Line, Span, Tone, fit, say

BEST: Final = "✓"
_LONGEST_LABEL = 48
_STATE, _FIGURE = 9, 8
_HEADINGS: Final = ("TOK/S", "TTFT s", "TOK IN", "OUT", "TIME s")
_TONES: Final[dict[str, Tone]] = {"cut off": "bad", "failed": "bad", "answering": "accent", "waiting": "muted"}


def table(labels: Sequence[str], outcomes: Sequence[Outcome], cells: int) -> list[Line]:
    """A heading and a line an answer, `cells` wide. `✓`: the best of the answers that are whole, where they differ;
    `≈`: measured here, because the server tells nothing."""
    room = max(min(cells - 5 - _STATE - len(_HEADINGS) * _FIGURE, _LONGEST_LABEL), 4)
    speed = _marker(outcomes, lambda outcome: _stats(outcome).tokens_per_second, max, 1)
    ttft = _marker(outcomes, lambda outcome: _stats(outcome).ttft_s, min, 2)
    time = _marker(outcomes, lambda outcome: outcome.time_s, min, 1, told=False)
    heading = "".join(f"{text} ".rjust(_FIGURE) for text in _HEADINGS)
    lines: list[Line] = [(Span(f"   {' ' * room}  {'STATE'.ljust(_STATE)}{heading}", "muted"),)]
    for number, (label, outcome) in enumerate(zip(labels, outcomes, strict=True), 1):
        stats = _stats(outcome)
        tokens = (_count(stats.input_tokens), _count(stats.output_tokens))
        figures = (speed(outcome), ttft(outcome), *tokens, time(outcome))
        name = fit(say(label), room)
        state = Span(outcome.state.ljust(_STATE), _TONES.get(outcome.state, ""))
        shown = Span("".join(figure.rjust(_FIGURE) for figure in figures))
        lines.append((Span(f"{number}  ", "muted"), *name, Span("  "), state, shown))
    return lines


def _stats(outcome: Outcome) -> ChatStats:
    return outcome.stats or ChatStats()


def _marker(
    outcomes: Sequence[Outcome],
    figure: Callable[[Outcome], float | None],
    best_of: Callable[[list[float]], float],
    digits: int,
    *,
    told: bool = True,
) -> Callable[[Outcome], str]:
    """Writes a figure, marked where it is the best of answers that are whole and differ in it, and where the server
    should have `told` it but did not."""
    whole = [round(value, digits) for one in outcomes if one.state == "done" and (value := figure(one)) is not None]
    best = best_of(whole) if len(set(whole)) > 1 else None

    def write(outcome: Outcome) -> str:
        if (exact := figure(outcome)) is None:
            return f"{UNKNOWN} "
        value = round(exact, digits)
        about = "≈" if told and _stats(outcome).measured else ""
        return f"{about}{value:.{digits}f}{BEST if outcome.state == 'done' and value == best else ' '}"

    return write


def _count(tokens: int | None) -> str:
    return f"{UNKNOWN if tokens is None else tokens} "
