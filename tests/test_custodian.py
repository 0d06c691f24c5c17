"""The history while the deck is open."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from lmdeck import custodian
from lmdeck.custodian import Custodian
from lmdeck.forecaster import Forecaster
from lmdeck.ledger import Ledger
from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats
from lmdeck.model.problem import Problem
from lmdeck.state.deck import DeckState
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store

STATS = PredictionStats("eosFound", 41.3, 0.31, 2.0, 12, 34)


class Notices:
    def __init__(self) -> None:
        self.noted: list[Problem] = []

    def note(self, problem: Problem | None) -> None:
        if problem is not None:
            self.noted.append(problem)


def nobody(store: Store) -> AbstractAsyncContextManager[None]:
    """No guest waits for the history."""
    return nullcontext()


def furnished(ledger: Ledger) -> tuple[Custodian, Notices]:
    notices = Notices()
    desk = SimpleNamespace(
        notices=notices,
        forecaster=Forecaster(DeckState, None),
        state=DeckState,
        apply=lambda event: None,
        keeper=None,
    )
    return Custodian(desk, ledger, nobody, days=90, megabytes=200), notices  # type: ignore[arg-type]


def ask(ledger: Ledger) -> None:
    """A request and its answer, a little ago."""
    at = time.time() - 10
    ledger.hear([PredictionInput(at, "qwen", f"hello {at}"), PredictionOutput(at + 1, "qwen", "hi", STATS)])


async def kept(path: Path) -> int:
    async with await Store.open(path) as store:
        return len(await store.exchanges())


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within ten seconds")


async def test_what_finished_just_before_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custodian, "SETTLED_S", 0.0)
    ledger, sensed = Ledger("http://x", keep_text=False), asyncio.Event()
    sensed.set()
    looking, _ = furnished(ledger)
    ask(ledger)
    task = asyncio.create_task(looking.look_after(tmp_path / "history.db", sensed))
    await until(lambda: not ledger.waiting)
    monkeypatch.setattr(custodian, "SETTLED_S", 3600.0)
    ask(ledger)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await kept(tmp_path / "history.db") == 2


async def test_a_failure_to_write_is_noted_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custodian, "SETTLED_S", 0.0)
    monkeypatch.setattr(custodian, "RETRY_S", 0.0)
    failures, write = [StoreError("history: the disk is full")], Store.add_exchanges

    async def failing(self: Store, exchanges: object) -> None:
        if failures:
            raise failures.pop()
        await write(self, exchanges)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "add_exchanges", failing)
    ledger, sensed = Ledger("http://x", keep_text=False), asyncio.Event()
    sensed.set()
    looking, notices = furnished(ledger)
    ask(ledger)
    task = asyncio.create_task(looking.look_after(tmp_path / "history.db", sensed))
    await until(lambda: not ledger.waiting)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [problem.title for problem in notices.noted] == ["history: the disk is full"]
    assert await kept(tmp_path / "history.db") == 1
