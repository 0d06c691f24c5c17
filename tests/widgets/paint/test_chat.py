"""Lines around a conversation."""

import pytest

from lmdeck.model.conversation import Attachment, ContextMeter
from lmdeck.model.slash import Completion
from lmdeck.widgets.paint.chat import attachment_lines, completion_lines, meter_words, nearly_full
from lmdeck.widgets.paint.line import plain, width


@pytest.mark.parametrize(
    ("meter", "written", "words"),
    [
        (ContextMeter(), 0, ""),
        (ContextMeter(1234), 0, "ctx 1,234"),
        (ContextMeter(None, 8192, "reported"), 0, "ctx 8,192 ?"),
        (ContextMeter(1234, 8192, "allocated"), 100, "ctx 1,234 / 8,192 15 % ✓"),
        (ContextMeter(1234, 8192, "proven"), 0, "ctx 1,234 / 8,192 15 % ✓"),
        (ContextMeter(1234, 8192), 0, "ctx 1,234 / 8,192 15 %"),
        (ContextMeter(7400, 8192, "allocated"), 0, "ctx 7,400 / 8,192 ✓: nearly full"),
        (ContextMeter(7000, 8192, "reported"), 2000, "ctx ≈7,500 / 8,192 ?: nearly full"),
        (ContextMeter(7000, 8192, "allocated"), 6000, "ctx ≈8,500 / 8,192 ✓: will not fit"),
        (ContextMeter(None, 1000, "allocated"), 40_000, "ctx ≈10,000 / 1,000 ✓: will not fit"),
        (ContextMeter(5, 0), 0, "ctx 5"),
    ],
)
def test_the_meter(meter: ContextMeter, written: int, words: str) -> None:
    assert meter_words(meter, written) == words
    assert nearly_full(meter, written) == (":" in words)


def attachment(name: str, kind: str = "text") -> Attachment:
    return Attachment(kind, name, "text/plain", "x" * 3482, 3482)  # type: ignore[arg-type]


def test_attachments_have_a_line_each_and_many_are_counted() -> None:
    (line,) = attachment_lines([attachment("no\ntes[b].md")], 40)
    assert plain(line) == "+ no tes[b].md  text 3.4 KiB  ✕"
    lines = attachment_lines([attachment("a" * 60)] * 6, 30)
    assert len(lines) == 5
    assert all(width(each) <= 30 for each in lines)
    assert "3.4 KiB" in plain(lines[0])
    assert plain(lines[-1]).strip() == "and 2 more"


def test_completions_mark_the_chosen_one_and_count_what_is_left_out() -> None:
    items = [Completion(f"word{number}", 0, 1, f"help {number}") for number in range(20)]
    lines = [plain(line) for line in completion_lines(items, None, 40, 8)]
    assert lines[0] == "  word0  help 0"
    assert len(lines) == 8
    assert lines[-1].endswith("8/20")
    lines = [plain(line) for line in completion_lines(items, 15, 40, 8)]
    assert [line for line in lines if line.startswith("›")] == ["› word15  help 15"]
    assert all(width(line) <= 12 for line in completion_lines(items, 3, 12, 8))
    assert completion_lines([], None, 40, 8) == []
