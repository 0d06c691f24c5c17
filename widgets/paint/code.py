"""Code in its colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from textual.content import Content
from textual.highlight import HighlightTheme, highlight

from lmdeck.model.text import clean

PIECE = 40
"""Lines of a long code that are coloured at a time."""
COLOURED_AT_ONCE = 12_000
"""Longer code is coloured piece by piece: what reaches over from one piece into the next may lose its colour there."""
_LONGEST_LINE = 2_000
"""Code with longer lines stays plain: it is data, and colours take time."""
_TAB = 4


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block of an answer as the model wrote it; `language` is empty where it said none."""

    language: str
    text: str


class Listing:
    """The lines of a code from anywhere, safe to show; they get their colours when one of them is looked at."""

    def __init__(self, text: str, language: str) -> None:
        self.lines: Sequence[str] = clean(text.expandtabs(_TAB)).split("\n")
        self._language = language

    def coloured(self, line: int) -> Content:
        """That line, in the colours that Textual gives to code."""
        return self._coloured[line]

    @cached_property
    def _coloured(self) -> Sequence[Content]:
        text = "\n".join(self.lines)
        if len(text) <= COLOURED_AT_ONCE:
            return _highlight(text, self._language)
        pieces = ["\n".join(self.lines[at : at + PIECE]) for at in range(0, len(self.lines), PIECE)]
        return [line for piece in pieces for line in _highlight(piece, self._language)]


def language_of(info: str) -> str:
    """The language that a fence's first line names: `python` of `python title="x"` and of `{.python}`."""
    words = info.strip().strip("{}").split()
    return words[0].lstrip(".").lower() if words else ""


class _Colours(HighlightTheme):
    """Textual's own, but what a lexer takes for a mistake may be code that is not complete yet."""

    STYLES = {kind: style for kind, style in HighlightTheme.STYLES.items() if tuple(kind) != ("Error",)}


@lru_cache(maxsize=64)
def _highlight(text: str, language: str) -> Sequence[Content]:
    """The lines, coloured. Kept, because the pieces of a code that grows come again when it has ended."""
    lines = text.split("\n")
    if not language or max(map(len, lines)) > _LONGEST_LINE:
        return [Content(line) for line in lines]
    coloured = highlight(text, language=language, theme=_Colours).split("\n", allow_blank=True)
    return [*coloured, *map(Content, lines[len(coloured) :])]  # without blank lines at the end
