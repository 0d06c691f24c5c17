"""When garbage is collected in full: a full log makes that take as long as a key press is felt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lmdeck import main
from lmdeck.backend.errors import Unreachable
from lmdeck.feeds.sources import Sources
from lmdeck.main import LMDeck


class Collector:
    """Stands in for `gc`, which the command line has switched off."""

    def __init__(self) -> None:
        self.middle, self.looks, self.collections = 0, 0, 0
        self.threshold, self.enabled = (700, 10, 10), False

    def isenabled(self) -> bool:
        return self.enabled

    def enable(self) -> None:
        self.enabled = True

    def freeze(self) -> None:
        pass

    def get_threshold(self) -> tuple[int, int, int]:
        return self.threshold

    def set_threshold(self, *threshold: int) -> None:
        self.threshold = threshold  # type: ignore[assignment]

    def get_count(self) -> tuple[int, int, int]:
        self.looks += 1
        return 0, 0, self.middle

    def collect(self) -> None:
        self.collections += 1
        self.middle = 0


@asynccontextmanager
async def nobody() -> AsyncIterator[Sources]:
    raise Unreachable("nobody is there")
    yield


async def test_garbage_is_collected_in_full_while_nobody_presses_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    monkeypatch.setattr(main, "gc", collector)
    monkeypatch.setattr(main, "TIDY_S", 0.01)
    monkeypatch.setattr(main, "QUIET_S", 1e9)
    async with LMDeck(nobody).run_test() as pilot:

        async def look(times: int = 3) -> int:
            """How many full collections there have been after some more looks."""
            until = collector.looks + times
            while collector.looks < until:
                await pilot.pause(0.01)
            return collector.collections

        assert await look() == 0
        assert collector.enabled
        assert collector.threshold[:2] == (700, 10)
        assert collector.threshold[2] > 1_000_000
        await pilot.press("j")
        collector.middle = 100
        assert await look() == 0
        collector.middle = 10_000
        assert await look() == 1
        monkeypatch.setattr(main, "QUIET_S", 0.0)
        assert await look() == 1
        collector.middle = 100
        assert await look() == 2
