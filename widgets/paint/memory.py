"""What a load is expected to take, as lines: a bar against the free memory, a table of the parts, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from lmdeck.model.confidence import ROUGH
from lmdeck.model.units import UNKNOWN
from lmdeck.widgets.paint.bar import Part, bar
from lmdeck.widgets.paint.line import Line, Span, Tone, crop, safe, wrap

if TYPE_CHECKING:
    from lmdeck.model.estimate import Share
    from lmdeck.model.outlook import Outlook, VerdictWord

END = "┃"
"""Where the free memory ends."""
COMING = " …"
"""Ends what is about to be replaced."""
MARKS: dict[VerdictWord, tuple[str, Tone]] = {
    "fits": ("✓", "good"),
    "tight": ("~", "warn"),
    "does not fit": ("✗", "bad"),
    "unknown": ("?", "muted"),
}
Where = Literal["GPU", "RAM"]


class Look(NamedTuple):
    """How a part is told from the others: by its glyph, and by its tone where there are colours."""

    name: str
    glyph: str
    tone: Tone


LOOKS = (
    Look("weights", "█", "accent"),
    Look("KV cache", "▓", "good"),
    Look("recurrent", "▞", "strong"),
    Look("compute", "▒", ""),
    Look("other", "▪", "muted"),
)
_WHOLE = Look("all of it", "█", "accent")


@dataclass(frozen=True, slots=True)
class Place:
    """The forecast for one place. `amounts` are bytes in the order of `LOOKS`; None where only the whole is known."""

    where: Where
    total: int
    free: int | None
    amounts: tuple[int, ...] | None

    @property
    def parts(self) -> list[Part]:
        """The parts as they are drawn: none beyond the whole, which a correction may have made smaller."""
        if self.amounts is None:
            return [Part(self.total, _WHOLE.glyph, _WHOLE.tone)]
        left, parts = self.total, list[Part]()
        for look, amount in zip(LOOKS, self.amounts, strict=True):
            parts.append(Part(max(0, min(amount, left)), look.glyph, look.tone))
            left -= max(0, amount)
        return parts


def places(outlook: Outlook) -> list[Place]:
    """Where it goes: the GPU first, RAM if any of it is there; nothing where there is no figure."""
    parts, room = outlook.parts, outlook.room
    found = list[Place]()
    if outlook.gpu_bytes is not None and (outlook.gpu_bytes or not outlook.ram_bytes):
        found.append(_place("GPU", outlook.gpu_bytes, room.vram_free, parts.gpu if parts else None))
    if outlook.ram_bytes:
        found.append(_place("RAM", outlook.ram_bytes, room.ram_free, parts.ram if parts else None))
    return found


def _place(where: Where, total: int, free: int | None, share: Share | None) -> Place:
    if share is None:
        return Place(where, total, free, None)
    known = (share.weights, share.kv, share.recurrent, share.compute)
    return Place(where, total, free, (*known, total - sum(known)))


def figure(amount: int | None) -> str:
    """Bytes in GiB, without the unit; what is not nothing is not shown as nothing."""
    if amount is None:
        return UNKNOWN
    sign, amount = ("−" if amount < 0 else ""), abs(amount)
    return "0" if not amount else f"{sign}<0.1" if amount < 0.05 * 2**30 else f"{sign}{amount / 2**30:.1f}"


def bar_line(place: Place, cells: int, about: bool = False) -> Line:
    """`GPU ██████▓▓▒░░░┃ 12.6 of 22.1 GiB free`: the parts against the free memory, whose end is marked."""
    label, need = f"{place.where} ", ("≈" if about else "") + figure(place.total)
    words = f" {need} GiB, free memory unknown" if place.free is None else f" {need} of {figure(place.free)} GiB free"
    room = cells - len(label) - len(words)
    if room < 6:
        return crop((Span(label), Span(words.strip())), cells)
    return Span(label), *_gauge(place, room), Span(words)


def _gauge(place: Place, cells: int) -> Line:
    if place.free is None:
        return bar(place.parts, place.total, cells)
    scale = max(place.total, place.free, 1)
    drawn = [Span(glyph, tone) for text, tone in bar(place.parts, scale, cells - 1) for glyph in text]
    end = cells - 1 if place.total <= place.free else min(round(place.free / scale * (cells - 1)), cells - 2)
    over = place.total > place.free
    drawn.insert(max(end, 0), Span(END, "bad" if over else ""))
    return _joined(drawn)


def _joined(cells: Sequence[Span]) -> Line:
    joined = list[Span]()
    for text, tone in cells:
        if joined and joined[-1].tone == tone:
            joined[-1] = Span(joined[-1].text + text, tone)
        else:
            joined.append(Span(text, tone))
    return tuple(joined)


def bars(outlook: Outlook, cells: int, fresh: bool = True) -> list[Line]:
    """A bar for each place; a reason where there is no figure. Not `fresh`: of other settings, a new one is coming."""
    about = outlook.confidence == ROUGH
    room = cells if fresh else cells - len(COMING)
    lines = [bar_line(place, room, about) for place in places(outlook)]
    if not lines:
        lines = [crop((Span("memory needed: unknown", "muted"),), cells)]
    return lines if fresh else faded(lines, cells)


def faded(lines: Sequence[Line], cells: int) -> list[Line]:
    """Lines about to be replaced: without colours, the first one ending in `…`."""
    dim = [tuple(Span(text, "muted") for text, _ in line) for line in lines]
    if dim:
        dim[0] = (*crop(dim[0], cells - len(COMING)), Span(COMING, "muted"))
    return dim


def verdict(outlook: Outlook, cells: int) -> list[Line]:
    """`✓ fits: …` with its reason, wrapped."""
    mark, tone = MARKS[outlook.verdict.word]
    head = f"{mark} {outlook.verdict.word}"
    reason = outlook.verdict.reason or (outlook.unknown.reason if outlook.unknown else "")
    first, *more = wrap(f"{head}: {safe(reason)}" if reason else head, cells) or [head]
    cut = min(len(head), len(first))
    return [(Span(first[:cut], tone), Span(first[cut:])), *((Span(line),) for line in more)]


def table(outlook: Outlook, cells: int) -> list[Line]:
    """The parts in GiB by place; its heading is the legend of the bar."""
    found = places(outlook)
    used = [i for i, _ in enumerate(LOOKS) if any(place.amounts and place.amounts[i] for place in found)]
    if not used:
        return []
    heads = [f"{LOOKS[i].glyph} {LOOKS[i].name}" for i in used]
    heading = [Span("GiB", "muted")]
    for head, i in zip(heads, used, strict=True):
        heading += [Span("  "), Span(head[:1], LOOKS[i].tone), Span(head[1:], "muted")]
    lines: list[Line] = [(*heading, Span("  total", "muted"))]
    for place in found:
        amounts = place.amounts or (0,) * len(LOOKS)
        cols = [f"  {figure(amounts[i]):>{len(head)}}" for head, i in zip(heads, used, strict=True)]
        lines.append((Span(place.where + "".join(cols)), Span(f"  {figure(place.total):>5}", "strong")))
    return [crop(line, cells) for line in lines]


def facts(outlook: Outlook) -> list[str]:
    """What the figures are for, where they come from, what had to be assumed: a line each."""
    parts = outlook.parts
    slots = "" if not outlook.parallel else f", {outlook.parallel} slot{'s' * (outlook.parallel != 1)}"
    said = [f"{outlook.context} tokens{slots}"]
    if parts is not None:
        low, high = parts.compute_range_bytes
        if figure(low) != figure(high):
            said.append(f"compute {figure(low)} to {figure(high)} GiB")
        if parts.gpu_layers and parts.gpu_layers < parts.layers:
            said.append(f"{parts.gpu_layers} of {parts.layers} layers on the GPU")
    origin = [outlook.confidence]
    if outlook.source and outlook.source not in outlook.confidence:
        origin.append(outlook.source)
    if outlook.calibrated_by:
        loads = f"{outlook.calibrated_by} load{'s' * (outlook.calibrated_by != 1)}"
        sign = "+" if outlook.correction_bytes >= 0 else ""
        origin.append(f"calibrated by {loads}: {sign}{figure(outlook.correction_bytes)} GiB")
    notes = [note for note in outlook.notes if not note.startswith("calibrated by")]
    return [safe(" · ".join(words)) for words in (said, origin, notes) if words]


def make_room(outlook: Outlook) -> str:
    """What would have to be unloaded, in words."""
    if outlook.make_room is None:
        unsure = outlook.verdict.word == "unknown"
        return "to make room: unknown" if unsure else "to make room: not even unloading everything is enough"
    if not outlook.make_room:
        return "to make room: nothing has to be unloaded"
    known = {each.instance_id: each for each in outlook.occupants}
    names = list[str]()
    for name in outlook.make_room:
        each = known.get(name)
        about = [f"{figure(each.bytes)} GiB"] if each and each.bytes is not None else []
        about += ["busy now"] if each and each.busy else []
        names.append(f"{safe(name)} ({', '.join(about)})" if about else safe(name))
    return f"to make room: unload {', '.join(names)}; that is done in Loaded, with u"


def fit_cell(outlook: Outlook | None) -> Line:
    """A table's cell: `✓ 18.2` GiB on the GPU (in RAM where it goes there whole), `≈` before a rough figure; `…` before
    there is a forecast."""
    if outlook is None:
        return (Span("…", "muted"),)
    found = places(outlook)
    mark, tone = MARKS[outlook.verdict.word]
    if not found:
        return (Span(mark, tone),)
    needed = ("≈" if outlook.confidence == ROUGH else "") + figure(found[0].total)
    return Span(mark, tone), Span(f" {needed:>4}", "muted" if tone == "muted" else "")


LEGEND = "✓ fits  ~ tight  ✗ does not fit  ? unknown  ≈ rough  … to come"
"""What the marks of these cells mean."""
