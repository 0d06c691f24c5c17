"""`!` in the whole deck: from every pane, again, while the server is down, and given up half-way."""

from dataclasses import replace

import pytest
from deck import running_deck, settings_for

from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.screens.doctor_screen import DoctorScreen

END = r"\d+ ok"


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_it_opens_from_every_pane_and_comes_to_an_end(
    scripted_server: DemoEndpoint, size: tuple[int, int]
) -> None:
    async with running_deck(settings_for(scripted_server), size) as deck:
        await deck.until(lambda: deck.app.session and deck.app.session._desk, "everything at work")
        for pane in "1234":
            await deck.press(pane, "!")
            await deck.see(r"^│ [✓?!✗] \w+")
            await deck.press("escape")
            await deck.until(lambda: not isinstance(deck.app.screen, DoctorScreen), "the deck")
        await deck.press("5")
        await deck.press("!")  # a letter in the editor, as every other
        await deck.until(lambda: deck.app.dashboard.chat.query_one("ChatInput").text == "!", "the letter")
        await deck.press("escape", "!")
        await deck.see(END, timeout=60)
        page = deck.app.screen
        assert isinstance(page, DoctorScreen)
        first = page._findings
        await deck.press("r")
        await deck.until(lambda: page._findings is not first, "a new beginning")
        await deck.until(lambda: len(page._findings) == len(first), "the same end", timeout=60)


async def test_a_refused_token_is_named_and_stands_nowhere(scripted_server: DemoEndpoint) -> None:
    secret = "sk-lm-WRONGWRO:NGWRONGWRONGWRONGWRO"
    async with running_deck(replace(settings_for(scripted_server), token=Token(secret))) as deck:
        await deck.until(lambda: deck.app.session and deck.app.session._desk, "everything at work")
        await deck.press("!")
        screen = await deck.see(r"1 failed \(token\)", timeout=60)
        assert "✗ token" in screen
        assert "Set LM_API_TOKEN" in screen
        assert secret not in screen


async def test_it_works_while_the_server_is_down(scripted_server: DemoEndpoint) -> None:
    async with running_deck(replace(settings_for(scripted_server), url="http://127.0.0.1:9")) as deck:
        await deck.until(lambda: deck.app.session and deck.app.session._desk, "everything at work")
        await deck.press("!")
        screen = await deck.see(r"1 failed \(server\)", timeout=60)
        assert "lms server start" in screen
