"""Answers side by side: what is asked, how they come along, and what can be done with them."""

import pytest
from dialog_host import dialog_open

from lmdeck.model.chat import ChatEnded, ChatStats, MessageDelta, ReasoningDelta
from lmdeck.model.comparison import Column
from lmdeck.model.problem import Problem
from lmdeck.screens.compare_screen import CompareScreen, Leaving
from lmdeck.screens.diff_screen import DiffScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
NARROW, ROOMY = (80, 24), (160, 45)
COLUMNS = (
    Column("alpha[b]", "x/alpha[b]", parameters={"temperature": 0.2, "stop": ["\n"]}, system_prompt="be kind"),
    Column("beta\x1b", "x/beta\x1b"),
    Column("gamma", "x/gamma"),
)
FAST, SLOW = ChatStats(3, 5, None, 80.0, 0.1), ChatStats(3, 50, None, 40.0, 0.2)


def opened(size=ROOMY, columns=COLUMNS, prompt="", remark=""):
    return dialog_open(CompareScreen(columns, prompt, remark), size)


def answer(host, index, text, stats=FAST):
    host.dialog.feed(index, MessageDelta(text))
    host.dialog.feed(index, ChatEnded(stats))


async def ask(host, pilot, prompt="hi"):
    """Send a prompt, and make room for its answers as the application does."""
    await pilot.press(*prompt, "enter")
    host.dialog.begin()
    await pilot.pause()


async def gone(host, pilot, words):
    """Wait until these words are not on the screen."""
    for _ in range(250):
        if words not in host.words():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"still {words!r} in {host.words()!r}")


def results(host):
    """What the screen is left with, from now on."""
    left = []
    host.dialog._result_callbacks[-1].callback = left.append
    return left


@SIZES
async def test_it_says_what_is_asked_how(size):
    async with opened(size, remark="Not loaded: x") as (host, _):
        words = host.words()
        assert "! Not loaded: x" in words
        for fact in ("1 alpha[b]", "x/alpha[b]", "/api/v1/chat", "temperature 0.2", 'stop ["\\n"]'):
            assert fact in words
        assert "system prompt: be kind" in words
        assert "3 gamma not asked" in words
        assert "Enter send" in words
        assert "Esc close" in words
        assert ("3 answers of 3 models" in words) == (size == ROOMY)


@SIZES
async def test_one_prompt_is_asked_of_all_and_the_answers_come_together(size):
    async with opened(size) as (host, pilot):
        await ask(host, pilot)
        ((intent),) = host.asked
        assert (type(intent), intent.prompt, intent.columns) == (CompareScreen.Asked, "hi", COLUMNS)
        await host.see(pilot, "3 gamma waiting")
        host.dialog.feed(1, MessageDelta("second answer"))
        await host.see(pilot, "2 beta␛ answering")
        answer(host, 0, "first answer")
        answer(host, 1, " is longer", SLOW)
        host.dialog.fail(2, Problem("404: not found", "", "Load it."))
        words = await host.see(pilot, "3 gamma failed")
        assert "1 alpha[b] done 80.0✓ 0.10✓ 3 5" in words
        assert "2 beta␛ done 40.0 0.20 3 50" in words
        assert not host.dialog.running
        await host.see(pilot, "first answer")
        await pilot.press("tab", "2")
        await host.see(pilot, "second answer is longer")
        await pilot.press("3")
        await host.see(pilot, "Load it.")


async def test_one_answer_at_a_time_where_there_is_little_room():
    async with opened(NARROW) as (host, pilot):
        await ask(host, pilot)
        for index, text in enumerate(("first answer", "second answer", "third answer")):
            answer(host, index, text)
        words = await host.see(pilot, "first answer")
        assert "[1 alpha[b]]" in words
        assert "second answer" not in words
        await pilot.press("tab", "tab")
        await host.see(pilot, "second answer")
        await host.see(pilot, "[2 beta␛]")
        await gone(host, pilot, "first answer")
        await pilot.press("tab", "tab")  # over the last one to the prompt
        await host.see(pilot, "Enter send")
        await pilot.press("tab")
        await host.see(pilot, "third answer")
        await pilot.press("shift+tab", "shift+tab")
        await host.see(pilot, "first answer")
        await pilot.resize_terminal(*ROOMY)
        for text in ("first answer", "second answer", "third answer"):
            await host.see(pilot, text)
        await pilot.press("z")
        await host.see(pilot, "[1 alpha[b]]")
        await gone(host, pilot, "second answer")
        await pilot.press("z")
        await host.see(pilot, "second answer")


