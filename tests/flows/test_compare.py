"""Answers side by side and embeddings, in the whole deck."""

from deck import Driver, running_deck, set_faults, settings_for
from steps import load_model, loaded_ids

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.screens.compare_screen import CompareScreen
from lmdeck.screens.diff_screen import DiffScreen
from lmdeck.screens.embeddings_screen import EmbeddingsScreen
from lmdeck.widgets.chat_input import ChatInput

CODER, EXPERT = "qwen/qwen3-coder-30b", "ha-expert"


async def command(deck: Driver, line: str) -> None:
    """Type a command into the chat and send it."""
    await deck.press("5")
    await deck.until(lambda: deck.app.screen.query(ChatInput), "the editor")
    await deck.type(line)
    await deck.press("enter")


async def test_one_prompt_two_models_their_figures_and_what_differs(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, CODER)
        await load_model(deck, EXPERT)
        await command(deck, f"/compare {CODER} {EXPERT}+max_output_tokens=3")
        await deck.see("2 answers of 2 models")
        await deck.type("count to 9")
        await deck.press("enter")
        await deck.see(r"1  qwen3-coder-30b .* done +1000\.0")
        await deck.see(r"2  ha-expert max_output_tokens=3 +done")
        await deck.see("1 2 3 4 5 6 7 8 9")
        await deck.press("tab", "d")
        await deck.until(lambda: isinstance(deck.app.screen, DiffScreen), "the difference")
        await deck.see(r"1 2 3 \[-4 5 6 7 8 9-\]")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "the answers")
        await deck.press("2", "enter")
        await deck.see(f"Chat +{EXPERT}")
        await deck.until(lambda: deck.app.screen.query(ChatInput), "the editor")
        await deck.until(lambda: deck.app.screen.query_one(ChatInput).text == "count to 9", "the prompt")


async def test_stopping_ends_the_generating_of_all(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="load=0.05,ttft=0.01,rate=5")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, CODER)
        await deck.pilot.resize_terminal(80, 24)
        await command(deck, "/compare +temperature=0 +temperature=1")
        await deck.see(r"\[1 temperature=0\]")
        await deck.type("900 words")
        await deck.press("enter")
        await deck.see("1  temperature=0 +answering")
        await deck.see("2  temperature=1 +answering")
        pane = deck.app.dashboard.loaded
        await deck.until(lambda: [row.queue for row in pane.rows or ()] == [2], "two requests", timeout=40)
        await deck.press("escape")
        await deck.see("2  temperature=1 +cut off")
        await deck.see("cut off: stopped by you")
        await deck.press("escape")
        await deck.until(lambda: not isinstance(deck.app.screen, CompareScreen), "the deck")
        await deck.until(lambda: [row.busy for row in pane.rows or ()] == [False], "an idle instance", timeout=40)
        assert loaded_ids(deck) == [CODER]


async def test_texts_are_embedded(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, CODER)
        await command(deck, "/embed")
        await deck.until(lambda: isinstance(deck.app.screen, EmbeddingsScreen), "the embeddings")
        await deck.type("same")
        await deck.press("ctrl+j")
        await deck.type("same")
        await deck.press("ctrl+j")
        await deck.type("other")
        await deck.press("enter")
        await deck.see("3 texts, vectors of 768 numbers")
        await deck.see(r"most alike 1 and 2: 1\.000")
