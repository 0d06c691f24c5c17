"""Bars whose parts are told apart by their glyphs."""

import pytest

from lmdeck.widgets.paint.bar import Part, bar
from lmdeck.widgets.paint.line import plain


def drawn(ours, others, total, cells):
    return plain(bar([Part(ours), Part(others, "▓")], total, cells))


def test_parts_follow_each_other():
    assert drawn(5, 3, 10, 10) == "█████▓▓▓░░"


def test_a_little_is_not_nothing_and_nearly_full_is_not_full():
    assert drawn(0.1, 0.1, 100, 10) == "█▓░░░░░░░░"
    assert drawn(99, 0, 100, 10) == "█████████░"
    assert drawn(100, 0, 100, 10) == "██████████"


@pytest.mark.parametrize(("ours", "others", "total"), [(20, 20, 10), (0, 0, 0), (-5, 3, 10), (5, 5, 0)])
@pytest.mark.parametrize("cells", [1, 2, 7])
def test_always_as_wide_as_asked(ours, others, total, cells):
    assert len(drawn(ours, others, total, cells)) == cells
