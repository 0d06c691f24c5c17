"""Cells of the Available pane."""

import pytest

from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.rows import AvailableRow
from lmdeck.widgets.paint import available
from lmdeck.widgets.paint.line import plain


@pytest.mark.parametrize(
    ("copies", "loading", "words"),
    [(0, False, "  qwen"), (1, False, "● qwen"), (2, False, "●2qwen"), (12, False, "●+qwen"), (1, True, "◌ qwen")],
)
def test_mark_of_what_is_in_memory(copies, loading, words):
    assert plain(available.model(AvailableRow(Model("qwen"), copies, loading))) == words


@pytest.mark.parametrize(
    ("size", "words"), [(45_200_000_000, "45.2"), (84_000_000, "0.1"), (4_000_000, "<0.1"), (None, "–")]
)
def test_size_in_gigabytes(size, words):
    assert plain(available.size(size)) == words


def test_abilities():
    able = Capabilities(vision=True, tools=True, reasoning=("low", "high"))
    assert available.abilities(Model("a", capabilities=able)) == "tools vision reasoning"
    assert available.abilities(Model("a", type="vlm")) == "vision"
    assert available.abilities(Model("a", type="embedding")) == "embedding"
