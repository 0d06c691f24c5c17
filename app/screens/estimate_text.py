"""The estimate page as lines: memory by context length and slots, the parts, and how earlier estimates turned out."""

import time
from collections.abc import Mapping, Sequence

from lmdeck.model.catalog import Model
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Outlook
from lmdeck.model.units import UNKNOWN
from lmdeck.widgets.column import Column, draw_heading
from lmdeck.widgets.paint import memory
from lmdeck.widgets.paint.columns import share
from lmdeck.widgets.paint.line import Line, Span, crop, fit, safe, wrap

Cell = tuple[int, int]
"""Context length in tokens and slots; no slots (0) where the model has none."""
_SMALLEST, _UNKNOWN_LIMIT, _DEFAULT_SLOTS = 4096, 131072, 4


def contexts(model: Model, base: LoadRequest) -> tuple[int, ...]:
    """4096 and its doubles up to the model's limit, the limit itself, and what `base` asks for."""
    limit = model.max_context_length or _UNKNOWN_LIMIT
    doubles = [_SMALLEST << step for step in range(20) if _SMALLEST << step <= limit]
    own = [base.context_length] if base.context_length else []
    return tuple(sorted({*doubles, limit, *own}))


def slot_counts(model: Model, base: LoadRequest) -> tuple[int, ...]:
    """One slot, and as many as `base` asks for or LM Studio's four; an embedding model has none to choose."""
    if model.is_embedding:
        return (0,)
    return tuple(sorted({1, base.parallel or _DEFAULT_SLOTS} if base.parallel != 1 else {1, _DEFAULT_SLOTS}))


def grid(
    rows: Sequence[int], slots: Sequence[int], outlooks: Mapping[Cell, Outlook], own: int | None, cells: int
) -> list[Line]:
    """A line a context length, a column a number of slots: `✓ 18.2`."""
    in_ram = any(place[0].where == "RAM" for outlook in outlooks.values() if (place := memory.places(outlook)))
    heads = ["needed" if not n else f"{n} slot{'s' * (n != 1)}" for n in slots]
    where = "GiB in RAM" if in_ram else "GiB on the GPU"
    lines: list[Line] = [(Span(f"{'CONTEXT':>8}" + "".join(f"{head:>13}" for head in heads) + f"   {where}", "muted"),)]
    for context in rows:
        line: Line = (Span(f"{context:>8}", "strong" if context == own else ""),)
        for count in slots:
            line += fit(memory.fit_cell(outlooks.get((context, count))), 13, "right")
        lines.append((*line, Span("   last used", "muted")) if context == own else line)
    return [crop(line, cells) for line in lines]


def own_settings(base: LoadRequest, outlook: Outlook | None, cells: int) -> list[Line]:
    """The forecast for the settings it would be loaded with."""
    named = "With the settings of the last load" if base != LoadRequest(base.model) else "With nothing set"
    lines: list[Line] = [(Span(named, "accent"),)]
    if outlook is None:
        return [*lines, (Span("weighing …", "muted"),)]
    lines += [*memory.bars(outlook, cells), *memory.verdict(outlook, cells), *memory.table(outlook, cells)]
    return [*lines, *((Span(line, "muted"),) for fact in memory.facts(outlook) for line in wrap(fact, cells))]


def _place(record: LoadRecord) -> str:
    return "GPU" if record.measured_gpu or (record.measured_gpu is None and record.predicted_gpu) else "RAM"


def _figures(record: LoadRecord) -> tuple[int | None, int | None, int | None]:
    """Predicted, LM Studio's and measured, of the place that counts; LM Studio tells the GPU and the whole."""
    if _place(record) == "GPU":
        return record.predicted_gpu, record.lmstudio_gpu, record.measured_gpu
    return record.predicted_ram, record.lmstudio_total, record.measured_ram


def against(figure: int | None, measured: int | None) -> Line:
    """`12.4 (−3 %)`: a figure, and how far off it was."""
    if figure is None or not measured:
        return (Span(memory.figure(figure), "" if figure is not None else "muted"),)
    off = round((figure - measured) / measured * 100)
    sign = "+" if off > 0 else "−" if off < 0 else ""
    return Span(memory.figure(figure)), Span(f" ({sign}{abs(off)} %)", "warn" if abs(off) > 10 else "muted")


def _settings(record: LoadRecord) -> str:
    asked = record.settings
    context = str(asked.context_length or record.allocated_context or "default")
    return f"{context} ×{asked.parallel}" if asked.parallel else context


def _outcome(record: LoadRecord) -> Line:
    if record.cause:
        return (Span(f"✗ {safe(record.cause)}", "bad"),)
    asked, got = record.settings.context_length, record.allocated_context
    return (Span(f"{got} allocated", "warn"),) if asked and got and got < asked else ()


def _measured(record: LoadRecord) -> Line:
    figure = _figures(record)[2]
    return (Span(f"{memory.figure(figure)} {_place(record)}" if figure is not None else UNKNOWN),)


_COLUMNS: tuple[Column[LoadRecord], ...] = (
    Column("WHEN", lambda record: time.strftime("%Y-%m-%d %H:%M", time.localtime(record.at)), 16, priority=2),
    Column("CONTEXT", _settings, 10, 12, "right"),
    Column("PREDICTED", lambda record: against(_figures(record)[0], _figures(record)[2]), 13, 16, "right"),
    Column("LM STUDIO", lambda record: against(_figures(record)[1], _figures(record)[2]), 13, 16, "right"),
    Column("MEASURED", _measured, 9, 11, "right"),
    Column("", _outcome, 15, 60, priority=1),
)


def loads(records: Sequence[LoadRecord], cells: int) -> list[Line]:
    """Earlier loads, the newest first: predicted, LM Studio's and measured in GiB, with their errors."""
    lines: list[Line] = [(Span("Earlier loads", "accent"), Span("   GiB; in brackets how far off", "muted"))]
    if not records:
        return [lines[0][:1], (Span("no load measured yet", "muted"),)]
    widths, gap = share([column.space for column in _COLUMNS], cells - 1)
    (heading,) = draw_heading(_COLUMNS, widths, gap, (-1, False))
    lines.append((Span(heading.text.rstrip(), "muted"),))
    for record in sorted(records, key=lambda record: record.at, reverse=True):
        line: Line = ()
        for index, size in widths.items():
            line += (Span(" " * gap if line else " "), *_COLUMNS[index].draw(record, size))
        lines.append(line)
    return lines
