"""The chat pane alone: streaming, partial answers, what is typed is never lost."""

import pytest
from chat_host import STATS, ChatHost, answer, ids, miss, screen_text, see, talk, type_text, until, user
from textual.widgets import Static

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
from lmdeck.model.conversation import Attachment, ContextMeter
from lmdeck.model.problem import Problem
from lmdeck.widgets.answer import Answer
from lmdeck.widgets.chat_editor import ChatEditor
from lmdeck.widgets.chat_reader import ChatReader
from lmdeck.widgets.chat_wishes import (
    Begun,
    Commanded,
    EditDropped,
    Left,
    ListWanted,
    PanelWanted,
    Sent,
    Stopped,
    Typed,
)

MARKDOWN = "# Title\n\nSome *text*.\n\n- one\n- two\n\n```python\nx = 1\n\ny = 2\n```\n\nThe end [b]plain[/b] \x1b[2J."


async def test_it_says_what_to_do_before_anything_was_said() -> None:
    app = ChatHost()
    async with app.run_test(size=(70, 20)) as pilot:
        assert "No model to talk to" in screen_text(app)
        app.chat.target = "qwen[b]x"
        await see(pilot, "Ask qwen[b]x something", "ctrl+j breaks the line")
        app.chat.target, app.chat.obstacle = None, "down: refused"
        await see(pilot, "Nobody to talk to yet.", "down: refused")


async def test_turns_and_editor_are_made_when_they_are_wanted() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(())
        app.chat.attachments, app.chat.prompts = (), ("earlier",)
        await pilot.pause()
        assert not app.query(ChatEditor)
        assert not app.query(ChatReader)
        app.chat.focus_content()
        await pilot.press("up")
        assert app.chat.draft == "earlier"


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_answer_streams_whole_whatever_the_deltas(size: int) -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 40)) as pilot:
        app.chat.begin(user("q"), "a")
        await pilot.pause()
        for event in (ChatStarted("q"), ModelLoading(0.4), ModelLoading(done=True)):
            app.chat.feed(event)
        for start in range(0, len(MARKDOWN), size):
            app.chat.feed(MessageDelta(MARKDOWN[start : start + size]))
            if start % 5 == 0:
                await pilot.pause()
        assert app.chat.answering
        app.chat.feed(ChatEnded(STATS, "resp_1"))
        assert not app.chat.answering
        shown = await see(pilot, "> Hello", "Title", "y = 2", "plain", "␛[2J", "12→143 tok · 41.3 tok/s · TTFT 0.31 s")
        assert "loading the model" not in shown
        assert app.query_one(Answer).text == MARKDOWN.replace("\x1b", "␛")


async def test_the_open_block_shows_before_it_is_complete() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin(user("q"), "a")
        await pilot.pause()
        app.chat.feed(MessageDelta("a growing sen"))
        await see(pilot, "a growing sen")


async def test_enter_sends_ctrl_j_breaks_and_a_running_answer_keeps_the_text() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("a", "ctrl+j", "b", "enter")
        (sent,) = app.got(Sent)
        assert (sent.text, sent.edits) == ("a\nb", None)
        assert app.chat.draft == "a\nb"  # until it is certain
        app.chat.begin(user("q", text="a\nb"), "a")
        assert app.chat.draft == ""
        await pilot.press("c", "enter")
        assert len(app.got(Sent)) == 1
        assert app.chat.draft == "c"
        await pilot.press("escape")
        assert app.got(Stopped)
        app.chat.cut_off("stopped by you")
        await see(pilot, "cut off: stopped by you", "^g R asks again")


async def test_what_is_typed_while_it_is_being_sent_stays() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await type_text(pilot, "one")
        await pilot.press("enter")
        await type_text(pilot, " two")
        app.chat.begin(user("q", text="one"), "a")
        assert app.chat.draft == "two"


async def test_blank_text_is_not_sent() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("space", "enter", "x", "enter")
        assert [sent.text for sent in app.got(Sent)] == [" x"]


