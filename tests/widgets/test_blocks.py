"""Splitting streamed Markdown."""

import pytest

from lmdeck.widgets.paint.blocks import BlockSplitter

TEXT = "# Title\n\nOne *two*\nthree.\n\n```python\nx = 1\n\ny = 2\n```\n- a\n- b\n\n~~~~\n~~~\n~~~~\nlast"


def test_nothing_is_lost_at_any_split() -> None:
    for size in range(1, len(TEXT)):
        splitter = BlockSplitter()
        closed = [splitter.feed(TEXT[start : start + size]) for start in range(0, len(TEXT), size)]
        assert "".join([*closed, splitter.finish()]) == TEXT
        assert splitter.open == ""


@pytest.mark.parametrize(
    ("text", "closed", "still_open"),
    [
        ("One\ntwo", "", "One\ntwo"),
        ("One\n\ntwo", "One\n\n", "two"),
        ("```\na\n\nb\n", "", "```\na\n\nb\n"),
        ("```\na\n\nb\n```\nc", "```\na\n\nb\n```\n", "c"),
        ("````\n```\n\n", "", "````\n```\n\n"),
        ("```\n``` x\n\n", "", "```\n``` x\n\n"),
    ],
)
def test_blocks_close_where_they_end(text: str, closed: str, still_open: str) -> None:
    splitter = BlockSplitter()
    assert splitter.feed(text) == closed
    assert splitter.open == still_open


def test_only_the_tail_of_a_long_block_is_drawn() -> None:
    splitter = BlockSplitter()
    splitter.feed("```\n" + "line\n" * 500 + "end")
    assert splitter.open_tail(2) == "line\nline\nend"
