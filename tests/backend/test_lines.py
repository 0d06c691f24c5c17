import pytest

from lmdeck.backend.lines import Line, LineSplitter

TEXT = b"one\n\ntwo\r\n" + b"x" * 12 + b"\nlast"
LINES = [Line(b"one"), Line(b""), Line(b"two\r"), Line(b"x" * 8, cut=True), Line(b"last")]


@pytest.mark.parametrize("at", range(len(TEXT) + 1))
def test_every_split_point(at):
    splitter = LineSplitter(max_line=8)
    assert splitter.feed(TEXT[:at]) + splitter.feed(TEXT[at:]) + splitter.close() == LINES
    assert splitter.close() == []


def test_a_line_without_end_is_held_up_to_its_limit_only():
    splitter = LineSplitter(max_line=1000)
    for _ in range(100):
        assert splitter.feed(b"y" * 999) == []
    assert splitter.feed(b"\nz\n") == [Line(b"y" * 1000, cut=True), Line(b"z")]