async def test_commands_are_given_not_sent() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin(user("q"), "a")  # they work while an answer comes, too
        app.chat.focus_content()
        await type_text(pilot, "/param seed 4")
        await pilot.press("enter")
        (given,) = app.got(Commanded)
        assert (given.command.name, given.command.head, given.command.tail) == ("param", "seed", "4")
        assert app.chat.draft == ""
        app.chat.feed(ChatEnded(STATS, text="done"))
        await type_text(pilot, "//usr")
        await pilot.press("enter")
        assert [sent.text for sent in app.got(Sent)] == ["/usr"]


async def test_a_wrong_command_stays_and_says_what_was_meant() -> None:
    app = ChatHost()
    async with app.run_test(size=(70, 20)) as pilot:
        app.chat.focus_content()
        await type_text(pilot, "/modle x")
        await pilot.press("enter")
        await see(pilot, "did you mean /model?")
        assert app.chat.draft == "/modle x"
        await pilot.press("backspace")
        await miss(pilot, "did you mean")
        assert not app.got(Commanded)


async def test_a_cut_off_answer_keeps_what_came_and_says_why() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin(user("q"), "a")
        app.chat.feed(MessageDelta("partial"))
        app.chat.fail(Problem("stream cut off", "after 7 bytes"))
        await see(pilot, "partial", "cut off: stream cut off: after 7 bytes")
        assert app.chat.draft == ""


async def test_an_error_event_is_shown_beside_the_text() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin(user("q"), "a")
        app.chat.feed(MessageDelta("partial"))
        app.chat.feed(ChatFault(Problem("internal_error", "boom")))
        app.chat.feed(ChatEnded(ChatStats()))
        await see(pilot, "cut off: internal_error: boom", "partial")


async def send(app: ChatHost, pilot: object, text: str, turn: str = "q") -> None:
    """Type it, Enter, and it is taken."""
    app.chat.focus_content()
    await type_text(pilot, text)  # type: ignore[arg-type]
    await pilot.press("enter")  # type: ignore[attr-defined]
    app.chat.begin(user(turn, text=text), f"answer to {turn}")


async def test_a_refused_request_gives_the_words_back_and_the_next_step() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await send(app, pilot, "my long question")
        app.chat.fail(Problem("401: token not accepted", "invalid_api_key", "Set LM_API_TOKEN"))
        await see(pilot, "401: token not accepted", "invalid_api_key", "Set LM_API_TOKEN", "^g R asks again")
        assert app.chat.draft == "my long question"
        app.chat.begin(user("q", text="my long question"), "a2")  # asked again
        assert app.chat.draft == ""
        app.chat.fail(Problem("401: token not accepted"))
        assert app.chat.draft == "my long question"


async def test_a_failure_does_not_replace_what_was_typed_since() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await send(app, pilot, "first")
        await type_text(pilot, "second")
        app.chat.fail(Problem("down: refused"))
        assert app.chat.draft == "second"
        await pilot.press("up")
        assert app.chat.draft == "first"


async def test_a_refused_sending_does_not_take_the_draft_with_another_answer() -> None:
    """Whoever holds the conversation may not take a text; what is asked next is not about it."""
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show([user("q"), answer("a", "q")])
        app.chat.focus_content()
        await type_text(pilot, "kept")
        await pilot.press("enter", "ctrl+g", "R")
        app.chat.begin(user("q"), "a2")
        assert app.chat.draft == "kept"


async def test_reasoning_and_tools_are_folded_and_open_together() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 30)) as pilot:
        app.chat.begin(user("q"), "a")
        await pilot.pause()
        app.chat.feed(ReasoningDelta("deep thought"))
        app.chat.feed(ReasoningDelta("", done=True))
        app.chat.feed(MessageDelta("before the tool"))
        app.chat.feed(ToolCall("browse", "called", provider="mcp/x"))
        app.chat.feed(ToolCall("browse", "failure", '{"url":1}', reason="no network"))
        app.chat.feed(MessageDelta("after the tool"))
        app.chat.feed(ChatEnded(STATS))
        shown = await see(pilot, "after the tool", "TTFT")
        assert "deep thought" not in shown
        assert shown.index("before the tool") < shown.index("browse") < shown.index("after the tool")
        app.chat.action_fold()
        await see(pilot, "deep thought", "no network")
        app.chat.action_fold()
        await miss(pilot, "deep thought")


async def test_the_keys_of_the_pane_work_while_writing() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("x", "ctrl+o", "ctrl+r")
        assert app.got(PanelWanted)
        assert app.got(ListWanted)
        assert app.chat.draft == "x"


