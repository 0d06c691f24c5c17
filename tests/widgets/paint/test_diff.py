"""What is redrawn when a line changes."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from lmdeck.widgets.paint.diff import changed

BOLD = Style(bold=True)


def strip(*parts):
    return Strip([Segment(text, style) for text, style in parts])


@pytest.mark.parametrize(
    ("old", "new", "span"),
    [
        (strip(("abc", None)), strip(("abc", None)), (0, 0)),
        (strip(("ttl 42:10 idle", None)), strip(("ttl 42:09 idle", None)), (7, 9)),
        (strip(("a", None), ("bb", BOLD), ("c", None)), strip(("a", None), ("xb", BOLD), ("c", None)), (1, 2)),
        (strip(("aaa", None)), strip(("aaa", BOLD)), (0, 3)),
        (strip(("模型", None), ("1", BOLD)), strip(("模型", None), ("2", BOLD)), (4, 5)),
        (strip(("模型", None)), strip(("模组", None)), (0, 4)),
        (strip(("ab", None)), strip(("abcd", None)), (2, 4)),
        (strip(("█░", None)), strip(("██", None)), (0, 2)),
    ],
)
def test_changed(old, new, span):
    assert changed(old, new) == span
