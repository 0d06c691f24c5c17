"""Markdown as it is drawn."""

import pytest

from lmdeck.widgets.paint.code import CodeBlock
from lmdeck.widgets.paint.flow import Flow
from lmdeck.widgets.paint.markdown import LONGEST, read


def drawn(text: str, cells: int = 40) -> list[str]:
    flow = Flow(cells)
    flow.add(read(text).parts)
    return [(row.margin.plain + row.text.plain).rstrip() for row in flow.rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("# One\n\ntwo *three*\nfour", ["One", "", "two three four"]),
        ("a  \nb<br>c", ["a", "b", "c"]),
        ("- a\n- b\n  - c\n    1. d\n    2. e\n- f", ["• a", "• b", "  ▪ c", "    1. d", "    2. e", "• f"]),
        ("- a\n\n- b\n  c", ["• a", "", "• b c"]),
        ("9. a\n10. b", ["9. a", "10. b"]),
        ("0. a", ["0. a"]),
        ("- a\n\n  b\n\n      c", ["• a", "", "  b", "", "    c"]),
        ("-\n- a", ["•", "• a"]),
        ("> a\n> b\n>\n> > c\n>\n> - d", ["▌ a b", "▌", "▌ ▌ c", "▌", "▌ • d"]),
        ("- a\n  > b", ["• a", "  ▌ b"]),
        ("```py\nx\n\ty\n```", ["  x", "      y"]),
        ("a\n\n---\n\nb", ["a", "", "─" * 40, "", "b"]),
        ("| a | bb |\n|---|---:|\n| ccc | d |", ["a   │ bb", "────┼───", "ccc │  d"]),
        ("| a |\n|---|\n| b<br>c |", ["a", "─", "b", "c"]),
        ("<b>x</b> &amp; y", ["<b>x</b> & y"]),
        ("[b]x[/b]", ["[b]x[/b]"]),
    ],
)
def test_blocks(text: str, rows: list[str]) -> None:
    assert drawn(text) == rows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](http://b.c)", "a (http://b.c)"),
        ("[**a** `b`](http://b.c)", "a b (http://b.c)"),
        ("[http://good.com](http://evil.com)", "http://good.com (http://evil.com)"),
        ("[http://b.c](http://b.c)", "http://b.c"),
        ("see http://b.c and <http://d.e> f.com", "see http://b.c and http://d.e f.com"),
        ("![a](b.png)", "image: a (b.png)"),
        ("[a][1]\n\n[1]: http://b.c", "[a][1]||[1]: http://b.c"),
        ("[a](javascript:x)", "[a](javascript:x)"),
    ],
)
def test_links_show_where_they_lead(text: str, shown: str) -> None:
    assert "|".join(drawn(text, 80)) == shown


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "&#8238;x", "`\x1b[2J`", "```\n\x9b2J\n```", "[\x1b[2J](\x1b]8;;)", "| \x1b |\n|---|"]
)
def test_nothing_reaches_the_terminal_as_a_command(text: str) -> None:
    assert all(row.isprintable() for row in drawn(text))


def test_code_blocks_are_told_as_they_were_written() -> None:
    text = '- a\n\n  ```Python title="x"\n  def f():\n  \treturn\n  ```\n\n~~~\n~~~\n\n    indented\n'
    assert read(text).codes == [CodeBlock("python", "def f():\n\treturn"), CodeBlock("", ""), CodeBlock("", "indented")]


def test_a_block_without_end_is_shown_as_it_came() -> None:
    reading = read("*a* " * LONGEST)
    assert len(reading.parts) == 1
    assert not reading.codes
