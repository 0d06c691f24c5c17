"""The one cleaning function."""

import unicodedata

import pytest

from lmdeck.model.text import clean, one_line


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text\nsecond line", "plain text\nsecond line"),
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("\x9b31m", "\ufffd31m"),
        ("bell\x07 del\x7f nul\x00", "bell␇ del␡ nul␀"),
        ("a\tb\r\nc\rd", "a    b\nc␍d"),
        ("abc\u202edef\u200b", "abc\ufffddef\ufffd"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("[bold]markup[/bold] 日本 é", "[bold]markup[/bold] 日本 é"),
    ],
)
def test_clean(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_nothing_a_terminal_obeys_is_left() -> None:
    everything = "".join(map(chr, range(0x11000))) + "\U000e0041"
    left = clean(everything)
    assert {unicodedata.category(character) for character in left} & {"Cc", "Cs"} <= {"Cc"}
    assert {character for character in left if unicodedata.category(character) == "Cc"} == {"\n"}
    left.encode("utf-8")


def test_cleaning_twice_changes_nothing() -> None:
    once = clean("\x1b[0m\u202e\tx\r\n")
    assert clean(once) == once


def test_length_is_bounded() -> None:
    assert clean("x" * 50, limit=10) == "x" * 10 + "…"
    assert len(one_line("word " * 10_000, limit=80)) == 80


def test_one_line_joins_lines() -> None:
    assert one_line("  a\n\n b\x00 c ") == "a b␀ c"
