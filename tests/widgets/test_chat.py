"""The chat pane alone: streaming, partial answers, what is typed is never lost."""

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from lmdeck.model.chat import (
    ChatEnded,
    ChatFault,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ModelLoading,
    ReasoningDelta,
    ToolCall,
)
from lmdeck.model.problem import Problem
from lmdeck.widgets.answer import Answer
from lmdeck.widgets.chat_input import ChatInput
from lmdeck.widgets.chat_pane import ChatPane
from lmdeck.widgets.folded import Folded

MARKDOWN = "# Title\n\nSome *text*.\n\n- one\n- two\n\n```python\nx = 1\n\ny = 2\n```\n\nThe end [b]plain[/b] \x1b[2J."
STATS = ChatStats(12, 143, None, 41.3, 0.314)


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.posted: list[object] = []

    def compose(self) -> ComposeResult:
        yield ChatPane(id="chat")

    @on(ChatPane.Sent)
    @on(ChatPane.Stopped)
    @on(ChatPane.Left)
    def note(self, message: object) -> None:
        self.posted.append(message)

    @property
    def chat(self) -> ChatPane:
        return self.query_one(ChatPane)


def text_of(app: App[None]) -> str:
    """Everything on the screen, as plain text."""
    width, height = app.size
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips(app.screen.size)
        if width and height
    )


async def settled(pilot: Pilot[None]) -> str:
    """The screen once every answer has drawn its last frame."""
    for _ in range(200):
        await pilot.pause()
        if not any(answer.running for answer in pilot.app.query(Answer)):
            await pilot.pause()
            return text_of(pilot.app)
    raise AssertionError("an answer never ends")


async def test_it_says_what_to_do_before_anything_was_said() -> None:
    async with Host().run_test(size=(60, 20)) as pilot:
        assert "No model to talk to" in text_of(pilot.app)
        pilot.app.query_one(ChatPane).target = "qwen[b]x"
        await pilot.pause()
        assert "Ask qwen[b]x something" in text_of(pilot.app)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_markdown_streams_whole_whatever_the_deltas(size: int) -> None:
    app = Host()
    async with app.run_test(size=(60, 40)) as pilot:
        app.chat.begin("Hello")
        await pilot.pause()
        for event in (ChatStarted("q"), ModelLoading(0.4), ModelLoading(done=True)):
            app.chat.feed(event)
        for start in range(0, len(MARKDOWN), size):
            app.chat.feed(MessageDelta(MARKDOWN[start : start + size]))
            if start % 5 == 0:
                await pilot.pause()
        app.chat.feed(ChatEnded(STATS, "resp_1"))
        shown = await settled(pilot)
        assert app.query_one(Markdown).source == MARKDOWN.replace("\x1b", "␛")
        assert app.chat.response_id == "resp_1"
    for words in ("> Hello", "Title", "• one", "y = 2", "plain", "␛[2J", "12→143 tok · 41.3 tok/s · TTFT 0.31 s"):
        assert words in shown
    assert "loading the model" not in shown


async def test_the_open_block_shows_before_it_is_complete() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin("Hello")
        await pilot.pause()
        app.chat.feed(MessageDelta("a growing *sen"))
        for _ in range(200):
            await pilot.pause(0.01)
            if "a growing *sen" in text_of(app):
                return
    pytest.fail("the open block was not drawn")


async def test_enter_sends_ctrl_j_breaks_and_a_running_answer_keeps_the_text() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("a", "ctrl+j", "b", "enter")
        (sent,) = app.posted
        assert isinstance(sent, ChatPane.Sent)
        assert sent.text == "a\nb"
        app.chat.begin(sent.text)
        await pilot.pause()
        await pilot.press("c", "enter")
        assert len(app.posted) == 1
        assert app.query_one(ChatInput).text == "c"
        await pilot.press("escape")
        assert isinstance(app.posted[-1], ChatPane.Stopped)
        app.chat.cut_off("stopped by you")
        await pilot.press("escape")
        assert isinstance(app.posted[-1], ChatPane.Left)


async def test_blank_text_is_not_sent() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("space", "enter")
        assert app.posted == []


async def test_a_cut_off_answer_keeps_what_came_and_says_why() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin("Hello")
        app.chat.feed(MessageDelta("partial"))
        app.chat.fail(Problem("stream cut off", "after 7 bytes"))
        shown = await settled(pilot)
    assert "partial" in shown
    assert "cut off: stream cut off: after 7 bytes" in shown


async def test_an_error_event_is_shown_beside_the_text() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin("Hello")
        app.chat.feed(MessageDelta("partial"))
        app.chat.feed(ChatFault(Problem("internal_error", "boom")))
        app.chat.feed(ChatEnded(ChatStats()))
        shown = await settled(pilot)
    assert "cut off: internal_error: boom" in shown
    assert "partial" in shown


async def test_a_refused_request_gives_the_words_back_and_the_next_step() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin("my long question")
        app.chat.fail(Problem("401: token not accepted", "invalid_api_key", "Set LM_API_TOKEN"))
        shown = await settled(pilot)
        assert app.query_one(ChatInput).text == "my long question"
    for words in ("401: token not accepted", "invalid_api_key", "Set LM_API_TOKEN"):
        assert words in shown


async def test_reasoning_and_tools_are_folded_and_open_together() -> None:
    app = Host()
    async with app.run_test(size=(60, 30)) as pilot:
        app.chat.begin("Hello")
        await pilot.pause()
        app.chat.feed(ReasoningDelta("deep thought"))
        app.chat.feed(ReasoningDelta("", done=True))
        app.chat.feed(MessageDelta("before the tool"))
        app.chat.feed(ToolCall("browse", "called", provider="mcp/x"))
        app.chat.feed(ToolCall("browse", "failure", '{"url":1}', reason="no network"))
        app.chat.feed(MessageDelta("after the tool"))
        app.chat.feed(ChatEnded(STATS))
        shown = await settled(pilot)
        assert "deep thought" not in shown
        assert shown.index("before the tool") < shown.index("tool browse ✗") < shown.index("after the tool")
        app.chat.action_fold()
        shown = await settled(pilot)
        for words in ("deep thought", '"url": 1', "no network"):
            assert words in shown
        app.chat.action_fold()
        assert all(part.folded for part in app.query(Folded))


async def test_a_new_chat_forgets_the_old_one() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin("Hello")
        app.chat.feed(ChatEnded(STATS, "resp_1", text="whole answer"))
        assert "whole answer" in await settled(pilot)
        app.chat.action_new()
        await pilot.pause()
        assert app.chat.response_id is None
        assert not app.query(Answer)
        assert app.query(Static)
