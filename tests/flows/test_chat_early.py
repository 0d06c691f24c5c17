"""Who writes before the deck is connected loses nothing, and is not told off for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from deck import Driver, running_deck, settings_for

from lmdeck.connect import open_sources
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.feeds.sources import Sources
from lmdeck.main import LMDeck
from lmdeck.widgets.chat_editor import ChatEditor


def drafts(deck: Driver) -> list[str]:
    """The unsent texts that are kept."""
    session = deck.app.session
    talk = session._talk if session is not None else None
    return list(talk._thread.remembered.drafts.values()) if talk is not None and talk._thread.scribe else []


async def test_a_text_that_is_begun_before_the_connection_is_kept(
    scripted_server: DemoEndpoint, tmp_path: Path
) -> None:
    settings = replace(settings_for(scripted_server), history=tmp_path / "history.db")
    async with running_deck(settings) as deck:
        await deck.press("5")
        await deck.type("of the last time")
        await deck.until(lambda: "of the last time" in drafts(deck), "a kept draft")

    gate = asyncio.Event()

    @asynccontextmanager
    async def late() -> AsyncIterator[Sources]:
        await gate.wait()
        async with open_sources(settings) as sources:
            yield sources

    app = LMDeck(late)
    async with app.run_test(size=(160, 45), notifications=True) as pilot:
        deck = Driver(app, pilot)
        await deck.press("5")
        await deck.type("early @words")
        await deck.until(lambda: app.screen.query_one(ChatEditor)._told == "early @words", "a told draft")
        await pilot.pause()
        assert not [notice.message for notice in app._notifications]
        gate.set()
        await deck.until(lambda: "early @words" in drafts(deck), "the text among the drafts")
        assert app.dashboard.chat.draft == "early @words"
