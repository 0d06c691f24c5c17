"""One of several answers: what it says before it is asked, how it comes along, and how it ends."""

import pytest

from lmdeck.model.chat import ChatEnded, ChatFault, ChatStats, MessageDelta, PromptProcessing, ReasoningDelta
from lmdeck.model.comparison import Outcome
from lmdeck.model.problem import Problem
from lmdeck.widgets.answer_column import AnswerColumn

STATS = ChatStats(3, 5, None, 41.3, 0.31)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def column(clock) -> AnswerColumn:
    return AnswerColumn("1 qwen[b]\x1b", "qwen[b]x\ntemperature 0.2", clock=clock)


def shown(pilot) -> str:
    strips = pilot.app.screen._compositor.render_strips(pilot.app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot, words: str) -> str:
    for _ in range(500):
        if words in (text := shown(pilot)):
            return text
        await pilot.pause(0.02)
    raise AssertionError(f"no {words!r} in\n{shown(pilot)}")


async def gone(pilot, words: str) -> None:
    for _ in range(500):
        if words not in shown(pilot):
            return
        await pilot.pause(0.02)
    raise AssertionError(f"still {words!r} in\n{shown(pilot)}")


def changes(pilot) -> int:
    return len(pilot.app.got(AnswerColumn.Changed))


async def test_before_it_is_asked_it_says_how_it_will_be(host, column):
    async with host(column).run_test(size=(40, 12)) as pilot:
        text = await until(pilot, "temperature 0.2")
        assert "1 qwen[b]␛" in text
        assert "qwen[b]x" in text
        assert (column.outcome, column.text, column.running) == (Outcome(), "", False)
        column.feed(MessageDelta("nobody asked"))
        column.cut_off("nothing")
        column.fail(Problem("nothing"))
        assert column.outcome == Outcome()


async def test_an_answer_from_asking_to_its_end(host, column, clock):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.begin()
        clock.now += 1
        column.feed(PromptProcessing(0.5))
        assert column.outcome == Outcome("waiting", None, 1.0)
        column.feed(ReasoningDelta("hm"))
        assert column.outcome.state == "answering"
        column.feed(MessageDelta("Hello *you*."))
        clock.now += 2
        column.feed(ChatEnded(STATS))
        clock.now += 10
        assert column.outcome == Outcome("done", STATS, 3.0)
        assert column.text == "Hello *you*."
        assert not column.running
        await until(pilot, "41.3 tok/s")
        await until(pilot, "Hello you.")
        await gone(pilot, "temperature 0.2")
        assert changes(pilot) == 3
        column.feed(MessageDelta(" More."))
        assert column.text == "Hello *you*."


async def test_asking_again_begins_with_nothing(host, column, clock):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.begin()
        column.feed(MessageDelta("The first answer."))
        column.feed(ChatEnded(STATS))
        await until(pilot, "The first answer.")
        clock.now += 5
        column.begin()
        assert (column.outcome, column.text) == (Outcome("waiting", None, 0.0), "")
        column.feed(MessageDelta("The second."))
        await until(pilot, "The second.")
        await gone(pilot, "first")


async def test_however_it_ends_early_what_came_stays(host, column):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.begin()
        column.feed(MessageDelta("Half an answer"))
        column.cut_off("stopped by you")
        assert column.outcome.state == "cut off"
        await until(pilot, "cut off: stopped by you")
        await until(pilot, "Half an answer")
        column.begin()
        column.feed(MessageDelta("Half another"))
        column.fail(Problem("down: refused"))
        assert column.outcome.state == "cut off"
        await until(pilot, "cut off: down: refused")
        await until(pilot, "Half another")


async def test_a_failure_before_anything_came_is_a_failure(host, column):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.begin()
        column.fail(Problem("401: token not accepted", "", "Set a token."))
        assert column.outcome.state == "failed"
        assert "Set a token." in await until(pilot, "401: token not accepted")


async def test_a_fault_in_the_stream_is_no_whole_answer(host, column):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.begin()
        column.feed(MessageDelta("Half"))
        column.feed(ChatFault(Problem("the model has crashed")))
        column.feed(ChatEnded(STATS))
        assert column.outcome.state == "cut off"
        await until(pilot, "the model has crashed")


async def test_it_follows_its_end_until_somebody_scrolls_up(host, column):
    async with host(column).run_test(size=(40, 12)) as pilot:
        column.focus()
        column.begin()
        column.feed(MessageDelta("\n\n".join(f"paragraph {number}" for number in range(40))))
        await until(pilot, "paragraph 39")
        await pilot.press("g")
        await until(pilot, "paragraph 0")
        column.feed(MessageDelta("\n\nthe very end"))
        column.feed(ChatEnded(STATS))
        await pilot.pause()
        assert "paragraph 0" in shown(pilot)
        await pilot.press("G")
        await until(pilot, "41.3 tok/s")
        await pilot.press("k", "k", "k", "k")
        await gone(pilot, "41.3 tok/s")
