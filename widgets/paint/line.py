"""A line as the widgets draw it: pieces of plain text, each with a tone. The widget turns tones into colours."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from lmdeck.model.text import one_line

Tone = Literal["", "strong", "muted", "accent", "good", "warn", "bad"]
"""What a piece of text means; never the only thing that says so, because colours may be off."""

Align = Literal["left", "right"]

Needle = str | Callable[[str], list[tuple[int, int]]]
"""What stands out in a line: a text, whatever its case, or who tells where (start and end, in order, apart)."""


class Span(NamedTuple):
    """Text without line breaks, in one tone."""

    text: str
    tone: Tone = ""


Line = tuple[Span, ...]


def say(text: str, tone: Tone = "") -> Line:
    """A line of text from anywhere, made safe to show."""
    return (Span(safe(text), tone),)


def safe(text: str) -> str:
    """`text` on one line with nothing in it that a terminal obeys; the quick way for what is harmless already."""
    return text if text.isprintable() else one_line(text)


def plain(line: Line) -> str:
    """The line's text alone."""
    return "".join([text for text, _ in line])


def width(line: Iterable[Span]) -> int:
    """The line's width in terminal cells; wide (CJK) characters take two."""
    return sum([len(text) if text.isascii() else cell_len(text) for text, _ in line])


def crop(line: Line, cells: int) -> Line:
    """The line cut to at most `cells`, ending in `…` where something was cut off."""
    if width(line) <= cells:
        return line
    room, kept = cells - 1, list[Span]()
    for text, tone in line:
        size = len(text) if text.isascii() else cell_len(text)
        if size > room:
            cut = text[:room] if text.isascii() else set_cell_size(text, room)
            kept.append(Span(cut + "…" if cells > 0 else "", tone))
            break
        kept.append(Span(text, tone))
        room -= size
    return tuple(kept)


def fit(line: Line, cells: int, align: Align = "left") -> Line:
    """The line cropped or padded to exactly `cells`."""
    line = crop(line, cells)
    if not (pad := cells - width(line)):
        return line
    blank = Span(" " * pad)
    return (blank, *line) if align == "right" else (*line, blank)


def wrap(text: str, cells: int) -> list[str]:
    """`text` broken at spaces, and inside words longer than a line, into lines of at most `cells`."""
    lines = list[str]()
    for paragraph in text.splitlines():
        current = ""
        for word in paragraph.split() or [""]:
            joined = f"{current} {word}" if current else word
            if cell_len(joined) <= cells:
                current = joined
                continue
            if current:
                lines.append(current)
            *full, current = chop_cells(word, max(cells, 2)) or [""]
            lines.extend(full)
        lines.append(current)
    return lines


class Piece(NamedTuple):
    """A part of a line that is drawn in one style; `hit`: what somebody looks for."""

    text: str
    tone: Tone
    hit: bool


def pieces(line: Line, needle: Needle = "") -> list[Piece]:
    """The line in as few pieces as its tones allow, with every occurrence of `needle` marked.

    Blanks have no colour of their own and join their neighbours: fewer pieces are fewer bytes for the terminal.
    """
    joined = list[Piece]()
    for text, tone, hit in _marked(line, needle):
        last = joined[-1] if joined else None
        if last and last.hit == hit and (last.tone == tone or text.isspace() or last.text.isspace()):
            joined[-1] = Piece(last.text + text, last.tone if text.isspace() else tone, hit)
        else:
            joined.append(Piece(text, tone, hit))
    return joined


def _marked(line: Line, needle: Needle) -> Iterator[Piece]:
    text = plain(line)
    hits = _cuts(text, needle) if isinstance(needle, str) else needle(text)
    edges, start = [edge for hit in hits for edge in hit], 0
    for text, tone in line:
        end = start + len(text)
        for left, right in pairwise([start, *(edge for edge in edges if start < edge < end), end]):
            inside = any(first <= left and right <= last for first, last in hits)
            yield Piece(text[left - start : right - start], tone, inside)
        start = end


def _cuts(text: str, needle: str) -> list[tuple[int, int]]:
    found, lowered, wanted = list[tuple[int, int]](), text.lower(), needle.lower()
    at = lowered.find(wanted) if wanted and len(lowered) == len(text) else -1
    while at >= 0:
        found.append((at, at + len(wanted)))
        at = lowered.find(wanted, at + len(wanted))
    return found


def pack(pieces: Iterable[Line], cells: int, gap: int = 2) -> Line:
    """As many of the pieces as fit in `cells`, the first ones first, with gaps between; the very first is cropped."""
    packed: Line = ()
    for piece in pieces:
        longer = (*packed, Span(" " * gap), *piece) if packed else crop(piece, cells)
        if width(longer) > cells:
            break
        packed = longer
    return packed
