"""A benchmark as a table and bars."""

import pytest

from lmdeck.model.experiment import BenchLevel
from lmdeck.widgets.paint.bench import bar, chart, table
from lmdeck.widgets.paint.line import plain, width

LEVELS = (
    BenchLevel(1, 1, 1.56, 64, 41.0, (41.0,), (0.31,)),
    BenchLevel(16, 4, 1.6, 256, 160.0, (38.0, 40.0, 42.0), (0.31, 0.4, 9.0), 2, "busy"),
)


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(0, "    "), (0.001, "▏   "), (1, "▎   "), (2, "▌   "), (8, "██  "), (9, "██▎ "), (16, "████"), (99, "████")],
)
def test_bar_in_eighths(value, drawn):
    assert bar(value, 16, 4) == drawn


def test_a_bar_of_nothing_at_all():
    assert bar(0, 0, 3) == "   "


def test_table_fits_the_narrow_dialog():
    lines = [plain(line) for line in table(LEVELS)]
    assert lines == [
        "AT ONCE  TOGETHER  WALL s  TOTAL TOK/S  EACH TOK/S  TTFT s  FAILED",
        "      1         1    1.56         41.0        41.0    0.31       –",
        "     16         4    1.60        160.0        40.0    0.40       2",
    ]


def test_chart_scales_to_the_largest_and_marks_where_more_brings_nothing():
    first, second = (plain(line) for line in chart(LEVELS, 68, effective=16))
    assert second.startswith(f" 16 {'█' * 25}    160.0 tok/s   each   40.0  ← enough")
    assert first.startswith("  1 ██████▍ ")
    assert "enough" not in first


@pytest.mark.parametrize("cells", [0, 1, 20, 40, 68, 150])
def test_chart_at_any_width(cells):
    assert all(width(line) <= cells for line in chart(LEVELS, cells, effective=1))
    assert chart((), cells) == []
