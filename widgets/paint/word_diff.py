"""What two texts have in common and what only one of them has, word by word, in one text with signs."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from lmdeck.widgets.paint.line import Tone
from lmdeck.widgets.paint.text_rows import Mark

MOST_WORDS: Final = 8_000
"""Longer texts are compared line by line: the time grows with the square of the number of pieces."""
SIGNS: Final = (("[-", "-]"), ("{+", "+}"))
"""Around what only the first text has, and around what only the second has."""

_TONES: Final[tuple[Tone, Tone]] = ("bad", "good")
_WORD = re.compile(r"(\n|(?:^[^\S\n]*)?\S+)((?:(?<=\S)[^\S\n]+)?)", re.MULTILINE)
_LINE = re.compile(r"(.*)(\n|\Z)")


class Difference(NamedTuple):
    """`text` holds both texts, what differs between signs, and `marks` where that is. The counts are of words, or of
    lines where `by_lines`."""

    text: str
    marks: tuple[Mark, ...] = ()
    only_first: int = 0
    only_second: int = 0
    common: int = 0
    by_lines: bool = False

    def marker(self, text: str, start: int, end: int) -> Iterator[Mark]:
        """The marks of a part of `text` (`text_rows.Marker`)."""
        first = bisect_right(self.marks, start, key=lambda mark: mark.end)
        for mark in self.marks[first:]:
            if mark.start >= end:
                return
            yield mark


class _Piece(NamedTuple):
    """What is compared, and the blanks or the line break behind it."""

    word: str
    rest: str


def word_diff(first: str, second: str) -> Difference:
    """The second text, with what it lacks of the first. Line breaks make a difference, and so do blanks that begin a
    line; blanks between words and behind a line do not."""
    pieces = [_pieces(text, _WORD) for text in (first, second)]
    by_lines = max(map(len, pieces)) > MOST_WORDS
    if by_lines:
        pieces = [_pieces(text, _LINE) for text in (first, second)]
    before, after = pieces
    drawn, marks, at, counts = list[str](), list[Mark](), 0, [0, 0, 0]

    def draw(text: str) -> None:
        nonlocal at
        drawn.append(text)
        at += len(text)

    matcher = SequenceMatcher(None, [piece.word for piece in before], [piece.word for piece in after])
    for what, start, end, second_start, second_end in matcher.get_opcodes():
        if what == "equal":
            draw("".join(map("".join, after[second_start:second_end])))
            counts[2] += _words(after[second_start:second_end])
            continue
        for side, changed in enumerate((before[start:end], after[second_start:second_end])):
            if changed:
                if drawn and not drawn[-1][-1].isspace():
                    draw(" ")
                shown, behind = _signed(changed, *SIGNS[side])
                marks.append(Mark(at, at + len(shown), _TONES[side]))
                draw(shown + behind)
                counts[side] += _words(changed)
    return Difference("".join(drawn), tuple(marks), counts[0], counts[1], counts[2], by_lines)


def _pieces(text: str, pattern: re.Pattern[str]) -> list[_Piece]:
    return [_Piece(found[1], found[2]) for found in pattern.finditer(text) if found[0]]


def _words(pieces: Sequence[_Piece]) -> int:
    """How many of them are more than a line break."""
    return sum(1 for piece in pieces if piece.word.strip())


def _signed(pieces: Sequence[_Piece], opening: str, closing: str) -> tuple[str, str]:
    """The pieces between signs, line breaks shown by `↵`, and the blanks that part them from what follows."""
    text = "".join(map("".join, pieces))
    body = text.rstrip()
    behind = text[len(body) :]
    return opening + body.replace("\n", "↵\n") + "↵" * behind.count("\n") + closing, behind
