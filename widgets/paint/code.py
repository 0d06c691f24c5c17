"""Code in its colours."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound
from textual.content import Content, Span
from textual.highlight import HighlightTheme

from lmdeck.model.text import clean

COLOURED = 20_000
"""Longer code, or code with such long lines as `_LONGEST_LINE`, stays plain: colours take time."""
_LONGEST_LINE = 2_000
_TAB = 4


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block of an answer as the model wrote it; `language` is empty where it said none."""

    language: str
    text: str


def language_of(info: str) -> str:
    """The language that a fence's first line names: `python` of `python title="x"` and of `{.python}`."""
    words = info.strip().strip("{}").split()
    return words[0].lstrip(".").lower() if words else ""


def highlight(text: str, language: str) -> list[Content]:
    """The lines of a text from anywhere, safe to show, in the colours that Textual gives to code."""
    lines = clean(text.expandtabs(_TAB)).split("\n")
    lexer = _lexer(language)
    if lexer is None or len(text) > COLOURED or max(map(len, lines)) > _LONGEST_LINE:
        return [Content(line) for line in lines]
    spans = defaultdict[int, list[Span]](list)
    number = at = 0
    for kind, words in lexer.get_tokens("\n".join(lines)):
        style = _style(kind)
        for part in words.splitlines(keepends=True):
            if style and part.strip():
                spans[number].append(Span(at, at + len(part.rstrip("\n")), style))
            at += len(part)
            if part.endswith("\n"):
                number, at = number + 1, 0
    return [Content(line, spans[number]) for number, line in enumerate(lines)]


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _style(kind: _TokenType) -> str:
    """The style of the token's kind, or of the next more general one that has any; what a lexer takes for a mistake
    may be code that is not complete yet."""
    styles: dict[object, str] = {**HighlightTheme.STYLES, Token.Error: ""}
    while kind not in styles and kind.parent is not None:
        kind = kind.parent
    return styles.get(kind, "")
