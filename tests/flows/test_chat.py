"""The chat of the whole deck: what is said, kept, branched, sent another way and not lost."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from deck import Driver, running_deck, set_faults, settings_for
from steps import hear_the_log, load_model

from lmdeck.config.settings import Settings
from lmdeck.conversations.recorder import UNFINISHED
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.conversation import Turn
from lmdeck.model.log import ServerLine
from lmdeck.store.history import Store
from lmdeck.talk import answering
from lmdeck.widgets.chat_pane import ChatPane

MODEL = "qwen/qwen3-coder-30b"
SEES = "mistralai/devstral-small-2-2512"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


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
async def chatting(
    settings: Settings, server: DemoEndpoint, size: tuple[int, int] = (160, 45)
) -> AsyncIterator[Driver]:
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
        assert [message["role"] for message in elsewhere["messages"]] == [
            "user",
            "assistant",
            "user",
            "assistant",
            "user",
        ]
        assert elsewhere["system"] == "Be short."
        assert (elsewhere["temperature"], "top_k" in elsewhere) == (0.2, False)


async def test_branches_are_grown_walked_and_kept(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        chat = chat_of(deck)
        await say(deck, "the root")
        await say(deck, "one way")
        await deck.press("ctrl+g", "up", "e")
        await deck.until(lambda: chat.draft == "one way", "the turn in the editor")
        chat.write("another way")
        await deck.press("enter")
        await deck.see("You said: another way")
        await deck.see("‹2/2›")
        assert [shown.turn.text for shown in chat.path][::2] == ["the root", "another way"]
        await deck.until(lambda: not chat.answering, "the end of the answer")
        await deck.press("ctrl+g", "up", "left_square_bracket")
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


async def test_an_answer_cut_off_is_kept_and_asked_for_again(settings: Settings, scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        chat = chat_of(deck)
        await set_faults(scripted_server, "sse_cut")
        partial = await say(deck, "20 words")
        assert chat.path[-1].turn.cut_off
        await set_faults(scripted_server)
        await command(deck, "/retry")
        await deck.until(lambda: chat.path[-1].count == 2 and not chat.answering, "a second answer")
        assert not chat.path[-1].turn.cut_off
        assert len(chat.path[-1].turn.text) > len(partial)
    async with running_deck(settings) as deck:
        await deck.see("Loaded 1")
        await deck.press("5", "ctrl+r")
        await deck.see("20 words")
        await deck.press("enter")
        await deck.until(lambda: len(chat_of(deck).path) == 2, "the conversation")
        await deck.press("ctrl+g", "left_square_bracket")
        await deck.see("cut off: ")
        assert chat_of(deck).path[-1].turn.text == partial


async def test_what_failed_is_in_the_editor_again_and_never_sent_as_history(
    settings: Settings, scripted_server: DemoEndpoint
) -> None:
    async with chatting(settings, scripted_server) as deck:
        chat = chat_of(deck)
        await say(deck, "before")
        await set_faults(scripted_server, "http_500:/api/v1/chat")
        await deck.type("will fail")
        await deck.press("enter")
        await deck.until(lambda: chat.draft == "will fail", "the text in the editor")
        await set_faults(scripted_server)
        await deck.press("enter")
        await deck.see("You said: will fail")
        await deck.until(lambda: not chat.answering, "the end of the answer")
        assert [shown.turn.text for shown in chat.path][::2] == ["before", "will fail"]
        assert (chat.path[2].number, chat.path[2].count) == (2, 2)
        sent = await received(deck, "/api/v1/chat", 2)
        assert sent[-1]["input"] == "will fail"


async def test_a_server_that_forgot_is_sent_the_whole_conversation(
    settings: Settings, scripted_server: DemoEndpoint
) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        await say(deck, "remember the number 42")
        chat = chat_of(deck)
        await set_faults(scripted_server, "forgotten")
        await deck.type("which number")
        await deck.press("enter")
        await deck.see("The server forgot this conversation")
        await deck.press("y")
        await deck.until(lambda: "number 42" in chat.path[-1].turn.text and not chat.answering, "an answer")
        await deck.miss("The server forgot")
        assert chat.draft == ""


async def test_files_go_with_a_prompt(settings: Settings, scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("the secret is swordfish")
    async with chatting(settings, scripted_server) as deck:
        await command(deck, f"/attach {notes}")
        await deck.see(r"notes\.txt")
        await say(deck, "what is in it")
        sent = await received(deck, "/api/v1/chat", 1)
        assert "the secret is swordfish" in sent[0]["input"]
        assert sent[0]["input"].endswith("what is in it")
        chat_of(deck).write(f"and @{notes} again")
        await deck.press("enter")
        sent = await received(deck, "/api/v1/chat", 2)
        assert "the secret is swordfish" in sent[1]["input"]
        await command(deck, f"/attach {tmp_path}")
        await deck.hear("folder")


async def test_a_conversation_kept_nowhere_leaves_nothing(settings: Settings, scripted_server: DemoEndpoint) -> None:
    async with chatting(settings, scripted_server) as deck:
        await say(deck, "kept at first")
        await command(deck, "/store nowhere")
        await deck.see("kept nowhere")
        await say(deck, "and this not at all")
        sent = await received(deck, "/api/v1/chat", 2)
        assert sent[1]["store"] is False
        await deck.press("ctrl+r")
        await deck.see("No conversation|no conversation|Nothing")
        await deck.press("escape")
    kept = (
        b"".join(path.read_bytes() for path in settings.history.parent.glob("history.db*")) if settings.history else b""
    )
    assert b"this not at all" not in kept
    assert b"kept at first" not in kept


async def test_exported_and_imported_it_is_the_same(settings: Settings, tmp_path: Path) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        await say(deck, "first")
        await say(deck, "second")
        before = [shown.turn for shown in chat_of(deck).path]
        await command(deck, f"/export {tmp_path / 'chat.json'}")
        await command(deck, f"/export {tmp_path / 'chat.md'}")
        await deck.until((tmp_path / "chat.md").exists, "the Markdown file")
        await deck.press("ctrl+n")
        await deck.until(lambda: not chat_of(deck).path, "an empty conversation")
        await command(deck, f"/import {tmp_path / 'chat.json'}")
        await deck.until(lambda: len(chat_of(deck).path) == 4, "the conversation")
        assert [shown.turn for shown in chat_of(deck).path] == before
        assert "You said: second" in (tmp_path / "chat.md").read_text()
        await command(deck, f"/export {tmp_path / 'chat.md'}")
        await deck.hear("exists")


async def test_the_list_renames_pins_and_drops(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        await say(deck, "about cats")
        await deck.press("ctrl+n")
        await deck.until(lambda: not chat_of(deck).path, "an empty conversation")
        await say(deck, "about dogs")
        await command(deck, "/rename Canines")
        await deck.press("ctrl+r")
        await deck.see("Canines(.*\n)+.*about cats")
        await deck.press("down", "p")
        await deck.see("about cats(.*\n)+.*Canines")
        await deck.press("slash")
        await deck.type("dogs")
        await deck.miss("about cats")
        await deck.press("enter", "d")
        await deck.see("Delete this conversation")
        await deck.press("y")
        await deck.see("No conversation has “dogs”")
        await deck.press("escape", "escape")
        await deck.until(lambda: not chat_of(deck).path, "an empty conversation")


async def test_the_panel_sets_what_the_next_turn_is_sent_with(
    settings: Settings, scripted_server: DemoEndpoint
) -> None:
    async with chatting(settings, scripted_server) as deck:
        await deck.press("5", "ctrl+o")
        await deck.see("Chat settings")
        deck.app.screen.query_one("#temperature").focus()
        await deck.type("0.7")
        await deck.press("enter")
        await deck.see("temperature 0.7")
        await say(deck, "warm")
        assert (await received(deck, "/api/v1/chat", 1))[0]["temperature"] == 0.7


async def test_compare_embed_and_request_open_from_the_chat(settings: Settings) -> None:
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        await say(deck, "to be compared")
        await command(deck, "/request")
        await deck.see("curl .*/api/v1/chat")
        await deck.see("to be compared")
        assert "LM_API_TOKEN" in deck.text()
        await deck.press("escape")
        await command(deck, "/compare +temperature=0.1 +temperature=0.9")
        await deck.see("temperature=0.1")
        await deck.press("enter")
        await deck.see("You said: to be compared(.*\n)*.*", timeout=20)
        await deck.press("escape", "escape")
        await command(deck, "/compare nobody")
        await deck.hear("nobody: no such instance or model")
        await command(deck, "/embed")
        await deck.see("Embeddings|embedding")


async def test_a_growing_answer_is_on_the_disk_before_it_ends(
    settings: Settings, scripted_server: DemoEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "KEPT_EVERY_S", 0.0)
    await set_faults(scripted_server, timings="rate=5")
    assert settings.history is not None
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        chat_of(deck).focus_content()
        await deck.type("100 words")
        await deck.press("enter")
        await deck.until(lambda: chat_of(deck).answering, "an answer")
        async with await Store.open(settings.history) as store:

            async def kept() -> list[Turn]:
                found = [await store.conversation(each.id) for each in await store.conversations()]
                return [turn for each in found if each for turn in each.turns if turn.role == "assistant" and turn.text]

            for _ in range(500):
                if turns := await kept():
                    break
                await deck.pilot.pause(0.02)
            assert chat_of(deck).answering
            assert turns[0].cut_off == UNFINISHED
        await deck.press("escape")
        await deck.see("cut off: stopped by you")


async def test_a_refusal_says_why_and_what_to_do(settings: Settings, scripted_server: DemoEndpoint) -> None:
    async with running_deck(replace(settings, token=None)) as deck:
        await deck.see("401: token not accepted")
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        await say(deck, "it fits")
        used = chat_of(deck).meter.used
        assert used
        long = "many words " * 3000
        chat_of(deck).write(long)
        await deck.press("enter")
        await deck.see("the context is full")
        await deck.until(lambda: chat_of(deck).draft == long, "the text in the editor")
        await deck.until(lambda: not chat_of(deck).answering, "the end of the request")
        assert chat_of(deck).meter.used == used


async def test_a_context_length_that_would_reload_a_busy_model_is_not_sent(
    settings: Settings, scripted_server: DemoEndpoint
) -> None:
    await set_faults(scripted_server, timings="rate=5")
    async with running_deck(settings) as deck:
        await load_model(deck, MODEL)
        async with httpx.AsyncClient(base_url=scripted_server.url, timeout=60) as client:
            headers = {"authorization": f"Bearer {scripted_server.token}"}
            body = {"model": MODEL, "input": "100 words"}
            asking = asyncio.create_task(client.post("/api/v1/chat", json=body, headers=headers))
            await deck.see("generating", timeout=30)
            await command(deck, "/param context_length 8192")
            await deck.type("me too")
            await deck.press("enter")
            await deck.hear("is busy")
            assert (chat_of(deck).draft, chat_of(deck).path) == ("me too", ())
            asking.cancel()


async def test_only_models_that_see_get_images(
    settings: Settings, scripted_server: DemoEndpoint, tmp_path: Path
) -> None:
    picture = tmp_path / "dot.png"
    picture.write_bytes(PNG)
    async with chatting(settings, scripted_server) as deck:
        await command(deck, f"/attach {picture}")
        await deck.hear("image")
        assert not chat_of(deck).attachments
        await command(deck, f"/model {SEES}")
        await command(deck, f"/attach {picture}")
        await deck.until(lambda: chat_of(deck).attachments, "the picture")
        await say(deck, "what is it")
        parts = (await received(deck, "/api/v1/chat", 1))[0]["input"]
        assert [part["data_url"][:22] for part in parts if part["type"] == "image"] == ["data:image/png;base64,"]
