"""Parts of a text at a width."""

import pytest

from lmdeck.widgets.paint.flow import Flow
from lmdeck.widgets.paint.markdown import read

TABLE = """
| Name | What it does |
|---|---|
| alpha | something **long** that is wrapped |
| beta | 漢字漢字漢字漢字漢字 |
"""


def flow(text: str, cells: int) -> Flow:
    made = Flow(cells)
    made.add(read(text).parts)
    return made


def rows(text: str, cells: int) -> list[str]:
    return [(row.margin.plain + row.text.plain).rstrip() for row in flow(text, cells).rows]


@pytest.mark.parametrize(
    ("text", "cells", "expected"),
    [
        ("- some words that wrap", 14, ["• some words", "  that wrap"]),
        ("> some words that wrap", 14, ["▌ some words", "▌ that wrap"]),
        ("漢字漢字漢字", 5, ["漢字", "漢字", "漢字"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("```\nabc def ghi jkl\n```", 12, ["  abc def", "  ghi jkl"]),
        (
            "- a\n  - b\n    - c\n      - d\n        - some words",
            12,
            ["• a", "  ▪ b", "   ‣ c", "   ◦ d", "   • some", "     words"],
        ),
    ],
)
def test_wrapping(text: str, cells: int, expected: list[str]) -> None:
    assert rows(text, cells) == expected


def test_a_table_takes_what_it_needs_then_wraps_its_cells() -> None:
    assert rows(TABLE, 80)[1] == "──────┼───────────────────────────────"
    assert rows(TABLE, 28) == [
        "Name  │ What it does",
        "──────┼─────────────────────",
        "alpha │ something long that",
        "      │ is wrapped",
        "beta  │ 漢字漢字漢字漢字漢字",
    ]


def test_a_table_too_wide_for_its_columns_is_told_row_by_row() -> None:
    assert rows(TABLE, 14) == [
        "Name: alpha",
        "What it does:",
        "something long",
        "that is",
        "wrapped",
        "",
        "Name: beta",
        "What it does:",
        "漢字漢字漢字漢",
        "字漢字",
    ]


def test_what_is_copied_is_not_wrapped_and_code_has_nothing_before_it() -> None:
    text = "- some words that wrap\n\n> quoted\n\n```\n    x = 1\n```\n"
    assert flow(text, 14).lines == ["• some words that wrap", "", "> quoted", "", "    x = 1"]
