"""Histories: five minutes in a few cells."""

from itertools import pairwise

from lmdeck.widgets.paint.spark import SPAN, History, chart, spark


def filled(values):
    history = History()
    for value in values:
        history.push(value)
    return history


def test_spark_from_nothing_to_all():
    assert spark([0, 12.5, 50, 100, None, 250]) == "▁▁▄█ █"


def test_chart_is_drawn_from_below():
    assert chart([0, 25, 50, 75, 100, None], 2) == ["   ▄█ ", "▁▄███ "]


def test_newest_samples_are_at_the_right():
    columns = filled([10] * 30 + [90] * 30).columns(10)
    assert columns == [None] * 8 + [10, 90]


def test_old_samples_leave():
    history = filled([100] * SPAN + [0] * SPAN)
    assert history.columns(20) == [0] * 20


def test_finished_columns_never_change():
    history, seen = History(), []
    for second in range(900):
        history.push(float(second))
        seen.append(history.columns(30)[:-1])
    moved = sum(before != after for before, after in pairwise(seen))
    assert moved <= 900 / (SPAN / 30)


def test_moments_without_a_value_are_gaps():
    assert filled([None] * 60 + [50] * 30).columns(10)[-3:] == [None, None, 50]


def test_any_width():
    for cells in (1, 3, 299, 300, 500):
        assert len(filled(range(400)).columns(cells)) == cells
