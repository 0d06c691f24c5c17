"""What is known of the settings in a form: our forecast, LM Studio's figure, and which settings each is for."""

from collections.abc import Iterator, Sequence

from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import LmsFigure, Outlook
from lmdeck.model.units import UNKNOWN
from lmdeck.screens.intents import LmStudioSaid, Weighed
from lmdeck.widgets.paint import memory
from lmdeck.widgets.paint.line import Line, Span, crop, safe, width, wrap

GUI_ONLY = (
    "only in LM Studio's window: K/V cache quantisation, unified KV cache, RoPE base and scale, keep in memory, mmap, "
    "seed, CPU threads, max concurrency, offload layer by layer"
)
ASKING = "asking LM Studio …"
WITHOUT_LMS = "LM Studio's own figure needs `lms`, which was not found"


class Forecast:
    """Holds the answers, and ignores those for settings that are no longer the ones in the form."""

    def __init__(self, cli: bool) -> None:
        self.wanted: LoadRequest | None = None
        """The settings in the form; the last ones that can be sent while what is typed cannot."""
        self.outlook: Outlook | None = None
        """The newest forecast, perhaps of earlier settings: see `fresh`."""
        self.sendable = True
        """Whether what is in the form now can be sent."""
        self._cli = cli
        self._told_for: LoadRequest | None = None
        self._said: LmStudioSaid | None = None

    def want(self, request: LoadRequest) -> bool:
        """These settings are in the form now; whether that is news."""
        news, self.wanted, self.sendable = request != self.wanted, request, True
        return news

    @property
    def fresh(self) -> bool:
        """Whether the forecast is for the settings in the form."""
        return self.outlook is not None and self._told_for == self.wanted

    def weighed(self, message: Weighed) -> bool:
        """Take the forecast; False: it is for other settings."""
        if message.request != self.wanted:
            return False
        self._told_for, self.outlook = message.request, message.outlook
        return True

    def lmstudio_said(self, message: LmStudioSaid) -> bool:
        """Take LM Studio's answer; False: it is for other settings."""
        if message.request != self.wanted:
            return False
        self._said = message
        return True

    @property
    def lmstudio_answered(self) -> bool:
        """Whether LM Studio has answered for the settings in the form."""
        return self._said is not None and self._said.request == self.wanted

    @property
    def _current(self) -> bool:
        return self.fresh and self.sendable

    @property
    def largest_context(self) -> int | None:
        """The largest context length that fits, if that is known of these settings."""
        return self.outlook.largest_context if self.outlook and self.fresh else None

    @property
    def most_slots(self) -> int | None:
        """The most slots that fit, if that is known of these settings."""
        return self.outlook.most_slots if self.outlook and self.fresh else None

    # As lines

    def bars(self, cells: int) -> list[Line]:
        """The memory it takes against what is free."""
        if self.outlook is None:
            return [(Span("weighing …", "muted"),)]
        return memory.bars(self.outlook, cells, self._current)

    def verdict(self, cells: int) -> list[Line]:
        """Whether it fits, and why."""
        if self.outlook is None:
            return [()]
        lines = memory.verdict(self.outlook, cells)
        return lines if self._current else memory.faded(lines, cells)

    def choices(self, cells: int, slots: bool, keys: bool) -> list[Line]:
        """The one-key choices; grey where the value is not known, or `keys` are letters where the cursor is."""
        known = [("m", "largest context", " that fits", self.largest_context)]
        known += [("p", "most slots", " that fit", self.most_slots)] if slots else []
        whole, short = (_choice_line(known, keys, full) for full in (True, False))
        return [whole if width(whole) <= cells else crop(short, cells)]

    def room(self, cells: int) -> list[Line]:
        """What would have to be unloaded."""
        words = memory.make_room(self.outlook) if self.outlook and self._current else "to make room: …"
        return [(Span(line),) for line in wrap(words, cells)]

    def details(self, cells: int) -> list[Line]:
        """The parts, where the figures come from, LM Studio's figure, and what cannot be set here."""
        lines: list[Line] = []
        if self.outlook is not None:
            lines += memory.table(self.outlook, cells)
            lines += _wrapped(memory.facts(self.outlook), cells)
            lines = lines if self._current else memory.faded(lines, cells)
        return [*lines, *_wrapped([self._lmstudio()], cells, quiet=False), *_wrapped([GUI_ONLY], cells)]

    def _lmstudio(self) -> str:
        said = self._said if self.lmstudio_answered else None
        known = said.figure if said else self.outlook.lmstudio if self.outlook and self.fresh else None
        if known is not None:
            return figure_words(known)
        if said is not None:
            return f"LM Studio's own figure: none, {safe(said.problem.sentence) if said.problem else 'it told none'}"
        return ASKING if self._cli else WITHOUT_LMS


_SLOTS_TRIED = 64
"""The forecast looks no further."""


def _choice_line(known: Sequence[tuple[str, str, str, int | None]], keys: bool, full: bool) -> Line:
    spans = list[Span]()
    for key, words, more, value in known:
        alive = keys and value is not None
        most = " or more" if key == "p" and value == _SLOTS_TRIED else ""
        said = f" {words}{more if full else ''}: {UNKNOWN if value is None else value}{most}   "
        spans += [Span(key, "accent" if alive else "muted"), Span(said, "" if alive else "muted")]
    return (*spans, Span("u", "accent" if keys else "muted"), Span(" make room", "" if keys else "muted"))


def figure_words(figure: LmsFigure) -> str:
    """`LM Studio says 11.5 GiB on the GPU, 12.0 GiB in all · low confidence · its guardrail would refuse it`"""
    return " · ".join(_figure_parts(figure))


def _figure_parts(figure: LmsFigure) -> Iterator[str]:
    amounts = [
        f"{memory.figure(amount)} GiB {where}"
        for amount, where in ((figure.gpu_bytes, "on the GPU"), (figure.total_bytes, "in all"))
        if amount is not None
    ]
    yield f"LM Studio says {', '.join(amounts)}" if amounts else "LM Studio told no figure"
    if figure.low_confidence:
        yield "low confidence"
    if figure.will_load is not None:
        yield "its guardrail would let it load" if figure.will_load else "its guardrail would refuse it"


def _wrapped(texts: Sequence[str], cells: int, quiet: bool = True) -> list[Line]:
    return [(Span(line, "muted" if quiet else ""),) for text in texts for line in wrap(text, cells)]
