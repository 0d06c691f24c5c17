"""The chat of the whole deck: what is said, kept, branched, sent another way and not lost."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deck import Driver, running_deck, set_faults, settings_for
from steps import hear_the_log, load_model

from lmdeck.config.settings import Settings
from lmdeck.demo.launch import DemoEndpoint, DemoServer
from lmdeck.model.log import ServerLine
from lmdeck.widgets.chat_pane import ChatPane

MODEL = "qwen/qwen3-coder-30b"


@pytest.fixture
def settings(scripted_server: DemoEndpoint, tmp_path: Path) -> Settings:
    return replace(settings_for(scripted_server), history=tmp_path / "history.db")


def chat_of(deck: Driver) -> ChatPane:
    return deck.app.dashboard.chat


async def say(deck: Driver, text: str) -> str:
    """Type it into the chat, send it, and wait for the whole answer; answers it."""
    chat = chat_of(deck)
    before = [shown.turn.id for shown in chat.path]
    chat.focus_content()
    await deck.type(text)
    await deck.press("enter")

    def answered() -> bool:
        turns = [shown.turn for shown in chat.path]
        return bool(turns) and turns[-1].role == "assistant" and turns[-1].id not in before and not chat.answering

    await deck.until(answered, f"an answer to {text!r}")
    return chat.path[-1].turn.text


async def command(deck: Driver, text: str) -> None:
    """Give a slash command."""
    chat_of(deck).focus_content()
    chat_of(deck).write(text)
    await deck.press("enter")
    await deck.until(lambda: not chat_of(deck).draft, "an empty editor")


async def received(deck: Driver, path: str, count: int) -> list[dict[str, Any]]:
    """The bodies of the requests on this path, as the server's log has them, once there are so many."""

    def bodies() -> list[dict[str, Any]]:
        texts = [entry.text for entry in deck.app.dashboard.log_pane.shown() if isinstance(entry, ServerLine)]
        parts = [text.partition(" with body ") for text in texts if f"POST to {path} " in text]
        return [json.loads(body) for _, _, body in parts if body]

    await deck.until(lambda: len(bodies()) >= count, f"{count} requests on {path}")
    return bodies()


@asynccontextmanager
async def chatting(settings: Settings, server: DemoEndpoint, size: tuple[int, int] = (160, 45)) -> AsyncIterator[Driver]:
    """A deck with MODEL in memory, whose log is heard."""
    async with running_deck(settings, size) as deck:
        await load_model(deck, MODEL)
        await hear_the_log(deck, server)
        yield deck


async def test_a_conversation_is_kept_and_goes_on_after_a_restart(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        assert "You said: the first words" in await say(deck, "the first words")
    async with running_deck(settings) as deck:
        await deck.see("Loaded 1")
        await deck.press("5", "ctrl+r")
        await deck.see("the first words")
        await deck.press("enter")
        await deck.see("You said: the first words")
        assert "the first words" in await say(deck, "what did I say")


async def test_only_what_is_set_is_sent_by_the_endpoint_that_is_chosen(
    settings: Settings, scripted_server: DemoEndpoint
) -> None:
    async with chatting(settings, scripted_server) as deck:
        await say(deck, "plain")
        await command(deck, "/param temperature 0.2")
        await command(deck, "/param top_k 7")
        await deck.see("temperature 0.2")
        await say(deck, "cooler")
        await command(deck, "/param top_k")
        await command(deck, "/system Be short.")
        await command(deck, "/endpoint anthropic")
        await say(deck, "elsewhere")
        plain, cooler = (await received(deck, "/api/v1/chat", 2))[:2]
        assert plain == {"model": MODEL, "input": "plain", "stream": True}
        assert cooler.pop("previous_response_id").startswith("resp_")
        assert cooler == {"model": MODEL, "input": "cooler", "stream": True, "temperature": 0.2, "top_k": 7}
        elsewhere = (await received(deck, "/v1/messages", 1))[0]
        assert [message["role"] for message in elsewhere["messages"]] == ["user", "assistant", "user", "assistant", "user"]
        assert elsewhere["system"] == "Be short."
        assert (elsewhere["temperature"], "top_k" in elsewhere) == (0.2, False)


async def test_branches_are_grown_walked_and_kept(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        chat = chat_of(deck)
        await say(deck, "the root")
        await say(deck, "one way")
        await deck.press("escape", "up", "e")
        await deck.until(lambda: chat.draft == "one way", "the turn in the editor")
        chat.write("another way")
        await deck.press("enter")
        await deck.see("You said: another way")
        await deck.see("‹2/2›")
        assert [shown.turn.text for shown in chat.path][::2] == ["the root", "another way"]
        await deck.until(lambda: not chat.answering, "the end of the answer")
        await deck.press("escape", "up", "left_square_bracket")
        await deck.see("You said: one way")
        await deck.press("G", "R")
        await deck.until(lambda: chat.path[-1].count == 2 and not chat.answering, "a second answer")
        assert [shown.turn.text for shown in chat.path][::2] == ["the root", "one way"]
    async with running_deck(settings) as deck:
        await deck.see("Loaded 1")
        await deck.press("5", "ctrl+r")
        await deck.see("the root")
        await deck.press("enter")
        await deck.until(lambda: len(chat_of(deck).path) == 4, "the conversation")
        assert [(shown.number, shown.count) for shown in chat_of(deck).path] == [(1, 1), (1, 1), (1, 2), (2, 2)]


async def test_what_is_typed_survives_a_restart(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await deck.see(MODEL)
        await deck.press("5")
        await deck.type("half a thought")
        session = deck.app.session
        assert session is not None
        await deck.until(lambda: "half a thought" in drafts(deck).values(), "a kept draft")
    async with running_deck(settings) as deck:
        await deck.until(lambda: chat_of(deck).draft == "half a thought", "the draft")


def drafts(deck: Driver) -> dict[str, str]:
    """What the room remembers of unsent texts."""
    session = deck.app.session
    talk = session._talk if session is not None else None
    return dict(talk._thread.remembered.drafts) if talk is not None else {}
