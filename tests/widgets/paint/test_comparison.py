"""Compared answers as a table."""

import pytest

from lmdeck.model.chat import ChatStats
from lmdeck.model.comparison import Outcome
from lmdeck.widgets.paint.comparison import table
from lmdeck.widgets.paint.line import plain, width

FAST = Outcome("done", ChatStats(12, 143, None, 141.26, 1.31, measured=True), 3.52)
QUICK = Outcome("done", ChatStats(12, 1430, None, 41.26, 0.31), 3.42)


def lines(*outcomes: Outcome, cells: int = 74) -> list[str]:
    return [plain(line) for line in table("abcd"[: len(outcomes)], outcomes, cells)]


def test_the_best_of_each_figure_is_marked_and_what_was_measured_here():
    assert lines(FAST, QUICK, Outcome("answering", None, 12.34), Outcome()) == [
        "                         STATE      TOK/S  TTFT s  TOK IN     OUT  TIME s ",
        "1  a                     done      ≈141.3✓  ≈1.31      12     143     3.5 ",
        "2  b                     done        41.3    0.31✓     12    1430     3.4✓",
        "3  c                     answering      –       –       –       –    12.3 ",
        "4  d                     not asked      –       –       –       –       – ",
    ]


def test_nothing_is_best_alone_or_among_equals_or_when_it_is_not_whole():
    assert "✓" not in "".join(lines(FAST, Outcome("waiting", None, 0.1)))
    assert "✓" not in "".join(lines(QUICK, QUICK))
    cut = Outcome("cut off", ChatStats(12, 3, None, 900.0, 0.01), 0.5)
    _, first, second = lines(cut, QUICK)
    assert "✓" not in first + second


@pytest.mark.parametrize("cells", [74, 100, 154])
def test_it_fits_its_place(cells):
    drawn = table(["qwen/qwen3-coder-30b temperature=0.2 " * 3, "漢字" * 40], [FAST, QUICK], cells)
    assert {width(line) for line in drawn} == {min(cells, 102)}


def test_labels_are_safe():
    assert "␛" in plain(table(["a\x1b[2J", "b"], [QUICK, QUICK], 74)[1])
