"""What the commands print: tables for people, JSON for programs, once or whenever it has changed."""

import argparse
import asyncio
import io
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from lmdeck.backend.errors import BackendError
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN
from lmdeck.plain.frame import tell, words_of
from lmdeck.widgets.paint.line import Align, Span, fit, plain, width

GAP = "  "
NARROWEST = 6
VOLATILE = ("latency_s",)
"""Values that differ with every look: they are no news."""

Record = Mapping[str, object]
Show = Callable[[], Awaitable[tuple[Record, str]]]
"""Looks once; answers the same as a JSON object and in words."""


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = (), cells: int | None = None
) -> str:
    """Columns under their heads, two blanks between, the most important first; those in `right` are numbers, flush
    right and never cut. Where `cells` do not suffice, texts behind the first column are cut, with `…`, then columns are
    left out from the last on. By default that is the terminal's width, and everything where stdout is none."""
    lines = [list(heads), *([one_line(cell) or UNKNOWN for cell in row] for row in rows)]
    widths = [max(width((Span(line[at]),)) for line in lines) for at in range(len(heads))]
    room = terminal_width() if cells is None else cells
    if room is not None:
        widths = _narrowed(widths, [head in right for head in heads], room)
    aligns: list[Align] = ["right" if head in right else "left" for head in heads]
    return "\n".join(
        GAP.join(
            plain(fit((Span(cell),), size, align)) for cell, size, align in zip(line, widths, aligns, strict=False)
        ).rstrip()
        for line in lines
    )


def _narrowed(widths: list[int], fixed: list[bool], room: int) -> list[int]:
    """The widths of the columns that are shown."""
    shown = list(widths)
    while (over := sum(shown) + len(GAP) * (len(shown) - 1) - room) > 0 and len(shown) > 1:
        soft = [at for at in range(1, len(shown)) if not fixed[at] and shown[at] > NARROWEST]
        if sum(shown[at] - NARROWEST for at in soft) >= over:
            widest = max(soft, key=shown.__getitem__)
            shown[widest] -= 1
        else:
            shown.pop()
            shown = widths[: len(shown)]
    return [min(shown[0], room)] if len(shown) == 1 else shown


def terminal_width() -> int | None:
    """The columns of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def document(command: str, values: Record) -> Record:
    """A JSON object as programs get it, with the name of its schema first (`docs/schema/`)."""
    return {"schema": f"lmdeck.{command}/1", **values}


def emit(options: argparse.Namespace, record: Record, words: str) -> None:
    """Print one of the two: `record` with --json, else `words`. Raises OSError."""
    write(json.dumps(record, indent=2, ensure_ascii=False) if options.json else words)


def emit_line(record: Record) -> None:
    """Print an object on a line of its own. Raises OSError."""
    write(json.dumps(record, ensure_ascii=False))


def write(text: str, end: str = "\n") -> None:
    """Print at once; what a narrow encoding lacks becomes a question mark. Raises OSError."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(text + end)
    sys.stdout.flush()


async def show(options: argparse.Namespace, prog: str, look: Show) -> None:
    """Print what `look` sees; with --watch again whenever that has changed, each time under the time of day (JSON: an
    object a line). A server that is lost while it is watched is told of once and looked for again. Raises
    BackendError where the first look fails, OSError."""
    record, words = await look()
    if options.watch is None:
        emit(options, record, words)
        return
    shown: Record = {}
    lost = ""
    while True:
        news = {name: value for name, value in record.items() if name not in VOLATILE}
        if news != shown:
            shown = news
            emit_line(record) if options.json else write(f"{time.strftime('%H:%M:%S')}\n{words}\n")
        await asyncio.sleep(options.watch)
        try:
            record, words = await look()
            lost = ""
        except BackendError as error:
            if (said := words_of(error)) != lost:
                tell(prog, said)
            lost = said
