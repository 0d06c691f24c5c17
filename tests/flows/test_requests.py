"""Requests joined, looked at, counted, kept and exported, in the whole deck."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from deck import Driver, running_deck, settings_for
from steps import hear_the_log, load_model

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.exchange import ExchangeRecord, ExchangeText
from lmdeck.model.log import DeckNote
from lmdeck.model.problem import Problem
from lmdeck.screens.exchange_screen import ExchangeScreen
from lmdeck.screens.past_screen import PastScreen
from lmdeck.screens.statistics_screen import StatisticsScreen
from lmdeck.store.history import Store
from lmdeck.widgets.chat_input import ChatInput

MODEL = "qwen/qwen3-coder-30b"


async def ask_by_http(server: DemoEndpoint, text: str, **parameters: object) -> None:
    """A request of somebody else."""
    headers = {"authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}], **parameters}
        (await client.post("/v1/chat/completions", json=body)).raise_for_status()


async def asked(deck: Driver, server: DemoEndpoint, text: str = "hello there", **parameters: object) -> None:
    """A loaded model, the log followed, and one request of somebody else with its answer in the log."""
    await load_model(deck, MODEL)
    await hear_the_log(deck, server)
    await deck.press("4", "o")  # the engine's lines would push the others out of sight
    await ask_by_http(server, text, **parameters)
    await deck.see(rf"← {MODEL}")


async def to_the_answer(deck: Driver) -> None:
    """The cursor onto the answer's line."""
    await deck.press("4", "g")
    pane = deck.app.dashboard.log_pane
    for _ in range(80):
        if pane.current is not None and type(pane.current).__name__ == "PredictionOutput":
            return
        await deck.press("j")
    raise AssertionError(f"no answer in the log:\n{deck.text()}")


