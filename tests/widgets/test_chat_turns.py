"""The turns of a conversation: what is shown of them, and the keys that act on one."""

import pytest
from chat_host import STATS, ChatHost, answer, miss, screen_text, see, talk, until, user
from textual.pilot import Pilot
from textual.widget import Widget

from lmdeck.model.chat import ChatEnded, MessageDelta, ToolCall
from lmdeck.model.conversation import Attachment, ShownTurn, Turn
from lmdeck.widgets.chat_reader import ChatReader
from lmdeck.widgets.chat_turn import AnswerTurn, TurnView
from lmdeck.widgets.chat_wishes import AgainWanted, BranchWanted, EditWanted, Left, Stopped, TurnWish, WalkWanted

CODE = "First\n\n```python\nx = 1\n```\n\nthen\n\n```sh\nls\n```\n"


def reader(app: ChatHost) -> ChatReader:
    return app.query_one(ChatReader)


async def reading(app: ChatHost, pilot: Pilot[None]) -> ChatReader:
    """The keyboard is on the turns."""
    app.chat.focus_content()
    await pilot.press("ctrl+g")
    await until(pilot, lambda: reader(app).has_focus, "reading")
    return reader(app)


def in_sight(view: Widget) -> bool:
    """Whether something of it can be seen."""
    return view.parent is not None and view.region.overlaps(view.parent.region)  # type: ignore[attr-defined]


async def test_a_finished_answer_is_shown_from_its_turn() -> None:
    app = ChatHost()
    tools = (ToolCall("browse", "success", '{"url": 1}', "a page"), ToolCall("search", "failure", reason="no network"))
    notes = Attachment("text", "notes[b].md", "text/markdown", "x", 1536)
    async with app.run_test(size=(70, 40)) as pilot:
        app.chat.show(
            [
                ShownTurn(Turn("q", None, "user", "What [b]is[/b] it?\x1b", 0.0, attachments=(notes,))),
                answer("a", "q", "It is **this**.", reasoning="deep thought", tools=tools),
            ]
        )
        shown = await see(pilot, "> What [b]is[/b] it?␛", "+ notes[b].md (1.5 KiB)", "It is this.", "41.3 tok/s")
        assert shown.count("browse") == 1
        assert "search" in shown
        assert "deep thought" not in shown
        app.chat.action_fold()
        await see(pilot, "deep thought", "a page", "no network")


async def test_a_cut_off_answer_says_so_again() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show([user("q"), answer("a", "q", "partial", cut_off="stopped by you")])
        shown = await see(pilot, "partial", "cut off: stopped by you")
        assert "tok/s" not in shown


async def test_turns_that_stay_keep_their_views() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 30)) as pilot:
        app.chat.begin(user("q"), "a")
        app.chat.feed(MessageDelta("as it came"))
        app.chat.feed(ChatEnded(STATS))
        await see(pilot, "as it came")
        before = list(app.query(TurnView))
        app.chat.show([user("q"), answer("a", "q", "not shown anew"), user("q2", "a", "next")])
        await see(pilot, "> next", "as it came")
        assert list(app.query(TurnView))[:2] == before
        app.chat.show([user("q", number=1, count=2), answer("a", "q", "as it came")])
        await see(pilot, "‹1/2›")
        await miss(pilot, "> next")


async def test_answers_of_several_models_say_whose_they_are() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 30)) as pilot:
        path = [user("q"), answer("a", "q", instance_id="qwen"), user("q2", "a")]
        app.chat.show([*path, answer("a2", "q2", "Another.", instance_id="qwen")])
        assert "qwen" not in await see(pilot, "Another.")
        app.chat.show([*path, answer("a3", "q2", "A third.", instance_id="llama", number=2, count=2)])
        await see(pilot, "A third.", "‹2/2›  llama", "qwen")


async def test_prompts_are_hidden_and_shown() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.hide_prompts = True
        app.chat.show([user("q", text="my secret"), answer("a", "q")])
        assert "my secret" not in await see(pilot, "(9 characters hidden)", "An answer.")
        app.chat.hide_prompts = False
        await see(pilot, "my secret")


async def test_the_keys_select_turns() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 16)) as pilot:
        app.chat.show(talk(8))
        turns = await reading(app, pilot)
        assert turns.selected == "a7"
        assert turns.current is not None
        assert turns.current.has_class("-selected")
        for keys, turn in (("k", "q7"), ("up", "a6"), ("j", "q7"), ("down", "a7"), ("down", "a7"), ("g", "q0")):
            await pilot.press(keys)
            assert turns.selected == turn
            await until(pilot, lambda: turns.current and in_sight(turns.current), f"{turn} in sight")
        assert len(turns.query(".-selected")) == 1
        await pilot.press("up", "G")
        assert turns.selected == "a7"
        await pilot.press("i")
        assert app.editor.has_focus
        await pilot.press("ctrl+g", "enter")
        assert app.editor.has_focus


async def test_a_click_does_not_take_the_keyboard_from_the_editor() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(1))
        app.chat.focus_content()
        await see(pilot, "answer number 0")
        await pilot.click(AnswerTurn)
        assert app.editor.has_focus


