"""Whether the terminal can show what the deck draws."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from lmdeck.model.finding import Finding
from lmdeck.model.text import one_line

SMALLEST = (80, 24)

_TRUE_COLOUR = ("truecolor", "24bit")
_FONT = "Use a terminal emulator (or SSH from one) with a font that has block and box characters."


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of it: `size` in columns and rows, None where no terminal is connected; `encoding` as Python names
    it; the variables TERM and COLORTERM; whether NO_COLOR is set; whether it is a console of Windows."""

    size: tuple[int, int] | None
    encoding: str
    term: str = ""
    colorterm: str = ""
    no_color: bool = False
    windows: bool = False


def this_terminal(environ: Mapping[str, str] = os.environ) -> Terminal:
    """The one that the program runs in, be it only by one of its streams."""
    output = sys.__stdout__
    return Terminal(
        size=next((size for number in (1, 2, 0) if (size := _size(number)) is not None), None),
        encoding=(output.encoding if output is not None else "") or "unknown",
        term=environ.get("TERM", ""),
        colorterm=environ.get("COLORTERM", ""),
        no_color=bool(environ.get("NO_COLOR")),
        windows=os.name == "nt",
    )


def _size(number: int) -> tuple[int, int] | None:
    try:
        size = os.get_terminal_size(number)
    except (OSError, ValueError):
        return None
    return size.columns, size.lines


def terminal_findings(terminal: Terminal) -> tuple[Finding, ...]:
    """Its size and kind, its characters, its colours."""
    if terminal.size is None:
        words = "no terminal is connected"
        return tuple(
            Finding(part, "unknown", words, "Run it in the terminal where the deck is to open." if first else "")
            for part, first in (("terminal", True), ("characters", False), ("colours", False))
        )
    return _kind(terminal, terminal.size), _characters(terminal), _colours(terminal)


def _kind(terminal: Terminal, size: tuple[int, int]) -> Finding:
    name = one_line(terminal.term, 60) or ("Windows console" if terminal.windows else "no TERM")
    words = f"{name}, {size[0]}×{size[1]}"
    if not terminal.windows and terminal.term in ("", "dumb", "unknown"):
        return Finding("terminal", "fail", words, "It cannot move its cursor: set TERM to its kind (xterm-256color).")
    if size[0] < SMALLEST[0] or size[1] < SMALLEST[1]:
        return Finding("terminal", "warn", words, f"Make it at least {SMALLEST[0]}×{SMALLEST[1]}: panes are cut off.")
    return Finding("terminal", "ok", words)


def _characters(terminal: Terminal) -> Finding:
    encoding = one_line(terminal.encoding, 40)
    if encoding.lower().replace("-", "") != "utf8":
        step = "Set PYTHONUTF8=1." if terminal.windows else "Choose a UTF-8 locale: export LANG=C.UTF-8."
        return Finding("characters", "fail", f"{encoding}, not UTF-8: bars and marks cannot be drawn", step)
    if terminal.term == "linux":
        return Finding("characters", "warn", "UTF-8, but the Linux console's font has few block characters", _FONT)
    return Finding("characters", "ok", "UTF-8: ● ✓ ✗ → … ▁▄█")


def _colours(terminal: Terminal) -> Finding:
    if terminal.no_color:
        return Finding("colours", "ok", "none, as NO_COLOR says")
    if terminal.colorterm.lower() in _TRUE_COLOUR or terminal.term.endswith("-direct") or terminal.windows:
        return Finding("colours", "ok", "16 million")
    step = "If the terminal can do more, set COLORTERM=truecolor; tmux and SSH drop it unless they are told."
    if "256" in terminal.term:
        return Finding("colours", "ok", "256: shades are approximated", step)
    return Finding("colours", "warn", "16: shades are lost", step)