async def test_an_answer_opens_with_the_parameters_that_the_model_log_lacks(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await asked(deck, scripted_server, temperature=0.25)
        await to_the_answer(deck)
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the exchange")
        screen = await deck.see("/v1/chat/completions")
        assert "temperature" in screen
        assert "0.25" in screen
        await deck.press("2")
        await deck.see("hello there")
        await deck.press("c")
        await deck.until(lambda: deck.app.screen.query(ChatInput), "the editor")
        await deck.until(lambda: deck.app.screen.query_one(ChatInput).text == "hello there", "the text")


async def test_a_request_is_repeated_by_one_key(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await asked(deck, scripted_server)
        await to_the_answer(deck)
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the exchange")
        await deck.press("R")
        await deck.hear("Sent again")
        answers = deck.app.dashboard.log_pane.shown
        await deck.until(
            lambda: sum(type(one).__name__ == "PredictionOutput" for one in answers()) == 2, "the second answer"
        )


async def test_statistics_count_what_the_log_told(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    settings = replace(settings_for(scripted_server), history=tmp_path / "history.db")
    async with running_deck(settings) as deck:
        await asked(deck, scripted_server)
        await deck.press("1", "i")
        await deck.until(lambda: isinstance(deck.app.screen, StatisticsScreen), "the statistics")
        await deck.see(rf"{MODEL} +1\b")
        await deck.press("escape")
        assert deck.app.session is not None
        ledger = deck.app.session._ledger
        assert ledger is not None
        await deck.until(lambda: not ledger.waiting, "the kept request", timeout=20)
    async with await Store.open(tmp_path / "history.db") as store:
        (kept,) = await store.exchanges()
        assert (kept.instance_id, kept.path) == (MODEL, "/v1/chat/completions")
        assert kept.predicted_tokens
        assert not await store.search("hello")  # no text is kept unless the user says so
        (day,) = await store.days(7)
        assert day.requests == 1


async def test_text_is_kept_only_when_the_user_says_so(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    settings = replace(settings_for(scripted_server), history=tmp_path / "history.db", log_text=True)
    async with running_deck(settings) as deck:
        await asked(deck, scripted_server)
        assert deck.app.session is not None
        ledger = deck.app.session._ledger
        assert ledger is not None
        await deck.until(lambda: ledger.finished.is_set() or not ledger.waiting, "the finished request")
        await deck.until(lambda: not ledger.waiting, "the kept request", timeout=20)
    async with await Store.open(tmp_path / "history.db") as store:
        ((_, text),) = await store.search("hello")
        assert text is not None
        assert "hello there" in text.prompt


async def open_history(deck: Driver) -> None:
    """The history on the screen, once it is open."""
    session = deck.app.session
    assert session is not None
    await deck.until(lambda: session._desk is not None and session._desk.keeper is not None, "an open history")
    await deck.press("4", "H")
    await deck.until(lambda: isinstance(deck.app.screen, PastScreen), "the history")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_a_request_is_found_on_the_screen_after_a_restart(
    scripted_server: DemoEndpoint, tmp_path: Path, size: tuple[int, int]
) -> None:
    settings = replace(settings_for(scripted_server), history=tmp_path / "history.db", log_text=True)
    async with running_deck(settings) as deck:
        await asked(deck, scripted_server, "where is the needle")
        await ask_by_http(scripted_server, "nothing of interest")
        assert deck.app.session is not None
        ledger = deck.app.session._ledger
        assert ledger is not None
        await deck.until(lambda: ledger.kept == 2, "both requests kept", timeout=30)
    async with running_deck(settings, size) as deck:
        await deck.see("loaded")
        await open_history(deck)
        await deck.see("2 requests")
        await deck.type("needle chat")
        await deck.see("1 request ")
        await deck.press("enter", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the request")
        await deck.see(r"\[2 Prompt\]")
        await deck.see("where is the needle")
        await deck.press("1")
        await deck.see(r"request +/v1/chat/completions")
        await deck.press("R")
        await deck.hear("Sent again")
        await deck.until(lambda: isinstance(deck.app.screen, PastScreen), "the history again")
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the request again")
        await deck.press("c")
        await deck.until(lambda: deck.app.screen is deck.app.dashboard, "the deck")
        await deck.until(lambda: deck.app.screen.query_one(ChatInput).text == "where is the needle", "the question")


async def test_hidden_prompts_stay_hidden_in_the_history(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    record = ExchangeRecord(1e9, scripted_server.url, MODEL, "/v1/chat/completions")
    async with await Store.open(tmp_path / "history.db") as store:
        await store.add_exchanges([(record, ExchangeText("where is the needle", "here"))])
    async with running_deck(replace(settings_for(scripted_server), history=tmp_path / "history.db")) as deck:
        await deck.see(MODEL)
        await deck.press("P")
        await open_history(deck)
        await deck.type("needle")
        await deck.press("enter")
        await deck.see("1 request ")
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the request")
        await deck.press("2")
        assert "where is the" not in await deck.see("Prompt and answer are hidden")


async def test_without_a_history_the_screen_says_why(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        await deck.until(lambda: deck.app.session and deck.app.session._desk, "the connection")
        await deck.press("ctrl+p")
        await deck.type("Log: History")
        await deck.see("Search the requests of the history")
        await deck.miss("Everywhere: ")
        await deck.press("enter")
        await deck.see("✗ no history")
    (tmp_path / "history.db").mkdir()
    async with running_deck(replace(settings_for(scripted_server), history=tmp_path / "history.db")) as deck:
        await deck.see(MODEL)
        await deck.until(lambda: "history: " in deck.text(), "the reason in the log")
        await deck.press("4", "H")
        await deck.until(lambda: isinstance(deck.app.screen, PastScreen), "the history")
        await deck.see("✗ history: it cannot be opened")


def written(folder: Path, ending: str) -> str:
    """The exported file; private to its owner."""
    files = list(folder.glob(f"exports/*.{ending}"))
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    return files[0].read_text() if files else ""


async def test_what_is_shown_is_exported(
    scripted_server: DemoEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMDECK_DATA", str(tmp_path))
    async with running_deck(settings_for(scripted_server)) as deck:
        await asked(deck, scripted_server)
        await deck.press("4", "x")
        await deck.see("JSON Lines")
        await deck.press("j")
        await deck.until(lambda: written(tmp_path, "jsonl").endswith("\n"), "the whole file")
        text = written(tmp_path, "jsonl")
        assert "hello there" not in text
        assert json.loads(text.splitlines()[0])
        await deck.press("x", "t", "m")
        await deck.until(lambda: "hello there" in written(tmp_path, "md"), "the text that was asked for")


async def test_the_log_is_filtered_by_what_an_answer_measured(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await asked(deck, scripted_server)
        await deck.press("4", "slash")
        await deck.type("tps>1000000")
        await deck.see("nothing matches")
        await deck.press("escape", "escape")
        await deck.press("slash")
        await deck.type("stop:eosFound")
        await deck.see(rf"← {MODEL}")


async def test_what_comes_while_the_deck_closes_does_no_harm(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(MODEL)
        session = deck.app.session
    assert session is not None
    session._log_pane.extend([DeckNote(1.0, "late")])
    session.notices.note(Problem("late"))
    assert [entry.text for entry in session._log_pane.shown()][-2:] == ["late", "late"]


async def test_repeating_never_reloads_the_model(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, MODEL)
        await hear_the_log(deck, scripted_server)
        await deck.press("4", "o")
        headers = {"authorization": f"Bearer {scripted_server.token}"}
        async with httpx.AsyncClient(base_url=scripted_server.url, headers=headers, timeout=30) as client:
            body = {"model": MODEL, "input": "hello there", "context_length": 4096}
            (await client.post("/api/v1/chat", json=body)).raise_for_status()
        await deck.see(rf"← {MODEL}")
        await to_the_answer(deck)
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ExchangeScreen), "the exchange")
        await deck.press("R")
        await deck.hear("Sent again")

        def asked_again() -> list[str]:
            texts = [entry.text for entry in deck.app.dashboard.log_pane.shown()]
            return [text for text in texts if "POST to /api/v1/chat" in text]

        await deck.until(lambda: len(asked_again()) == 2, "the second request")
        assert ["context_length" in text for text in asked_again()] == [True, False]
