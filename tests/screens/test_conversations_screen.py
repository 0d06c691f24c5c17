"""The list of kept conversations: what it asks for, what it shows, what it wants done."""

import pytest

from lmdeck.model.conversation import ConversationSummary
from lmdeck.model.problem import Problem
from lmdeck.screens.conversations_screen import ConversationIntent, ConversationsScreen
from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.table import Table

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
SLOTS = ConversationSummary("a", "How do slots work?", 1_795_780_800.0, "qwen/coder", 14, pinned=True)
HOSTILE = ConversationSummary("b", "[b]hostile\x1b[2J", 1_795_770_800.0, "ha-expert", 1)
UNTITLED = ConversationSummary("c", "", 1_795_670_800.0, "", 3, snippet="… the [red]slots\nof a server …")
ALL = (SLOTS, HOSTILE, UNTITLED)


def queries(deck) -> list[str]:
    return [search.query for search in deck.app.got(ConversationsScreen.Search)]


def wanted(deck) -> list[tuple[str, ...]]:
    """What was to be done, with which conversation, and how."""
    return [
        (type(intent).__name__, *(value for name, value in vars(intent).items() if name in ("id", "title", "pinned")))
        for intent in deck.app.seen
        if isinstance(intent, ConversationIntent)
    ]


@pytest.fixture
def listed(stage):
    """The screen with these conversations on it."""

    class Listed:
        def __init__(self, summaries=ALL, size=(160, 45), current="b") -> None:
            self.summaries, self.stage = summaries, stage(ConversationsScreen(current=current), size)

        async def __aenter__(self):
            deck = await self.stage.__aenter__()
            deck.dialog.show(self.summaries)
            return deck

        async def __aexit__(self, *error) -> None:
            await self.stage.__aexit__(*error)

    return Listed


@SIZES
async def test_it_asks_when_it_opens_and_shows_what_comes(stage, size):
    async with stage(ConversationsScreen(current="b"), size) as deck:
        await deck.see("Reading the conversations …")
        await deck.until(lambda: queries(deck) == [""])
        deck.dialog.show(ALL)
        await deck.see("▲   How do slots work?")
        await deck.see("●  [b]hostile␛[2J")
        await deck.see("untitled   …")
        await deck.see("3 conversations   ▲ pinned  ● in the chat")
        await deck.see("2026-11-2")
        await deck.see("Esc close")


async def test_a_title_that_fits_is_whole(listed):
    fits = ConversationSummary("a", "second chat about zebras", 1_795_780_800.0, "qwen/qwen3-coder-next", 5)
    async with listed((fits,), (80, 24)) as deck:
        await deck.see("second chat about zebras ")


@SIZES
async def test_where_the_words_were_found_is_told_of_the_current_one(listed, size):
    async with listed((UNTITLED, SLOTS), size) as deck:
        await deck.until(lambda: deck.dialog.query_one("#found").region.height == 1)
        await deck.see("… the [red]slots of a server …")
        await deck.press("down")
        await deck.until(lambda: not deck.dialog.query_one("#found").region.height)


async def test_words_are_looked_for_as_they_are_typed(listed):
    async with listed() as deck:
        await deck.press("slash")
        await deck.type("slots")
        await deck.until(lambda: queries(deck)[-1] == "slots", "searched")
        deck.dialog.show((HOSTILE,), "slo")
        assert deck.dialog.query_one(Table).total == 3
        deck.dialog.show((UNTITLED,), "slots")
        await deck.see("1 conversation ")
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.dialog.focused, Table))
        await deck.press("enter")
        await deck.until(lambda: wanted(deck) == [("Open", "c")])
        deck.dialog.show((), "slots")
        await deck.see("No conversation has “slots”.")
        await deck.press("enter", "n", "p", "d", "x", "escape")
        await deck.until(lambda: queries(deck)[-1] == "", "searched for all")
        assert wanted(deck) == [("Open", "c")]
        deck.dialog.show(())
        await deck.see("No conversation is kept yet.")
        await deck.press("escape")
        await deck.until(lambda: deck.app.results == [None])


async def test_escape_in_the_words_drops_them(listed):
    async with listed() as deck:
        await deck.press("slash", "a", "escape")
        await deck.until(lambda: isinstance(deck.dialog.focused, Table))
        assert deck.dialog.query_one(FilterBar).value == ""
        await deck.until(lambda: queries(deck)[-1] == "")


async def test_the_cursor_stays_on_its_conversation_and_goes_first_with_other_words(listed):
    async with listed() as deck:
        await deck.press("down", "down")
        deck.dialog.show((UNTITLED, SLOTS, HOSTILE))
        assert deck.dialog.query_one(Table).current.summary == UNTITLED
        await deck.press("slash", "s")
        await deck.until(lambda: queries(deck)[-1] == "s")
        deck.dialog.show((SLOTS, UNTITLED), "s")
        assert deck.dialog.query_one(Table).current.summary == SLOTS


@SIZES
async def test_what_is_wanted_of_a_conversation(listed, size):
    async with listed(size=size) as deck:
        await deck.press("enter", "p", "x", "down", "p")
        await deck.until(lambda: len(wanted(deck)) == 4)
        assert wanted(deck) == [("Open", "a"), ("Pin", "a", False), ("Export", "a"), ("Pin", "b", True)]


@SIZES
async def test_a_title_is_asked_for(listed, size):
    async with listed(size=size) as deck:
        await deck.press("n")
        await deck.see("Rename the conversation")
        await deck.type("Slots [b]")
        await deck.press("enter")
        await deck.until(lambda: wanted(deck) == [("Rename", "a", "Slots [b]")])
        await deck.press("n")
        await deck.see("Rename the conversation")
        await deck.type("x")
        await deck.press("escape", "n")
        await deck.see("Rename the conversation")
        await deck.press("enter")
        await deck.until(lambda: deck.app.screen is deck.dialog)
        await deck.press("n")
        await deck.see("Rename the conversation")
        await deck.press("backspace", "enter")
        await deck.until(lambda: wanted(deck)[1:] == [("Rename", "a", "")])


@SIZES
async def test_deleting_asks_first(listed, size):
    async with listed(size=size) as deck:
        await deck.press("d")
        await deck.see("“How do slots work?” with 14 turns is deleted")
        await deck.press("enter")
        await deck.until(lambda: deck.app.screen is deck.dialog)
        await deck.press("down", "d")
        await deck.see("“[b]hostile␛[2J” with 1 turn is deleted")
        await deck.press("y")
        await deck.until(lambda: wanted(deck) == [("Drop", "b")])
        deck.dialog.ask_again()
        await deck.until(lambda: queries(deck) == ["", ""])


async def test_a_failure_is_told_without_losing_the_list(stage):
    async with stage(ConversationsScreen()) as deck:
        deck.dialog.fail(Problem("history: not readable", "disk I/O error", "Look at the disk."))
        await deck.see("history: not readable")
        await deck.see("Look at the disk.")
        deck.dialog.show(ALL)
        await deck.see("How do slots work?")
        deck.dialog.fail(Problem("not renamed", "the disk is full"))
        await deck.see("✗ not renamed: the disk is full")
        await deck.see("How do slots work?")
