"""What a first-time user stumbled over: bursts of keys, conversations that move, loads that are given up."""

from deck import Driver, running_deck, set_faults, settings_for
from steps import load_model, loaded_ids
from textual import events

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.load import LoadRequest
from lmdeck.model.problem import Problem
from lmdeck.screens.intents import LoadOver
from lmdeck.widgets.chat_input import ChatInput

FIRST, SECOND = "qwen/qwen3-coder-30b", "ha-expert"


async def burst(deck: Driver, *keys: str) -> None:
    """Keys that arrive in one read of the terminal: none waits for the one before."""
    for key in keys:
        character = key if len(key) == 1 else None
        deck.app.post_message(events.Key(key, character))
    await deck.pilot.pause()


async def test_a_burst_of_keys_edits_in_order(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(FIRST)
        await deck.press("5")
        await deck.until(lambda: deck.app.screen.query(ChatInput), "the editor")
        await burst(deck, "a", "b", "backspace", "c")
        await deck.until(lambda: deck.app.screen.query_one(ChatInput).text == "ac", "the edited text")
        await deck.press("escape", "2", "l")
        await deck.see("Context length")
        await burst(deck, "1", "6", "k", "backspace", "backspace", "backspace", "8", "k", "enter")
        await deck.see(r"8192 ✓")


async def test_a_conversation_stays_with_its_model(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, SECOND)
        await deck.press("5")
        await deck.type("hello")
        await deck.press("enter")
        await deck.see("You said: hello")
        await deck.press("escape")
        await load_model(deck, FIRST)
        assert deck.app.dashboard.chat.target == SECOND
        await deck.press("5", "ctrl+n")
        await deck.until(lambda: deck.app.dashboard.chat.target == FIRST, "the first loaded model")


async def test_read_only_talks_to_nobody_else(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, SECOND)
    async with running_deck(settings_for(scripted_server), read_only=True) as deck:
        await deck.until(lambda: loaded_ids(deck), "the loaded model")
        await deck.press("2", "g", "c")
        await deck.hear("is not loaded, and --read-only loads nothing")
        await deck.press("ctrl+p")
        await deck.type("load ha")
        await deck.see("Search|load ha")
        assert "Open the load dialog" not in deck.text()


async def test_only_the_load_that_is_given_up_ends_and_its_outcome_is_told(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="load=10")  # long enough for two dialogs, on a slow machine too
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(FIRST)
        await deck.press("2")
        for _ in range(2):
            await deck.press("l")
            await deck.see("Context length")
            await deck.press("enter")
            await deck.see(r"loading … [\d.]+ s")
            await deck.press("escape")
        session = deck.app.session
        assert session is not None
        assert len(session.state.loads) == 2
        await deck.press("1", "u")
        await deck.until(lambda: len(session.state.loads) == 1, "one load")
        await deck.hear("LM Studio went on and loaded", timeout=30)


async def test_a_failed_load_is_told_under_another_page(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(FIRST)
        await deck.press("question_mark")
        deck.app.post_message(LoadOver(LoadRequest(FIRST), Problem("load failed", "out of memory")))
        await deck.hear("out of memory")


async def test_hidden_prompts_are_hidden_in_details_too(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, SECOND)
        await deck.press("5")
        await deck.type("my secret matter")
        await deck.press("enter")
        await deck.see(r"→ POST /api/v1/chat")
        await deck.press("escape", "P", "4", "o", "slash")
        await deck.type("secret")
        await deck.press("enter", "g")
        pane = deck.app.dashboard.log_pane
        await deck.until(lambda: pane.current is not None and "secret" in pane.current.text, "the entry")
        for _ in range(sum("secret" in entry.text for entry in pane.shown())):
            await deck.press("enter")
            await deck.until(lambda: deck.app.screen is not deck.app.dashboard, "its page")
            for section in "12345":
                await deck.press(section)
                assert "secret" not in deck.text()
            await deck.press("escape")
            await deck.press("j")


async def test_help_tells_the_editors_keys(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server), size=(160, 100)) as deck:
        await deck.press("question_mark")
        screen = await deck.see("Chat editor")
        assert "Send the text" in screen
        assert "Stop the running answer" in screen
