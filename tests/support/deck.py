"""The whole application in one process, driven by Pilot against a demo server."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from textual.pilot import Pilot

from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.connect import open_sources
from lmdeck.demo.launch import DemoEndpoint, DemoServer
from lmdeck.main import LMDeck


def settings_for(endpoint: DemoEndpoint) -> Settings:
    """What leads the deck to this server."""
    return Settings(
        url=endpoint.url, token=Token(endpoint.token), lms=endpoint.lms, models_folder=endpoint.models or "nowhere"
    )


class HeardDeck(LMDeck):
    """A deck whose notices are not forgotten: on a slow machine they are gone before a test looks."""

    heard: tuple[str, ...] = ()

    def notify(self, message: str, **how: Any) -> None:
        """As the deck does."""
        self.heard = (*self.heard, message)
        super().notify(message, **how)


class Driver:
    """A running deck: press keys, wait for what the screen shows."""

    def __init__(self, app: HeardDeck, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type text."""
        await self.pilot.press(*("space" if character == " " else character for character in text))

    def text(self) -> str:
        """Everything on the screen, as plain text, notices included."""
        screen = self.app.screen
        strips = screen._compositor.render_strips(screen.size)
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, holds: Callable[[], object], what: str, timeout: float = 10.0) -> None:
        """Wait until `holds()`; fails with the screen."""
        for _ in range(int(timeout / 0.02)):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"no {what} on the screen:\n{self.text()}")

    async def see(self, pattern: str, timeout: float = 10.0) -> str:
        """Wait until the regular expression is on the screen; answers the screen."""
        await self.until(lambda: re.search(pattern, self.text(), re.MULTILINE), repr(pattern), timeout)
        return self.text()

    async def hear(self, words: str, timeout: float = 10.0) -> None:
        """Wait for a notice with these words, or for its having been; on the screen they may be wrapped."""
        await self.until(lambda: any(words in message for message in self.app.heard), words, timeout)

    async def miss(self, pattern: str, timeout: float = 10.0) -> str:
        """Wait until it is not."""
        await self.until(lambda: not re.search(pattern, self.text(), re.MULTILINE), f"end of {pattern!r}", timeout)
        return self.text()


@asynccontextmanager
async def running_deck(
    settings: Settings,
    size: tuple[int, int] = (160, 45),
    *,
    read_only: bool = False,
    demo: DemoServer | None = None,
) -> AsyncIterator[Driver]:
    """A deck on that server, or on a `demo` of its own; everything it started has ended afterwards."""
    sources = partial(open_sources, replace(settings, read_only=read_only), demo)
    app = HeardDeck(sources, read_only=read_only, keys=settings.keys)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Driver(app, pilot)


async def set_faults(endpoint: DemoEndpoint, *faults: str, timings: str | None = None) -> None:
    """Make the demo server misbehave as named, or (without names) behave again."""
    body: dict[str, object] = {"faults": list(faults)} | ({"timings": timings} if timings else {})
    async with httpx.AsyncClient() as client:
        headers = {"authorization": f"Bearer {endpoint.token}"}
        (await client.post(f"{endpoint.url}/demo/faults", json=body, headers=headers)).raise_for_status()
