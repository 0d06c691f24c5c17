"""The frame that all panes share, around content that is no list."""

import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from lmdeck.model.problem import Problem
from lmdeck.widgets.line_view import LineView
from lmdeck.widgets.pane import Pane, age


class Plain(Pane):
    TITLE = "Chat"

    def compose(self) -> ComposeResult:
        yield Static("content")


async def test_words_stand_in_place_of_the_content_and_leave_again(host, lines):
    pane = Plain()
    async with host(pane).run_test(size=(30, 8)) as pilot:
        await pilot.pause()
        content = pane.query_one(Static)
        assert pane.border_title == "Chat"
        pane.show_problem(Problem("down: timed out", "", "r tries again"))
        await pilot.pause()
        assert not content.display
        assert lines(pane.query_one(LineView))[:3] == [" ✗ down: timed out", "", " r tries again"]
        pane.show_problem(None)
        await pilot.pause()
        assert content.display
        pane.show_words("nothing here yet")
        await pilot.pause()
        assert lines(pane.query_one(LineView))[0] == " nothing here yet"
        pane.show_words("")
        await pilot.pause()
        assert content.display


async def test_a_new_title_paints_only_the_frame(host):
    pane = Plain()
    async with host(pane).run_test(size=(30, 8)) as pilot:
        await pilot.pause()
        content, painted = pane.query_one(Static), []
        render = content.render_line
        content.render_line = lambda y: painted.append(y) or render(y)
        pane.set_addendum(" qwen3 [b]x[/b]")
        pane.mark_stale(True)
        pane.remove_class("-stale")
        await pilot.pause()
        assert "qwen3 \\[b]x\\[/b]" in pane.border_title
        before = len(painted)
        pane.set_addendum(" other")
        await pilot.pause()
        assert len(painted) == before


async def test_long_words_wrap_and_scroll(host, lines):
    pane = Plain()
    async with host(pane).run_test(size=(20, 6)) as pilot:
        pane.show_words("word " * 40)
        await pilot.pause()
        view = pane.query_one(LineView)
        assert lines(view)[0] == " word word word"
        view.focus()
        await pilot.press("end")
        await pilot.pause()
        assert view.scroll_y == view.max_scroll_y > 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (12.9, "12 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h")]
)
def test_age(seconds, words):
    assert age(seconds) == words
