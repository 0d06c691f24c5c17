"""What the commands print: tables for people, JSON for programs, once or whenever it has changed."""

import argparse
import asyncio
import io
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from lmdeck.backend.errors import BackendError
from lmdeck.model.text import one_line
from lmdeck.plain.frame import tell, words_of
from lmdeck.widgets.paint.line import Align, Span, crop, fit, plain, width

GAP = "  "
NARROWEST = 6

Record = Mapping[str, object]
Show = Callable[[], Awaitable[tuple[Record, str]]]
"""Looks once; answers the same as a JSON object and in words."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: str = "", cells: int | None = None) -> str:
    """Columns with two blanks between; those whose heads are words of `right` are flush right. Too wide for `cells` the
    widest columns are cut, with `…`; by default that is the terminal's width, and whole where stdout is none."""
    lines = [list(heads), *([_one_cell(cell) for cell in row] for row in rows)]
    widths = [max(width((Span(line[at]),)) for line in lines) for at in range(len(heads))]
    room = terminal_width() if cells is None else cells
    if room is not None:
        _narrow(widths, room - len(GAP) * (len(heads) - 1))
    aligns: list[Align] = ["right" if head in right.split() else "left" for head in heads]
    return "\n".join(
        GAP.join(
            plain(fit((Span(cell),), size, align)) for cell, size, align in zip(line, widths, aligns, strict=True)
        ).rstrip()
        for line in lines
    )


def _one_cell(text: str) -> str:
    return one_line(text) or "–"


def _narrow(widths: list[int], room: int) -> None:
    """Take from the widest column, a cell at a time, until all fit or none has a cell to give."""
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1


def line(text: str) -> str:
    """A line for people, cut to the terminal's width."""
    room = terminal_width()
    return text if room is None else plain(crop((Span(text),), room))


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
    shown = lost = None
    while True:
        if (record, words) != shown:
            shown = (record, words)
            emit_line(record) if options.json else write(f"{time.strftime('%H:%M:%S')}\n{words}\n")
        await asyncio.sleep(options.watch)
        try:
            record, words = await look()
            lost = None
        except BackendError as error:
            if (said := words_of(error)) != lost:
                tell(prog, said)
            lost = said
