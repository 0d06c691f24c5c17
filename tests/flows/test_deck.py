"""The whole deck against the scripted server: what a user does in a day."""

import httpx
import pytest
from deck import Driver, running_deck, set_faults, settings_for
from steps import choose, loaded_ids
from textual.widgets import Input

from lmdeck.demo.launch import DemoEndpoint

MODEL = "qwen/qwen3-coder-30b"


async def load(deck: Driver, context: str = "") -> None:
    """Load MODEL from the Available pane."""
    await deck.see(MODEL)
    await deck.press("2")
    await deck.until(lambda: deck.app.dashboard.available.current, "a current model")
    await choose(deck, MODEL)
    await deck.press("l")
    await deck.see("Context length")
    await deck.type(context)
    await deck.press("enter")


async def test_load_ask_watch_unload(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, "4096")
        await deck.until(lambda: loaded_ids(deck) == [MODEL], "loaded model")
        screen = await deck.see(r"Loaded 1.*\n(.*\n)*.*4096 ✓")
        assert "Load qwen" not in screen  # the dialog has closed itself

        await deck.press("5")
        await deck.type("Hello there")
        await deck.press("enter")
        await deck.see(r"You said: Hello there")
        await deck.see(r"\d+→\d+ tok · [\d.]+ tok/s · TTFT [\d.]+ s")
        await deck.see(rf"← {MODEL} +\d+→\d+ tok +[\d.]+ tok/s +TTFT")
        await deck.see(r"1 loaded +[\d.]+ tok/s")

        await deck.press("escape", "u")
        await deck.see("no model is loaded")
        assert "Unloaded" in deck.text()


async def test_the_second_turn_remembers_the_first(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.until(lambda: loaded_ids(deck), "loaded model")
        await deck.press("5")
        for question, answer in (("my first words", "You said: my first words"), ("what did I say", "my first words")):
            await deck.type(question)
            await deck.press("enter")
            await deck.until(lambda: not deck.app.dashboard.chat.answering, "end of the answer")
            await deck.see(answer)
        await deck.press("ctrl+n")
        await deck.see("Ask qwen/qwen3-coder-30b something")


async def test_a_failed_load_comes_back_to_the_form_with_the_servers_words(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "load_fail")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, "8k")
        await deck.see("due to insufficient")
        assert deck.app.screen.query_one("#context_length", Input).value == "8k"
        await deck.press("escape")
        await deck.see(r"deck +qwen/qwen3-coder-30b: load failed")  # the log keeps it
        assert loaded_ids(deck) == []


async def test_a_load_shows_its_time_and_survives_its_dialog(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="load=1.5")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.see(r"loading … [\d.]+ s")
        await deck.press("escape")
        await deck.see(r"◌ loading \d")
        await deck.press("r")
        await deck.until(lambda: loaded_ids(deck) == [MODEL], "loaded model")


async def test_a_cancelled_load_is_let_go_and_the_list_tells_the_truth(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="load=1.5")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.see(r"loading … [\d.]+ s")
        await deck.press("x")
        await deck.see("No longer waiting")
        assert deck.app.session is not None
        assert not deck.app.session.state.loads
        await deck.until(lambda: loaded_ids(deck) == [MODEL], "what the server made of it", timeout=15)


async def test_a_second_copy_is_warned_about_and_marked(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.until(lambda: loaded_ids(deck) == [MODEL], "loaded model")
        await deck.press("2", "l")
        await deck.see("Already in memory as")
        await deck.press("enter")
        await deck.until(lambda: loaded_ids(deck) == [MODEL, f"{MODEL}:2"], "second copy")
        assert all(row.duplicate for row in deck.app.dashboard.loaded.rows or ())
        await deck.press("1", "U")
        await deck.see("Unload all 2")
        await deck.press("n")
        assert len(loaded_ids(deck)) == 2
        await deck.press("U")
        await deck.see("Unload all 2")
        await deck.press("y")
        await deck.see("no model is loaded")


async def test_a_busy_instance_is_only_unloaded_after_asking(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="rate=5")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.until(lambda: loaded_ids(deck), "loaded model")
        await deck.press("5")
        await deck.type("100 words")
        await deck.press("enter")
        await deck.see("● generating")
        await deck.press("tab", "u")
        await deck.see(r"Unload qwen/qwen3-coder-30b\?")
        await deck.press("escape")
        assert loaded_ids(deck) == [MODEL]
        await deck.press("5", "escape")
        await deck.see("cut off: stopped by you")
        await deck.see("○ idle")


async def test_prompts_are_hidden_everywhere_by_one_key(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck)
        await deck.until(lambda: loaded_ids(deck), "loaded model")
        await deck.press("5")
        await deck.type("my private matter")
        await deck.press("enter")
        await deck.see(r"→ qwen/qwen3-coder-30b .*my private matter")
        await deck.press("escape", "P")
        await deck.miss(r"> my private matter")
        await deck.miss(r"→ qwen/qwen3-coder-30b .*my private matter")
        await deck.press("P")
        await deck.see("> my private matter")


async def test_read_only_offers_nothing_that_changes_the_server(scripted_server: DemoEndpoint) -> None:
    headers = {"authorization": f"Bearer {scripted_server.token}"}
    async with httpx.AsyncClient(headers=headers) as client:
        await client.post(f"{scripted_server.url}/api/v1/models/load", json={"model": MODEL})
    async with running_deck(settings_for(scripted_server), read_only=True) as deck:
        await deck.until(lambda: loaded_ids(deck) == [MODEL], "loaded model")
        await deck.see("read-only")
        await deck.press("u", "U", "2", "l")
        await deck.hear("it loads and unloads nothing")
        assert deck.app.screen is deck.app.dashboard
        assert loaded_ids(deck) == [MODEL]


async def test_every_pane_is_reached_at_80_by_24(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server), size=(80, 24)) as deck:
        await deck.see("Loaded 0")
        for key, title in (("2", "Available 7"), ("3", "GPU"), ("4", "Log"), ("5", "Chat")):
            await deck.press("1" if key == "1" else "escape" if title == "x" else key)
            await deck.see(rf"━ {title}")
        await deck.press("escape", "tab")
        await deck.see("━ Available")
        await deck.press("shift+tab")
        await deck.see("━ Loaded")


async def test_zoom_resize_help_and_theme(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.press("z")
        await deck.miss("Available 7")
        await deck.press("z")
        await deck.see("Available 7")
        for size in ((100, 40), (20, 5), (1, 1), (300, 100)):
            await deck.pilot.resize_terminal(*size)
            await deck.pilot.pause()
        await deck.see("Available 7")
        await deck.press("question_mark")
        screen = await deck.see("Unload this instance")
        assert "Everywhere" in screen
        await deck.press("escape", "t")
        assert deck.app.theme == "lmdeck-light"


async def test_the_palette_holds_bindings_and_models(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.press("ctrl+p")
        await deck.type("load ha-exp")
        await deck.see("Load ha-expert")
        await deck.press("enter")
        await deck.until(lambda: deck.app.screen.query("#context_length"), "the load dialog")
        await deck.press("escape", "ctrl+p")
        await deck.type("zoom")
        await deck.see("Everywhere: Zoom")


@pytest.mark.parametrize("key", ["enter"])
async def test_details_show_a_model_whole(scripted_server: DemoEndpoint, key: str) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.press("2", key)
        screen = await deck.see("architecture")
        assert "qwen3next" in screen
        await deck.press("escape")
        await deck.miss("bits per weight")
