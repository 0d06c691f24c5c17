"""An answer alone in an application, as it arrives."""

import random
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
from any_markdown import any_markdown, cut
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from lmdeck.model.chat import ChatEnded, ChatStats, MessageDelta, ReasoningDelta, ToolCall
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean
from lmdeck.widgets import answer as module
from lmdeck.widgets.answer import Answer
from lmdeck.widgets.paint.code import CodeBlock
from lmdeck.widgets.prose import Prose

ENDED = ChatEnded(ChatStats(12, 143, None, 41.3, 0.314))
CODE = "Look:\n\n```python\n\tx = 1\n```\n\n- and\n\n  ```\n  y\n"


class Host(App[None]):
    CSS = "VerticalScroll { scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.answer = Answer()

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield self.answer

    @property
    def scroll(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)


def screen(app: App[None]) -> list[str]:
    rows = (strip.text.rstrip().removesuffix("▄") for strip in app.screen._compositor.render_strips())
    return [row for row in rows if row]


async def until(pilot: Pilot[None], *words: str) -> list[str]:
    """The screen once it shows these words."""
    for _ in range(1000):
        await pilot.pause(0.01)
        if all(word in "\n".join(screen(pilot.app)) for word in words):
            return screen(pilot.app)
    raise AssertionError(f"{words} are not on the screen:\n" + "\n".join(screen(pilot.app)))


@pytest.mark.parametrize("seed", range(5))
async def test_it_shows_the_same_whatever_the_deltas(seed: int) -> None:
    dice, shown = random.Random(seed), list[list[str]]()
    text = any_markdown(dice).replace("\n", dice.choice(["\n", "\r\n"]))
    for pieces in ([text], list(cut(dice, text))):
        app = Host()
        async with app.run_test(size=(60, 100)) as pilot:
            for piece in pieces:
                app.answer.feed(MessageDelta(piece))
                if dice.random() < 0.1:
                    await pilot.pause()
            app.answer.feed(ENDED)
            shown.append(await until(pilot, "41.3 tok/s"))
            assert app.answer.text == "\t".join(map(clean, text.split("\t")))
    assert shown[0] == shown[1]


async def test_what_came_before_it_was_on_the_screen_keeps_its_order() -> None:
    app = Host()
    app.answer.feed(ReasoningDelta("hm"))
    app.answer.feed(ReasoningDelta("", done=True))
    app.answer.feed(MessageDelta("before"))
    app.answer.feed(ToolCall("look", "called"))
    app.answer.feed(ToolCall("look", "success", '{"a":1}', "found"))
    app.answer.feed(ReasoningDelta("hm again", done=True))
    app.answer.feed(MessageDelta("after"))
    app.answer.feed(ENDED)
    async with app.run_test(size=(60, 30)) as pilot:
        rows = await until(pilot, "after", "41.3 tok/s")
        assert rows == [
            "▸ reasoning", "before", "▸ tool look ✓", "▸ reasoning", "after", "12→143 tok · 41.3 tok/s · TTFT 0.31 s",
        ]  # fmt: skip
        app.answer.fold_all()
        rows = await until(pilot, "hm again", "output: found")
        assert rows.index("│ hm") < rows.index("before") < rows.index("│ output: found") < rows.index("│ hm again")


async def test_each_tool_call_keeps_what_was_told_of_it() -> None:
    app = Host()
    app.answer.feed(ToolCall("look", "called", provider="mcp/eyes"))
    app.answer.feed(ToolCall("find", "called", provider="mcp/hands"))
    app.answer.feed(ToolCall("look", "arguments", '{"at": 1}'))
    app.answer.feed(ToolCall("find", "success", '{"what": 2}', "found"))
    app.answer.feed(ToolCall("look", "failure", reason="it is dark"))
    app.answer.feed(ENDED)
    async with app.run_test(size=(60, 30)) as pilot:
        rows = await until(pilot, "41.3 tok/s")
        assert rows[:2] == ["▸ tool look ✗ (mcp/eyes) it is dark", "▸ tool find ✓ (mcp/hands)"]
        app.answer.fold_all()
        rows = await until(pilot, '"at": 1', "reason: it is dark", '"what": 2', "output: found")
        assert rows.index("│ reason: it is dark") < rows.index("▾ tool find ✓ (mcp/hands)")


async def test_reasoning_that_is_open_grows_while_it_comes() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        app.answer.feed(ReasoningDelta("one "))
        app.answer.fold_all()
        await until(pilot, "▾ reasoning …", "│ one")
        app.answer.feed(ReasoningDelta("two"))
        await until(pilot, "│ one two")


async def test_code_blocks_are_told_while_they_come_and_after_a_cut() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)):
        assert app.answer.code_blocks() == ()
        app.answer.feed(MessageDelta(CODE[:-1]))
        expected = (CodeBlock("python", "\tx = 1"), CodeBlock("", "y"))
        assert app.answer.code_blocks() == expected
        app.answer.feed(ToolCall("look", "called"))
        app.answer.feed(MessageDelta("```sh\nls\n```"))
        app.answer.cut_off("gone")
        assert app.answer.code_blocks() == (*expected, CodeBlock("sh", "ls"))


async def test_a_failure_after_a_tool_call_is_a_cut() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        app.answer.feed(ToolCall("look", "called"))
        app.answer.fail(Problem("boom"))
        assert "cut off: boom" in await until(pilot, "boom")


async def test_scrolling_up_stops_the_following_and_the_end_resumes_it() -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        app.answer.feed(MessageDelta("line  \n" * 30 + "thirty"))
        await until(pilot, "line")
        app.scroll.anchor()
        app.answer.feed(MessageDelta("one"))
        await until(pilot, "thirtyone")
        app.scroll.scroll_up(animate=False)
        await pilot.pause()
        place = app.scroll.scroll_y
        assert 0 < place < app.scroll.max_scroll_y
        height = app.scroll.max_scroll_y
        app.answer.feed(MessageDelta("\n\nmore  \nand more  \nthe last"))
        for _ in range(1000):
            await pilot.pause(0.01)
            if app.scroll.max_scroll_y > height:
                break
        assert app.scroll.scroll_y == place
        app.scroll.scroll_end(animate=False)
        await until(pilot, "the last")
        app.answer.feed(MessageDelta(" of all"))
        await until(pilot, "the last of all")


async def test_after_a_long_frame_there_is_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    app, now, drawn = Host(), [time.monotonic() + 1e6], list[float]()

    def slow(prose: Prose) -> bool:
        drawn.append(now[0])
        now[0] += 0.5
        return True

    async with app.run_test(size=(60, 10)) as pilot:
        app.answer.feed(MessageDelta("word"))
        await until(pilot, "word")
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
        monkeypatch.setattr(Prose, "redraw", slow)
        for _ in range(20):
            now[0] += 0.5
            app.answer._draw()
        monkeypatch.undo()
    assert len(drawn) >= 2
    assert all(later - earlier >= 8 * 0.5 for earlier, later in pairwise(drawn))
