"""Splitting streamed Markdown."""

import pytest

from lmdeck.widgets.paint.blocks import LONG_LIST, Block, BlockSplitter, LineSplitter

TEXT = "# Title\n\nOne *two*\nthree.\n\n```python\nx = 1\n\ny = 2\n```\n- a\n- b\n\n  c\n\n~~~~\n~~~\n~~~~\nlast"
SPLIT = [
    "# Title\n",
    "\n",
    "One *two*\nthree.\n\n",
    "```python\nx = 1\n\ny = 2\n```\n",
    "- a\n- b\n\n  c\n\n",
    "~~~~\n~~~\n~~~~\n",
    "last",
]


@pytest.mark.parametrize("splitter", [BlockSplitter, LineSplitter])
def test_nothing_is_lost_and_the_blocks_do_not_depend_on_the_deltas(
    splitter: type[BlockSplitter | LineSplitter],
) -> None:
    whole = splitter()
    expected = [*whole.feed(TEXT), *whole.finish()]
    assert "".join(block.text for block in expected) == TEXT
    for size in range(1, len(TEXT)):
        pieces = splitter()
        closed = [block for at in range(0, len(TEXT), size) for block in pieces.feed(TEXT[at : at + size])]
        assert [*closed, *pieces.finish()] == expected
        assert pieces.open.text == ""


def test_blocks_close_where_they_end() -> None:
    splitter = BlockSplitter()
    assert [block.text for block in [*splitter.feed(TEXT), *splitter.finish()]] == SPLIT


@pytest.mark.parametrize(
    ("text", "closed", "still_open"),
    [
        ("One\ntwo", [], "One\ntwo"),
        ("One\n\ntwo", ["One\n\n"], "two"),
        ("```\na\n\nb\n", [], "```\na\n\nb\n"),
        ("One\n```\n", ["One\n"], "```\n"),
        ("````\n```\n\n", [], "````\n```\n\n"),
        ("```\n``` x\n\n", [], "```\n``` x\n\n"),
        ("```x``` y\n", [], "```x``` y\n"),
        # A list goes on behind a blank line with what is indented far enough, or with another item.
        ("1. a\n\n   b\n\n2. c\n", [], "1. a\n\n   b\n\n2. c\n"),
        ("- a\n\n  ```\n  x\n\n  y\n  ```\n\n  b\n", [], "- a\n\n  ```\n  x\n\n  y\n  ```\n\n  b\n"),
        ("- a\n\nb\n", ["- a\n\n"], "b\n"),
        ("- a\n# b\n", ["- a\n", "# b\n"], ""),
        ("1. a\n  ```\nx\n\ny\n", ["1. a\n"], "  ```\nx\n\ny\n"),  # indented too little to be the item's
        ("a\n2. b\n\n   c\n", ["a\n2. b\n\n"], "   c\n"),  # not a list: it would have to begin with 1
        ("    a\n\n    b\n\nc\n", ["    a\n\n    b\n\n"], "c\n"),
    ],
)
def test_what_may_still_grow_stays_open(text: str, closed: list[str], still_open: str) -> None:
    splitter = BlockSplitter()
    assert [block.text for block in splitter.feed(text)] == closed
    assert splitter.open.text == still_open


def test_a_long_list_is_cut_between_its_items() -> None:
    item = "- a point with so many words, about something\n"
    splitter = BlockSplitter()
    closed = splitter.feed(item * (3 * LONG_LIST // len(item)))
    assert closed
    assert all(len(block.text) < LONG_LIST + 2 * len(item) for block in (*closed, splitter.open))
    assert [block.joined for block in closed] == [False, *[True] * (len(closed) - 1)]
    loose = BlockSplitter()
    assert not any(block.joined for block in loose.feed(f"{item}\n" * (3 * LONG_LIST // len(item))))


def test_plain_text_closes_with_every_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed("a\n\nb") == [Block("a\n", joined=True), Block("\n", joined=True)]
    assert splitter.open == Block("b", joined=True)
