"""Texts as rows: nothing lost, nothing too wide, and only what is looked at is wrapped."""

import random
import time
from itertools import pairwise

import pytest
from rich.cells import cell_len

from lmdeck.widgets.paint import text_rows
from lmdeck.widgets.paint.hits import MOST, Hits
from lmdeck.widgets.paint.text_rows import BLOCK, Mark, TextRows, visible

WORDS = ("be", "context", "漢字かな", "x" * 130, "é", "\t", "of", "👍", "\x1b[2J", "a\u00a0b", "\u202e")
MEGABYTES = 5_000_000


def drawn(rows: TextRows, number: int) -> str:
    return "".join(piece.text for piece in rows.pieces(number))


def whole(rows: TextRows) -> list[str]:
    rows.settle(0, 0, 10**9)
    return [drawn(rows, number) for number in range(rows.total)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("one two", ["one two"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("    abcdefghijkl", ["    abcd", "efghijkl"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("a\r\nb\rc", ["a ", "b␍c"]),
        ("漢字漢字漢字", ["漢字漢字", "漢字"]),
        ("\tx y", ["    x y"]),
        ("[bold]\x1b[2J", ["[bold]␛[", "2J"]),
        ("a\u00a0b\u200bc\ue000", ["a b\ufffdc\ufffd"]),
    ],
)
def test_wrapping(text, expected):
    assert whole(TextRows(text, 8)) == expected


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_and_nothing_too_wide(seed):
    chance = random.Random(seed)
    text = "".join(chance.choice(WORDS) + chance.choice((" ", " ", " ", "\n", "", "\r\n")) for _ in range(4000))
    cells = chance.randint(8, 120)
    rows = TextRows(text, cells)
    lines = whole(rows)
    assert max(map(cell_len, lines)) <= cells
    assert "".join("".join(lines).split()) == "".join(visible(text).split())
    spans = [rows.row(number) for number in range(rows.total)]
    between = zip([0, *(row.end for row in spans)], [*(row.start for row in spans), len(text)], strict=True)
    assert all(not text[end:start].strip(" \r\n\u00a0") for end, start in between)
    for position in chance.sample(range(len(text)), 50):
        row = rows.row(rows.number(position))
        assert row.start <= position <= row.end


def test_marks_break_rows_and_hits_are_told():
    text = "one<a>two<b> three"
    marks = [Mark(3, 6, "accent", "before"), Mark(9, 12, "accent", "after")]
    rows = TextRows(text, 20, lambda *_: marks)
    assert whole(rows) == ["one", "<a>two<b>", " three"]
    assert rows.pieces(1, [(4, 8)]) == [
        ("<", "accent", False), ("a>", "accent", True), ("tw", "", True), ("o", "", False), ("<b>", "accent", False),
    ]  # fmt: skip


def test_only_what_is_looked_at_is_wrapped(monkeypatch):
    wrapped = []
    wrap = text_rows._wrap_block
    monkeypatch.setattr(text_rows, "_wrap_block", lambda *args: wrapped.append(args[1]) or wrap(*args))
    rows = TextRows("some words and more " * (MEGABYTES // 20), 80)
    assert wrapped == []
    rows.settle(MEGABYTES // 2, 60, 60)
    assert 1 <= len(wrapped) <= 6
    estimate = rows.total
    assert estimate == pytest.approx(len(whole(rows)), rel=0.1)


@pytest.mark.parametrize("unit", ["word and ", "x", "漢字 ", "\n", "line of text\n"])
def test_opening_costs_little_more_than_reading(unit):
    text = (unit * MEGABYTES)[:MEGABYTES]

    def fastest(work) -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return min(times)

    def opened() -> None:
        rows = TextRows(text, 100)
        number = rows.settle(0, 90, 90)
        assert drawn(rows, number) == drawn(rows, 0)

    assert fastest(opened) < 0.5 * fastest(lambda: sum(letter == "<" for letter in text))


def test_edges_fall_between_lines_words_and_tokens():
    token = "<|im_start|>"
    for text in ("line\n" * 3000, "word " * 3000, "x" * (BLOCK - 5) + token + "y" * BLOCK):
        rows = TextRows(text, 50)
        edges = list(rows._edges)
        assert (edges[0], edges[-1]) == (0, len(text))
        assert all(0 < end - start <= BLOCK + 1 for start, end in pairwise(edges))
    assert text.startswith(token, edges[1])


def test_hits_ignore_case_and_are_bounded():
    assert list(Hits("aXa Axa axaxa", "AXA").starts) == [0, 4, 8]
    assert list(Hits("İİ ß needle", "NEEDLE").starts) == [5]
    assert list(Hits("text", "").starts) == []
    many = Hits("a" * (MOST + 10), "a")
    assert (len(many.starts), many.count) == (MOST, f"{MOST}+")
    assert Hits("ab cab", "ab").count == "2"
    assert Hits("abcabc", "bc").within(2, 5) == [(1, 3), (4, 6)]
    assert Hits("abcabc", "bc").within(3, 4) == []
