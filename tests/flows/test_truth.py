"""What lmdeck exists for: memory and context told truthfully, before and after the load, in the whole deck."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
from deck import Driver, running_deck, set_faults, settings_for
from steps import choose, hear_the_log, load_model, loaded_ids
from textual.widgets import Input

from lmdeck.backend.lms import Lms
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint, DemoServer
from lmdeck.model.rows import LoadedRow
from lmdeck.screens.load_dialog import LoadDialog

CODER, EXPERT = "qwen/qwen3-coder-30b", "ha-expert"


@asynccontextmanager
async def deck_with_history(server: DemoEndpoint, folder: Path) -> AsyncIterator[Driver]:
    settings = replace(settings_for(server), history=folder / "history.db")
    async with running_deck(settings) as deck:
        yield deck


def row(deck: Driver, name: str = "") -> LoadedRow:
    rows = [one for one in deck.app.dashboard.loaded.rows or () if not name or one.id == name]
    assert rows
    return rows[0]


async def load(deck: Driver, key: str, context: str, **others: str) -> None:
    """Load through the dialog, other fields by their names."""
    await deck.see(key)
    await deck.press("2")
    await choose(deck, key)
    await deck.press("l")
    await deck.until(lambda: isinstance(deck.app.screen, LoadDialog), "the dialog")
    await deck.type(context)
    for name, value in others.items():
        deck.app.screen.query_one(f"#{name}", Input).value = value
    await deck.press("enter")
    await deck.until(lambda: not isinstance(deck.app.screen, LoadDialog), "the end of the load")


def confidence(deck: Driver, key: str) -> str:
    rows = [one for one in deck.app.dashboard.available.rows or () if one.model.key == key and one.outlook]
    return rows[0].outlook.confidence if rows and rows[0].outlook else ""


async def test_the_runtime_agrees(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, CODER, "16384")
        await deck.until(lambda: loaded_ids(deck) and row(deck).context.mark == "agree", "the runtime's word")
        await deck.see(r"16384 ✓")


async def test_a_collapse_is_loud_and_the_way_out_is_one_key(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "context_collapse")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, CODER, "32768")
        await deck.hear("context collapsed: 32768 requested, 8192 allocated")
        await deck.see(r"32768→8192 ✗")
        await set_faults(scripted_server)
        await deck.press("1", "R")
        await deck.until(lambda: isinstance(deck.app.screen, LoadDialog), "the dialog")
        await deck.until(lambda: deck.app.screen.query_one("#context_length", Input).value == "8192", "what fits")
        await deck.press("enter")
        await deck.until(lambda: loaded_ids(deck) == [CODER] and row(deck).context.mark == "agree", "the reload")
        assert row(deck).context.promised is not None
        assert row(deck).context.promised.tokens == 8192
        await deck.press("H")
        await deck.see(r"collapsed +qwen/qwen3-coder-30b: context collapsed")


async def test_only_an_experiment_finds_what_log_and_api_deny(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "context_deny", timings="load=0.05,ttft=0.001,rate=5000")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, CODER, "16384")
        await deck.until(lambda: loaded_ids(deck) and row(deck).context.mark == "agree", "the runtime's word")
        await deck.press("1", "v")
        await deck.see("16384")
        assert deck.app.session is not None
        assert not deck.app.session.state.proofs  # nothing is sent before it is accepted
        await deck.press("enter")
        await deck.hear("context collapsed: 16384 requested", timeout=20)
        proof = row(deck).context.proof
        assert proof is not None
        assert 7500 < proof.tokens <= 8192
        assert row(deck).context.mark == "collapsed"


async def test_what_the_api_says_later_is_watched(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "context_drift")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, CODER, "16384")
        await deck.until(lambda: loaded_ids(deck), "the model")
        await deck.press("5")
        await deck.type("hello")
        await deck.press("enter")
        await deck.see("You said: hello")
        await deck.hear("context changed: 16384 reported before")


async def test_slots_go_through_lms_and_as_last_time_is_one_key(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    async with deck_with_history(scripted_server, tmp_path) as deck:
        await load(deck, EXPERT, "8192", parallel="2", ttl_s="600")
        await deck.until(lambda: loaded_ids(deck) and row(deck).slots == 2, "two slots")
        assert row(deck).ttl_deadline is not None
        await deck.press("1", "u")
        await deck.see("no model is loaded")
    async with deck_with_history(scripted_server, tmp_path) as deck:
        await deck.see(EXPERT)
        assert deck.app.session is not None
        session = deck.app.session
        await deck.until(lambda: session.state.presets, "what is kept")
        await deck.press("2")
        await choose(deck, EXPERT)
        await deck.press("L")
        await deck.until(lambda: loaded_ids(deck) and row(deck).slots == 2, "the same load")
        await deck.until(lambda: EXPERT in session.state.requested, "what was asked for")
        assert session.state.requested[EXPERT].tokens == 8192


async def test_the_countdown_agrees_with_lms_ps(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await load(deck, EXPERT, "8192", ttl_s="600")
        await deck.until(lambda: loaded_ids(deck) and row(deck).ttl_deadline is not None, "a countdown")
        lms = Lms(scripted_server.lms, token=Token(scripted_server.token))
        try:
            (activity,) = await lms.ps()
        finally:
            await lms.close()
        assert activity.ttl_s is not None
        assert activity.last_used_s is not None
        left = activity.ttl_s - (time.time() - activity.last_used_s)
        deadline = row(deck).ttl_deadline
        assert deadline is not None
        assert abs(deadline - time.monotonic() - left) < 1


async def test_the_cause_behind_a_generic_failure(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, "load_fail_generic*1")
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(CODER)
        await deck.press("2")
        await choose(deck, CODER)
        await deck.press("l")
        await deck.until(lambda: isinstance(deck.app.screen, LoadDialog), "the dialog")
        await deck.press("enter")
        await deck.see("cudaMalloc failed: out of memory")


async def test_who_came_and_went(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server)) as deck:
        await deck.see(CODER)
        assert deck.app.session is not None
        session = deck.app.session
        headers = {"authorization": f"Bearer {scripted_server.token}"}
        async with httpx.AsyncClient(base_url=scripted_server.url, headers=headers, timeout=20) as client:
            await hear_the_log(deck, scripted_server)
            for key in (CODER, EXPERT):  # the second JIT load evicts the first
                body = {"model": key, "messages": [{"role": "user", "content": "hi"}]}
                (await client.post("/v1/chat/completions", json=body)).raise_for_status()
                await deck.until(lambda key=key: key in loaded_ids(deck), key)
            body = {"model": CODER, "context_length": 12288}
            (await client.post("/api/v1/models/load", json=body)).raise_for_status()
            await deck.until(lambda: len(loaded_ids(deck)) == 2, "the explicit load")
            (await client.post("/api/v1/models/unload", json={"instance_id": CODER})).raise_for_status()
            await deck.until(lambda: loaded_ids(deck) == [EXPERT], "the unload")
        kinds = [(one.kind, one.model_key) for one in session.state.timeline]
        assert kinds == [
            ("JIT loaded", CODER),
            ("JIT loaded", EXPERT),
            ("evicted", CODER),
            ("loaded", CODER),
            ("unloaded", CODER),
        ]
        assert all(one.evidence for one in session.state.timeline)


async def test_a_real_collapse_is_reported_and_proven(llama_server: DemoEndpoint, tmp_path: Path) -> None:
    await set_faults(llama_server, "context_collapse")
    async with deck_with_history(llama_server, tmp_path) as deck:
        await deck.see("smollm2")
        assert deck.app.session is not None
        session = deck.app.session
        key = next(model.key for model in session.state.models or () if not model.is_embedding)
        await load(deck, key, "4096")
        await deck.hear("context collapsed: 4096 requested", timeout=30)
        allocated = row(deck).context.allocated
        assert allocated is not None
        assert allocated.tokens < 4096
        await deck.press("1", "v")
        await deck.see("4096")
        await deck.press("enter")
        await deck.until(lambda: row(deck).context.proof, "the proof", timeout=120)
        proof = row(deck).context.proof
        assert proof is not None
        assert proof.refused is not None
        assert proof.tokens <= allocated.tokens
        assert proof.tokens > allocated.tokens * 0.8


async def test_a_real_load_is_measured_and_teaches(tmp_path: Path) -> None:
    settings = Settings(history=tmp_path / "history.db")
    async with running_deck(settings, demo=DemoServer("llama")) as deck:
        await deck.see("smollm2")
        assert deck.app.session is not None
        session = deck.app.session
        key = next(model.key for model in session.state.models or () if not model.is_embedding)
        await deck.until(lambda: confidence(deck, key) == "from the file", "a forecast")
        await load(deck, key, "2048")
        await deck.until(lambda: session.state.records.get(key), "the measured load", timeout=30)
        record = session.state.records[key][0]
        assert record.predicted_gpu
        assert record.measured_gpu
        await deck.until(lambda: session.state.outlooks[key].calibrated_by == 1, "the lesson")
        assert json.loads(json.dumps(record.settings.body()))["context_length"] == 2048


async def test_the_benchmark_measures_and_exports(
    scripted_server: DemoEndpoint, tmp_path: Path, monkeypatch: object
) -> None:
    monkeypatch.setenv("LMDECK_DATA", str(tmp_path))  # type: ignore[attr-defined]
    await set_faults(scripted_server, timings="load=0.05,ttft=0.005,rate=2000")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, CODER)
        await deck.press("1", "b")
        await deck.see("(?i)slots")
        await deck.press("enter")
        await deck.see("(?i)x export", timeout=30)
        await deck.until(lambda: deck.app.screen.query("#result") or "tok/s" in deck.text(), "figures")
        await deck.press("x")
        await deck.until(lambda: list((tmp_path / "exports").glob("*.md")), "the report", timeout=30)
        assert list((tmp_path / "exports").glob("*.json"))


async def test_no_experiment_disturbs_others_unless_told(scripted_server: DemoEndpoint) -> None:
    await set_faults(scripted_server, timings="load=0.05,ttft=0.01,rate=20")
    async with running_deck(settings_for(scripted_server)) as deck:
        await load_model(deck, CODER)
        await deck.press("1", "v")
        await deck.see("Nothing has been sent yet")
        await deck.see("Loaded 1")
        headers = {"authorization": f"Bearer {scripted_server.token}"}
        async with httpx.AsyncClient(base_url=scripted_server.url, headers=headers, timeout=60) as client:
            body = {"model": CODER, "messages": [{"role": "user", "content": "hi " * 200}]}
            asking = asyncio.create_task(client.post("/v1/chat/completions", json=body))
            await deck.until(lambda: row(deck).busy, "somebody's request")
            await deck.press("enter")
            await deck.see("Requests of others run on this instance")
            assert "Nothing has been sent yet" in deck.text()
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