@pytest.mark.parametrize(
    ("keys", "kind", "turn"),
    [("R", AgainWanted, "a1"), ("b", BranchWanted, "a1"), ("ke", EditWanted, "q1"), ("kb", BranchWanted, "q1")],
)
async def test_wishes_for_a_turn_lead_back_to_the_editor(keys: str, kind: type[TurnWish], turn: str) -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(2))
        await reading(app, pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: app.got(kind), "wish")
        assert [wish.turn_id for wish in app.got(kind)] == [turn]
        await until(pilot, lambda: app.editor.has_focus, "editor")


async def test_keys_that_make_no_sense_for_a_turn_do_nothing() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(1))
        turns = await reading(app, pilot)
        await pilot.press("e", "left_square_bracket", "k", "R", "right_square_bracket", "j")
        assert turns.selected == "a0"
        assert not app.wishes
        app.chat.begin(user("q0"), "a9")
        await pilot.press("G", "R")
        assert turns.selected == "a9"
        assert not app.wishes


async def test_walking_the_branches_keeps_the_place() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 30)) as pilot:
        begin = [user("q"), answer("a", "q", "the first way", 1, 2)]
        app.chat.show([*begin, user("q2", "a", "and more"), answer("a2", "q2", "the end")])
        turns = await reading(app, pilot)
        await pilot.press("k", "k")
        assert turns.selected == "a"
        await see(pilot, "‹1/2›")
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.got(WalkWanted), "wish")
        (wish,) = app.got(WalkWanted)
        assert (wish.turn_id, wish.step) == ("a", 1)
        app.chat.show([user("q"), answer("b", "q", "the other way", 2, 2)])
        await see(pilot, "the other way", "‹2/2›")
        await miss(pilot, "the end")
        assert turns.has_focus
        assert turns.selected == "b"
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: len(app.got(WalkWanted)) == 2, "wish back")
        assert (app.got(WalkWanted)[1].turn_id, app.got(WalkWanted)[1].step) == ("b", -1)


async def test_turns_and_blocks_of_code_are_copied() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 40)) as pilot:
        app.chat.show([user("q", text="Show [code]"), answer("a", "q", CODE)])
        await reading(app, pilot)
        await pilot.press("y")
        assert app.copied == [CODE]
        await pilot.press("Y", "Y", "Y")
        await until(pilot, lambda: len(app.copied) == 4, "copies")
        assert [text.strip() for text in app.copied[1:]] == ["x = 1", "ls", "x = 1"]
        await see(pilot, "block of code 1 of 2 copied")
        await pilot.press("k", "y", "Y")  # from what was asked: the last answer's code
        await until(pilot, lambda: len(app.copied) == 6, "copies")
        assert (app.copied[4], app.copied[5].strip()) == ("Show [code]", "ls")


async def test_without_code_it_says_so() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(1))
        await reading(app, pilot)
        await pilot.press("Y")
        await see(pilot, "no code in this answer")
        assert app.copied == []


async def test_escape_stops_an_answer_from_here_too() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(1))
        await reading(app, pilot)
        app.chat.begin(user("q2", "a0"), "a2")
        await pilot.press("escape")
        await until(pilot, lambda: app.got(Stopped), "wish")
        app.chat.cut_off("stopped by you")
        await pilot.press("escape")
        await until(pilot, lambda: app.got(Left), "wish")


async def test_a_long_conversation_begins_with_its_end_and_the_rest_comes_when_it_is_looked_for() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 24)) as pilot:
        app.chat.show(talk(100))
        await see(pilot, "answer number 99")
        first = len(app.query(TurnView))
        assert first < 60
        turns = await reading(app, pilot)
        while turns.scroll_y > 0:
            await pilot.press("pageup")
        await see(pilot, f"↑ {200 - first} earlier turns")
        top = next(line for line in screen_text(app).splitlines() if "number" in line)
        await pilot.press("pageup")
        await until(pilot, lambda: len(app.query(TurnView)) > first, "more turns")
        await see(pilot, top.strip("┃│ "))  # it did not move
        await pilot.press("g")
        await see(pilot, "> prompt number 0")
        assert turns.selected == "q0"
        assert "earlier turns" not in screen_text(app)
        assert len(app.query(TurnView)) == 200
        assert [view.turn_id for view in app.query(TurnView)] == [each.turn.id for each in talk(100)]


async def test_an_answer_is_followed_until_the_user_scrolls_up() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(6))
        app.chat.begin(user("long", "a5", "go on"), "longer")
        for number in range(30):
            app.chat.feed(MessageDelta(f"line {number}\n\n"))
        await see(pilot, "line 29")
        app.chat.focus_content()
        await pilot.press("pageup", "pageup")
        await miss(pilot, "line 29")
        place = reader(app).scroll_y
        for number in range(30, 60):
            app.chat.feed(MessageDelta(f"line {number}\n\n"))
        app.chat.feed(ChatEnded(STATS))
        await until(pilot, lambda: reader(app).max_scroll_y > 100, "the longer answer")
        assert reader(app).scroll_y == place
        app.chat.begin(user("next", "longer", "again"), "last")
        await see(pilot, "> again")


async def test_a_short_conversation_stays_at_the_top() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show(talk(12))
        await see(pilot, "answer number 11")
        app.chat.show([user("n", text="the new one"), answer("m", "n")])
        await see(pilot, "> the new one")
        await until(pilot, lambda: "the new one" in screen_text(app).splitlines()[1], "turn at the top")
