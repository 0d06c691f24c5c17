"""The requests of the history: as they come, what is asked for, and what stands there without any."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from dialog_host import DialogHost, dialog_open
from textual.pilot import Pilot

from lmdeck.model.exchange import ExchangeRecord, PastExchange
from lmdeck.model.problem import Problem
from lmdeck.screens.past_screen import PastScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
AT = 1_795_780_800.25
FULL = PastExchange(
    7,
    ExchangeRecord(AT, "http://gpubox", "coder[red]\x1b", "/v1/chat/completions", "eosFound", 812, 143, 41.31, 0.312),
)
FAILED = PastExchange(
    6, ExchangeRecord(AT - 60, "http://gpubox", "ha-expert", "/v1/messages", error="no\nmemory", certainty="guess")
)


@asynccontextmanager
async def opened(size=(80, 24), *, hide_text=False) -> AsyncIterator[tuple[DialogHost, Pilot[None], PastScreen]]:
    screen = PastScreen(hide_text=hide_text)
    async with dialog_open(screen, size) as (host, pilot):
        yield host, pilot, screen


async def until(pilot: Pilot[None], holds: Callable[[], object], what: str) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"never: {what}")


def wanted(host: DialogHost) -> list[str]:
    return [one.words for one in host.asked if isinstance(one, PastScreen.Wanted)]


async def until_wanted(host: DialogHost, pilot: Pilot[None], *words: str) -> None:
    await until(pilot, lambda: wanted(host) == list(words), f"{words}, but {wanted(host)}")


@SIZES
async def test_requests_are_shown_as_they_come(size):
    async with opened(size) as (host, pilot, screen):
        assert "Reading the history …" in host.words()
        await until_wanted(host, pilot, "")
        screen.show("", [FULL, FAILED])
        paths = ("/v1/chat/completions ", "/v1/messages ") if size[0] > 80 else ("", "")
        words = await host.see(pilot, f"coder[red]␛ {paths[0]}812→143 41.3 0.31 eosFound ✓")
        assert f"ha-expert {paths[1]}–→– – – ✗ no memory !" in words
        assert "2 requests JOIN: ✓ certain ? likely ! a guess" in words


async def test_what_is_typed_is_asked_for_when_the_answer_before_it_has_come():
    async with opened() as (host, pilot, screen):
        await until_wanted(host, pilot, "")
        await pilot.press(*"ab")
        screen.show("", [FULL])
        await until_wanted(host, pilot, "", "ab")
        await pilot.press("c")
        screen.show("ab", [])
        await until_wanted(host, pilot, "", "ab", "abc")
        screen.show("abc", [FAILED])
        words = await host.see(pilot, "1 request JOIN")
        assert "ha-expert" in words
        assert "coder" not in words


async def test_more_than_can_be_shown_is_told():
    async with opened() as (host, pilot, screen):
        screen.show("", [PastExchange(number, FULL.record) for number in range(501, 0, -1)])
        await host.see(pilot, "the newest 500 JOIN")
        assert screen._table.total == 500
        screen.show("", [PastExchange(number, FULL.record) for number in range(500, 0, -1)])
        await host.see(pilot, "500 requests JOIN")


@SIZES
async def test_nothing_and_trouble_are_said_in_words(size):
    async with opened(size) as (host, pilot, screen):
        await until_wanted(host, pilot, "")
        await pilot.press(*"[b]")
        screen.show("", [])
        await host.see(pilot, "No request is kept yet.")
        await until_wanted(host, pilot, "", "[b]")
        screen.show("[b]", [])
        assert "Esc clears the words" in await host.see(pilot, "No request in the history has “[b]”.")
        await pilot.press("enter", "r")
        await until_wanted(host, pilot, "", "[b]", "[b]")
        screen.fail(
            "[b]", Problem("history: the file is damaged", "/x: not a database", "The next start sets it aside.")
        )
        words = await host.see(pilot, "✗ history: the file is damaged")
        assert "/x: not a database" in words
        assert "The next start sets it aside." in words
        await pilot.press("r")
        await until_wanted(host, pilot, "", "[b]", "[b]", "[b]")
        screen.show("[b]", [FULL])
        assert "damaged" not in await host.see(pilot, "coder[red]")


@pytest.mark.parametrize("hide_text", [True, False])
async def test_enter_goes_to_the_requests_and_opens_one(hide_text):
    async with opened(hide_text=hide_text) as (host, pilot, screen):
        await pilot.press(*"co")
        screen.show("co", [FULL, FAILED])
        assert "Enter to the requests" in await host.see(pilot, "2 requests")
        await pilot.press("enter")
        await host.see(pilot, "Enter the whole request y copy")
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(host.asked[-1], PastScreen.Opened), "the request")
        chosen = host.asked[-1]
        assert (chosen.past, chosen.words, chosen.hide_text) == (FAILED, "co", hide_text)
        await pilot.press("slash", "x")
        await until(pilot, lambda: screen._bar.value == "cox", "back in the words")


async def test_the_figures_of_a_request_are_copied():
    async with opened() as (host, pilot, screen):
        screen.show("", [])
        await pilot.press("enter", "y")
        assert host.copied == ""
        screen.show("", [FULL])
        await pilot.press("y")
        await until(pilot, lambda: host.copied, "a copy")
        lines = [" ".join(line.split()) for line in host.copied.splitlines()]
        for line in ("request /v1/chat/completions", "model coder[red]␛", "tokens in 812", "speed 41.3 tok/s"):
            assert line in lines


async def test_the_cursor_stays_on_its_request_and_begins_anew_with_other_words():
    more = [PastExchange(number, FULL.record) for number in range(30, 0, -1)]
    async with opened() as (_, pilot, screen):
        screen.show("", more)
        await pilot.press("enter", "j", "j")
        assert screen._table.current.number == 28
        screen.show("", [PastExchange(31, FULL.record), *more])
        assert screen._table.current.number == 28
        screen.show("x", more)
        assert screen._table.current.number == 30


async def test_escape_clears_the_words_and_then_closes():
    async with opened() as (host, pilot, screen):
        await until_wanted(host, pilot, "")
        await pilot.press("x")
        await until(pilot, lambda: screen._bar.value == "x", "the word")
        await pilot.press("escape")
        await until(pilot, lambda: screen._bar.value == "", "no word")
        assert host.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: host.screen is not screen, "the end")
    async with opened() as (host, pilot, screen):
        await pilot.press("x", "enter", "escape")
        await until(pilot, lambda: host.screen is not screen, "the end")


async def test_a_terminal_that_is_too_small_does_no_harm():
    async with opened((20, 5)) as (host, pilot, screen):
        screen.show("", [FULL])
        await pilot.press("enter", "j", "slash")
        await pilot.resize_terminal(80, 24)
        await host.see(pilot, "coder[red]")
