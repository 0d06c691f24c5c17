"""What the configuration file changes in a running deck."""

from dataclasses import replace
from pathlib import Path

import pytest
from deck import running_deck, settings_for

from lmdeck.config.intervals import Intervals
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.conversation import ChatPreset
from lmdeck.screens.help import HelpScreen


async def test_the_users_keys_work_in_place_of_the_decks_own_and_help_shows_them(scripted_server: DemoEndpoint) -> None:
    settings = replace(settings_for(scripted_server), keys={"app.help": "f1", "deck.zoom": "w,f2"})
    async with running_deck(settings) as deck:
        await deck.see("qwen")
        await deck.press("z", "w")
        await deck.until(lambda: deck.app.dashboard.zoomed, "zoomed pane")
        await deck.press("f2", "question_mark", "f1")
        await deck.until(lambda: isinstance(deck.app.screen, HelpScreen), "help")
        screen = await deck.see(r"w f2 +This pane alone")
        assert not deck.app.dashboard.zoomed
        assert "f1" in screen


async def test_keys_that_cannot_work_are_told_and_the_deck_opens(scripted_server: DemoEndpoint) -> None:
    settings = replace(settings_for(scripted_server), keys={"loaded.unlod": "x"})
    async with running_deck(settings) as deck:
        await deck.hear("there is no binding 'loaded.unlod'; did you mean 'loaded.unload'?", timeout=60)
        await deck.see("qwen")


@pytest.mark.parametrize("history", [None, "history.db"])
async def test_presets_of_the_file_are_in_the_chat(
    scripted_server: DemoEndpoint, tmp_path: Path, history: str | None
) -> None:
    presets = (ChatPreset("parameters", "precise", {"temperature": 0.25}),)
    path = tmp_path / history if history else None
    settings = replace(settings_for(scripted_server), presets=presets, history=path)
    async with running_deck(settings) as deck:
        await deck.see("qwen")
        await deck.until(lambda: deck.app.session and deck.app.session._talk, "chat's room")
        assert deck.app.session is not None
        assert deck.app.session._talk is not None
        thread = deck.app.session._talk._thread
        await deck.until(lambda: thread.scribe or history is None, "the history")
        await deck.press("5")
        await deck.type("/preset precise")
        await deck.press("enter")
        await deck.until(lambda: thread.conversation.parameters.get("temperature") == 0.25, "the preset")
        mine = replace(presets[0], parameters={"temperature": 1.0})
        assert thread.with_configured([mine]) == (mine,)


async def test_intervals_reach_the_polls(scripted_server: DemoEndpoint) -> None:
    settings = replace(settings_for(scripted_server), intervals=Intervals(models=0.5, activity=3, machine=60))
    async with running_deck(settings) as deck:
        await deck.see("qwen")
        session = deck.app.session
        assert session is not None
        assert (session._models_pace._fast, session._activity_pace._fast) == (0.5, 3)


async def test_a_token_on_a_network_without_tls_is_told_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    settings = Settings(url="http://box.test:1234", token=Token("sk-lm-hidden"), lms="/nowhere/lms")
    async with running_deck(settings) as deck:
        await deck.see("the token goes to box.test over plain HTTP")
        assert "Use https://" in await deck.see("SSH tunnel")
        assert "hidden" not in deck.text()
