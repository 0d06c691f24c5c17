"""Cosines as numbers and shades."""

import pytest

from lmdeck.model.vectors import compared
from lmdeck.widgets.paint.line import plain
from lmdeck.widgets.paint.matrix import matrix, shade


def test_each_text_has_a_line_with_its_length_and_its_cosines():
    found = compared(["hello world, this is quite long", "b\x1b", "nothing"], [[3, 4], [1, 2], [0, 0]])
    assert [plain(line) for line in matrix(found)] == [
        "                                NORM     1       2       3  ",
        "  1 hello world, this is qu…       5  1.00█   0.98█      –  ",
        "  2 b␛                         2.236  0.98█   1.00█      –  ",
        "  3 nothing                        0     –       –       –  ",
    ]


@pytest.mark.parametrize(
    ("cosine", "drawn"),
    [(-1, " "), (0, " "), (0.19, " "), (0.2, "░"), (0.5, "▒"), (0.79, "▓"), (0.81, "█"), (1, "█")],
)
def test_shades(cosine, drawn):
    assert shade(cosine) == drawn
