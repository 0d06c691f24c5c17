"""Vectors measured, and texts parted into inputs."""

from math import inf, nan, sqrt

import pytest

from lmdeck.model.vectors import compared, cosine, matrix, norm, split_inputs


def test_norm_is_the_euclidean_length():
    assert norm([3.0, 4.0]) == 5.0
    assert norm([]) == 0.0
    assert norm([1e200, 1e200]) == pytest.approx(1e200 * sqrt(2))  # no square overflows


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, 0.0], [5.0, 0.0], 1.0),
        ([1.0, 0.0], [0.0, 2.0], 0.0),
        ([1.0, 1.0], [-2.0, -2.0], -1.0),
        ([1.0, 1.0], [1.0, 0.0], sqrt(0.5)),
        ([1e200, 1e200], [1e-200, 1e-200], 1.0),
    ],
)
def test_cosine(one, other, expected):
    assert cosine(one, other) == pytest.approx(expected)


def test_rounding_never_leads_beyond_one():
    vector = [0.1] * 7
    assert -1.0 <= cosine(vector, [value * 3 for value in vector]) <= 1.0
    assert cosine(vector, vector) <= 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [([0.0, 0.0], [1.0, 2.0]), ([], []), ([1.0], [1.0, 0.0]), ([nan, 1.0], [1.0, 1.0]), ([inf, 1.0], [1.0, 1.0])],
)
def test_without_a_direction_there_is_no_cosine(one, other):
    assert cosine(one, other) is None


def test_the_matrix_is_symmetric_and_has_gaps_where_there_is_nothing_to_compare():
    found = matrix([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    assert found == tuple(zip(*found, strict=True))
    assert [found[0][0], found[2][2]] == pytest.approx([1.0, 1.0])
    assert found[1] == (None, None, None)
    assert found[0][2] == pytest.approx(sqrt(0.5))


def test_a_comparison_knows_sizes_lengths_and_the_extreme_pairs():
    found = compared(["a", "b", "c"], [[2.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    assert (found.inputs, found.sizes, found.norms) == (("a", "b", "c"), (2, 2, 2), pytest.approx((2, sqrt(5), 3)))
    most, least = found.extremes()
    assert (most[:2], least[:2]) == ((0, 1), (0, 2))
    assert compared(["alone"], [[1.0]]).extremes() is None
    assert compared(["a", "b"], [[0.0], [1.0]]).extremes() is None


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("", ()),
        (" \n \n", ()),
        ("one", ("one",)),
        ("one\ntwo \n three", ("one", "two", "three")),
        ("one\nstill one\n\ntwo", ("one\nstill one", "two")),
        ("\n\none\ntwo\n\n", ("one", "two")),
        ("one\n  \t\ntwo\n\n\n\nthree\n", ("one", "two", "three")),
    ],
)
def test_texts_are_lines_or_parts_between_blank_lines(text, inputs):
    assert split_inputs(text) == inputs
