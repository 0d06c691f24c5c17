"""`d` in the whole deck: a download to its end, one that an earlier deck began, and a deck that only looks."""

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from deck import Driver, running_deck, settings_for

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.download import Download, DownloadReport
from lmdeck.screens.download_dialog import DownloadDialog
from lmdeck.store.history import Store

MODEL = "ibm/granite-4-micro"


async def open_dialog(deck: Driver) -> None:
    await deck.until(lambda: deck.app.session and deck.app.session._desk, "everything at work")
    await deck.press("2", "d")
    await deck.until(lambda: isinstance(deck.app.screen, DownloadDialog) and deck.app.screen.focused, "the dialog")


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_a_download_to_its_end(scripted_server: DemoEndpoint, size: tuple[int, int]) -> None:
    async with running_deck(settings_for(scripted_server), size) as deck:
        await open_dialog(deck)
        await deck.type(MODEL)
        await deck.see(f"Asks the server to download {MODEL}")
        await deck.press("enter")
        await deck.see(rf"[↓✓] {MODEL}")
        await deck.hear(f"Downloaded {MODEL}", timeout=60)
        await deck.see(rf"✓ {MODEL}  completed")


async def test_what_an_earlier_deck_began_is_followed(scripted_server: DemoEndpoint, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {scripted_server.token}"}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.post(f"{scripted_server.url}/api/v1/models/download", json={"model": MODEL})
    path = tmp_path / "history.db"
    async with await Store.open(path) as store:
        report = DownloadReport("downloading", answer.json()["job_id"])
        await store.keep_download(scripted_server.url, Download(MODEL, None, time.time(), report))
    async with running_deck(replace(settings_for(scripted_server), history=path)) as deck:
        await deck.hear(f"Downloaded {MODEL}", timeout=60)
        await open_dialog(deck)
        await deck.see(rf"✓ {MODEL}  completed")
    async with await Store.open(path) as store:
        assert await store.downloads(scripted_server.url) == ()


async def test_a_deck_that_only_looks_downloads_nothing(scripted_server: DemoEndpoint) -> None:
    async with running_deck(settings_for(scripted_server), read_only=True) as deck:
        await deck.until(lambda: deck.app.session and deck.app.session._desk, "everything at work")
        await deck.see("read-only")
        await deck.press("2", "d")
        await deck.hear("started with --read-only")
        assert deck.app.screen is deck.app.dashboard
