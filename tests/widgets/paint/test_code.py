"""Code in its colours."""

import pytest

from lmdeck.widgets.paint.code import COLOURED_AT_ONCE, PIECE, Listing, language_of


@pytest.mark.parametrize(
    ("info", "language"),
    [("", ""), ("Python", "python"), ('js title="a b"', "js"), ("{.python #x}", "python"), (" c++ ", "c++")],
)
def test_the_language_of_a_fence(info: str, language: str) -> None:
    assert language_of(info) == language


@pytest.mark.parametrize("language", ["python", "console", "html", "json", "nonsense", ""])
@pytest.mark.parametrize(
    "text", ["", "x = 'a'\n\n\n", "\ndef f():\n\treturn 1  # é漢字\n", "<a b='c'>\n$ ls -l\n{\"a\": [1,"]
)
def test_colours_change_no_text(text: str, language: str) -> None:
    listing = Listing(text, language)
    assert listing.lines == text.expandtabs(4).split("\n")
    assert [listing.coloured(number).plain for number in range(len(listing.lines))] == listing.lines


def test_what_means_something_has_a_colour() -> None:
    line = Listing("def f(): return 1  # why", "python").coloured(0)
    assert {line.plain[span.start : span.end] for span in line.spans} >= {"def", "f", "1", "# why"}
    for text, language in (("def f(): return 1", "nonsense"), ("x = 1 " * 1000, "python"), ("x = 1", "")):
        assert all(span.end - span.start == len(text) for span in Listing(text, language).coloured(0).spans)


def test_code_that_is_not_complete_is_no_mistake() -> None:
    assert not any("error" in str(span.style) for span in Listing("x = 'unended", "python").coloured(0).spans)


def test_long_code_is_coloured_in_pieces() -> None:
    line = "x = 1  # a comment to fill the line\n"
    count = COLOURED_AT_ONCE // len(line) + PIECE
    listing = Listing(line * count, "python")
    assert [listing.coloured(number).plain for number in range(count)] == [line.rstrip("\n")] * count
    assert listing.coloured(count - 1).spans == listing.coloured(0).spans != []