async def test_a_new_chat_forgets_the_old_one_and_its_draft_is_told_before() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.begin(user("q"), "a")
        app.chat.feed(ChatEnded(STATS, "resp_1", text="whole answer"))
        await see(pilot, "whole answer")
        app.chat.focus_content()
        await pilot.press("x", "ctrl+n")
        await until(pilot, lambda: app.got(Begun), "wish")
        await miss(pilot, "whole answer")
        assert not app.query(Answer)
        kinds = [type(wish) for wish in app.wishes]
        assert kinds.index(Typed) < kinds.index(Begun)
        assert app.query(Static)


async def test_drafts_are_told_a_moment_later_and_at_once_when_it_is_left() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await type_text(pilot, "draft")
        await until(pilot, lambda: [each.text for each in app.got(Typed)][-1:] == ["draft"], "draft")
        await pilot.press("s")
        app.set_focus(None)
        await until(pilot, lambda: app.got(Typed)[-1].text == "drafts", "whole draft")
        app.chat.write("")
        await until(pilot, lambda: app.got(Typed)[-1].text == "", "empty draft")


async def test_escape_leaves_the_editor_and_the_turns() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        await pilot.press("ctrl+g")  # nothing was said: there is nothing to go to
        assert not app.query(ChatReader)
        app.chat.show(talk(1))
        await pilot.press("escape")
        assert len(app.got(Left)) == 1
        await pilot.press("ctrl+g")
        assert app.query_one(ChatReader).has_focus
        await pilot.press("ctrl+g", "ctrl+g")
        assert app.query_one(ChatReader).has_focus
        await pilot.press("escape")
        assert len(app.got(Left)) == 2


async def test_an_edit_brings_the_turn_into_the_editor_and_the_draft_back() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(1))
        app.chat.focus_content()
        await type_text(pilot, "draft")
        await pilot.press("ctrl+g", "up", "e")
        await see(pilot, "Enter sends it as a branch")
        assert app.chat.draft == "prompt number 0"
        await pilot.press("escape")
        assert app.got(EditDropped)
        assert app.chat.draft == "draft"
        await pilot.press("ctrl+g", "up", "e")
        await until(pilot, lambda: app.chat.draft == "prompt number 0", "turn in the editor")
        await pilot.press("x", "enter")
        (sent,) = app.got(Sent)
        assert (sent.text, sent.edits) == ("prompt number 0x", "q0")
        app.chat.begin(user("q1", text=sent.text, number=2, count=2), "a1")
        assert app.chat.draft == "draft"
        await see(pilot, "> prompt number 0x", "‹2/2›")
        assert "prompt number 0x" not in [each.text for each in app.got(Typed)]


async def test_the_context_meter_tells_and_warns_before_it_is_full() -> None:
    app = ChatHost()
    async with app.run_test(size=(80, 20)) as pilot:
        app.chat.meter = ContextMeter(1234, 8192, "allocated")
        app.chat.heading = "native · temperature 0.7"
        await see(pilot, "ctx 1,234 / 8,192 15 % ✓ · native · temperature 0.7")
        app.chat.attachments = (Attachment("text", "big.txt", "text/plain", "x" * 26_000, 26_000),)
        await see(pilot, "ctx ≈7,734 / 8,192 ✓: nearly full", "big.txt")
        app.chat.write("y" * 4_000)
        await see(pilot, "will not fit")
        app.chat.write("")
        app.chat.attachments = ()
        await see(pilot, "ctx 1,234 / 8,192 15 % ✓")


async def test_a_turn_replaces_all_that_followed_its_parent() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 30)) as pilot:
        app.chat.show(talk(3))
        app.chat.begin(user("q9", "a0", "another way"), "a9")
        app.chat.feed(ChatEnded(STATS, text="another answer"))
        shown = await see(pilot, "answer number 0", "> another way", "another answer")
        assert "number 1" not in shown
        assert ids(app.chat.path) == ["q0", "a0", "q9", "a9"]
        app.chat.begin(user("q9", "a0", "another way"), "a10")
        assert ids(app.chat.path) == ["q0", "a0", "q9", "a10"]
        await miss(pilot, "another answer")
