"""Two texts in one, with signs around what differs."""

import random
import re

import pytest

from lmdeck.widgets.paint.text_rows import Mark
from lmdeck.widgets.paint.word_diff import MOST_WORDS, word_diff

GONE, NEW = re.compile(r"\[-(.*?)-\]", re.DOTALL), re.compile(r"\{\+(.*?)\+\}", re.DOTALL)


def words_of(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("", "", ""),
        ("same text\n", "same text\n", "same text\n"),
        ("a quick fox", "a red fox", "a [-quick-] {+red+} fox"),
        ("a fox", "a quick red fox", "a {+quick red+} fox"),
        ("a quick red fox", "a fox", "a [-quick red-] fox"),
        ("", "all new", "{+all new+}"),
        ("all gone", "", "[-all gone-]"),
        ("one end", "one", "one [-end-]"),
        ("one", "one end", "one {+end+}"),
        ("two  blanks ", "two blanks", "two blanks"),
        ("fox\njumps", "fox jumps", "fox [-↵-]\njumps"),
        ("fox jumps", "fox\njumps", "fox {+↵+}\njumps"),
        ("    x = 1", "  x = 1", "[-    x-] {+  x+} = 1"),
        ("a\nb\nc", "a\nx\ny\nc", "a\n[-b-] {+x↵\ny+}\nc"),
    ],
)
def test_signs_stand_around_what_differs(first, second, shown):
    assert word_diff(first, second).text == shown


def test_marks_lie_on_the_signed_parts_and_the_counts_are_words():
    found = word_diff("a quick fox\nruns", "a red fox\nruns far away")
    assert [(found.text[mark.start : mark.end], mark.tone) for mark in found.marks] == [
        ("[-quick-]", "bad"),
        ("{+red+}", "good"),
        ("{+far away+}", "good"),
    ]
    assert (found.only_first, found.only_second, found.common, found.by_lines) == (1, 3, 3, False)


def test_only_the_marks_of_a_part_are_told():
    found = word_diff("a b c", "x b y")
    everything = list(found.marker(found.text, 0, len(found.text)))
    assert everything == list(found.marks)
    assert all(isinstance(mark, Mark) for mark in everything)
    second = found.marks[1]
    assert list(found.marker(found.text, second.start, second.end)) == [second]
    assert list(found.marker(found.text, second.start + 1, second.start + 2)) == [second]


@pytest.mark.parametrize("seed", range(40))
def test_both_texts_can_be_read_from_it(seed):
    """Without what is signed as the other's, the words of each text are left in their order."""
    source = random.Random(seed)
    vocabulary = ["the", "fox", "jumps", "x", "y", "=", "\n", "\n\n", "\n    "]

    def text() -> str:
        return " ".join(source.choice(vocabulary) for _ in range(source.randrange(60)))

    first = text()
    second = text() if seed % 2 else " ".join(word for word in first.split(" ") if source.random() > 0.2)
    shown = word_diff(first, second).text
    assert words_of(NEW.sub(r"\1", GONE.sub("", shown)).replace("↵", "")) == words_of(second)
    assert words_of(GONE.sub(r"\1", NEW.sub("", shown)).replace("↵", "")) == words_of(first)


def test_long_texts_are_compared_by_lines():
    line = "word " * 20 + "\n"
    first = line * (MOST_WORDS // 20 + 1)
    found = word_diff(first, first + "one more line\n")
    assert found.by_lines
    assert (found.only_first, found.only_second) == (0, 1)
    assert found.text.endswith("{+one more line↵+}\n")
