"""How columns share a width."""

import pytest

from lmdeck.widgets.paint.columns import Space, share

COLUMNS = [Space(10, 30), Space(6, 6, priority=2), Space(5, 8, priority=1)]


def test_growing_columns_take_what_is_left():
    widths, gap = share(COLUMNS, 60)
    assert gap == 2
    assert widths == {0: 30, 1: 6, 2: 8}


def test_gap_shrinks_before_a_column_goes():
    assert share(COLUMNS, 23) == ({0: 10, 1: 6, 2: 5}, 1)


def test_the_highest_priority_number_is_dropped_first():
    assert set(share(COLUMNS, 22)[0]) == {0, 2}
    assert set(share(COLUMNS, 12)[0]) == {0}


@pytest.mark.parametrize("cells", range(1, 80))
def test_never_wider_than_there_is_room(cells):
    widths, gap = share(COLUMNS, cells)
    assert sum(widths.values()) + gap * (len(widths) - 1) <= cells
