"""Texts that grow: the same rows whatever the pieces, nothing too wide or unsafe, and no more work than needed."""

import random
from collections.abc import Callable

import pytest
from any_markdown import any_markdown, cut
from rich.cells import cell_len

from lmdeck.widgets.paint import document as module
from lmdeck.widgets.paint.code import PIECE, CodeBlock
from lmdeck.widgets.paint.document import Document
from lmdeck.widgets.paint.markdown import Reading

WIDTHS = (2, 3, 12, 20, 40, 80)


def whole(text: str, cells: int, *, markdown: bool = True) -> Document:
    document = Document(markdown=markdown)
    document.feed(text)
    document.finish()
    document.draw(cells)
    return document


def drawn(document: Document) -> list[str]:
    return [row.margin.plain + row.text.plain for row in document.rows]


def looks(document: Document) -> list[object]:
    return [(row.margin.spans, row.coloured().spans, row.ground, row.line, row.start) for row in document.rows]


@pytest.mark.parametrize("seed", range(60))
def test_rows_do_not_depend_on_pieces_drawings_or_former_widths(seed: int) -> None:
    dice = random.Random(seed)
    text, cells, markdown = any_markdown(dice), dice.choice(WIDTHS), dice.random() < 0.9
    expected, grown = whole(text, cells, markdown=markdown), Document(markdown=markdown)
    for piece in cut(dice, text):
        grown.feed(piece)
        if dice.random() < 0.3:
            grown.draw(dice.choice((cells, cells, cells, 25)))
    grown.finish()
    grown.draw(cells)
    assert drawn(grown) == drawn(expected)
    assert looks(grown) == looks(expected)
    assert list(grown.lines) == list(expected.lines)
    assert grown.code_blocks == expected.code_blocks


@pytest.mark.parametrize("seed", range(60))
def test_a_drawing_tells_the_first_row_that_differs(seed: int) -> None:
    dice = random.Random(seed)
    document, cells = Document(), dice.choice(WIDTHS)
    document.draw(cells)
    for piece in cut(dice, any_markdown(dice)):
        before = drawn(document), looks(document)
        document.feed(piece)
        first = document.draw(cells)
        after = drawn(document), looks(document)
        assert [kind[:first] for kind in before] == [kind[:first] for kind in after]


@pytest.mark.parametrize("seed", range(60))
def test_rows_fit_are_safe_and_show_the_lines_that_are_copied(seed: int) -> None:
    dice = random.Random(seed)
    cells = dice.choice(WIDTHS)
    document = whole(any_markdown(dice), cells)
    for row in document.rows:
        assert cell_len(row.margin.plain + row.text.plain) <= cells
        assert (row.margin.plain + row.text.plain).isprintable()
        assert document.lines[row.line].startswith(row.text.plain, row.start)
        assert row.coloured().plain == row.text.plain


def test_what_has_ended_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of a text that grows follows its length, not its square."""
    read: Callable[[str], Reading] = module.read
    sizes = list[int]()
    monkeypatch.setattr(module, "read", lambda text: sizes.append(len(text)) or read(text))
    document = Document()
    block = "A paragraph of words.\n\n- a point\n- another\n\n" + "```python\n" + "x = 1\n" * 3 * PIECE + "```\n\n"
    longest, shares = len(block), list[int]()
    for _ in range(8):
        sizes.clear()
        for at in range(0, longest, 20):
            document.feed(block[at : at + 20])
            document.draw(80)
        shares.append(sum(sizes))
    assert max(shares) <= 1.2 * min(shares)
    assert max(size for size in sizes if size < longest / 2) < 50 + PIECE * len("x = 1\n")


def test_code_that_still_grows_is_a_code_block_already() -> None:
    document = Document()
    document.feed("a\n\n```py\nx = 1\n```\n\n- b\n\n  ```\n  y\n")
    assert document.code_blocks == (CodeBlock("py", "x = 1"), CodeBlock("", "y"))


def test_nothing_is_drawn_without_room_and_nothing_twice() -> None:
    document = Document()
    document.feed("word")
    assert document.draw(0) == 0
    assert not document.rows
    assert document.draw(10) == 0
    assert document.draw(10) == len(document.rows) == 1


def test_plain_text_is_shown_as_it_came() -> None:
    text = "*a*\n\n# b\n```\n[c](d)"
    assert drawn(whole(text, 40, markdown=False)) == [f"│ {line}" for line in text.split("\n")]