async def test_nothing_is_asked_while_answers_come_and_nothing_empty():
    async with opened() as (host, pilot):
        await pilot.press("enter", "space", "enter")
        assert host.asked == []
        await ask(host, pilot)
        await pilot.press("enter")
        assert len(host.asked) == 1
        assert any("still coming" in notice.message for notice in host._notifications)


@pytest.mark.parametrize("place", [(), ("tab",)])
async def test_escape_stops_and_then_closes(place):
    async with opened() as (host, pilot):
        left = results(host)
        await ask(host, pilot)
        answer(host, 0, "whole")
        host.dialog.feed(1, MessageDelta("half"))
        await host.see(pilot, "Esc stop")
        await pilot.press(*place, "escape")
        assert type(host.asked[-1]) is CompareScreen.Stopped
        words = await host.see(pilot, "2 beta␛ cut off")
        assert "1 alpha[b] done" in words
        assert "3 gamma cut off" in words
        host.dialog.feed(1, MessageDelta(" and more"))  # was under way
        await host.see(pilot, "cut off: stopped by you")
        assert "and more" not in host.words()
        await pilot.press("escape")
        await pilot.pause()
        assert left == [Leaving("hi")]


async def test_an_answer_is_taken_into_the_chat():
    async with opened(prompt="begun") as (host, pilot):
        left = results(host)
        await pilot.press("tab", "2", "enter")
        await pilot.pause()
        assert left == [Leaving("begun", COLUMNS[1])]


async def test_an_answer_is_copied():
    async with opened() as (host, pilot):
        await pilot.press("tab", "y")
        assert host.copied == ""
        assert any("no answer" in notice.message for notice in host._notifications)
        await pilot.press("i")
        await ask(host, pilot)
        answer(host, 1, "code:\n\tx")
        await pilot.press("tab", "2", "y")
        assert host.copied == "code:\n\tx"


async def test_two_answers_are_compared_word_by_word():
    async with opened() as (host, pilot):
        await ask(host, pilot)
        answer(host, 0, "a quick fox")
        await pilot.press("tab", "d")
        assert any("two answers" in notice.message for notice in host._notifications)
        answer(host, 2, "a red fox")
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(host.screen, DiffScreen)
        await host.see(pilot, "a [-quick-] {+red+} fox")
        await host.see(pilot, "[-alpha[b]-] {+gamma+}")
        await pilot.press("d")
        await pilot.pause()
        assert host.screen is host.dialog


async def test_reasoning_is_folded_in_all_at_once():
    async with opened() as (host, pilot):
        await ask(host, pilot)
        for index in range(3):
            host.dialog.feed(index, ReasoningDelta(f"thought {index}"))
            host.dialog.feed(index, ReasoningDelta("", done=True))
            answer(host, index, f"answer {index}")
        await host.see(pilot, "answer 2")
        assert "thought" not in host.words()
        await pilot.press("tab", "ctrl+t")
        for index in range(3):
            await host.see(pilot, f"thought {index}")


@SIZES
async def test_a_long_prompt_leaves_room_for_the_answers(size):
    async with opened(size, prompt="\n".join(f"line {number}" for number in range(60))) as (host, pilot):
        words = await host.see(pilot, "line 59")
        assert "1 alpha[b]" in words
        assert "3 gamma not asked" in words
        assert "Esc close" in words


async def test_two_ways_of_one_model_are_called_so():
    async with opened(columns=(Column("a", "m"), Column("b", "m"))) as (host, _):
        assert "Compare m, 2 ways" in host.words()
