"""Looks after the history while the deck is open: opens it, hands its lessons out, writes what is to be kept."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from lmdeck.desk import Desk
from lmdeck.keeper import Keeper
from lmdeck.ledger import SETTLED_S, Ledger
from lmdeck.model.problem import Problem
from lmdeck.state.scales import Weighing
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store

RETRY_S = 30.0
"""After a failure to write, the next try waits so long (seconds)."""
_PRUNE_S = 3600.0
_NOT_OPEN = Problem("history: it is not open yet", next_step="Try again in a moment.")


class Custodian:
    """Without a history the deck goes on and keeps nothing: every failure is a remark in the log. `guest` is entered
    with the history once it is open, and left before it is closed."""

    def __init__(
        self,
        desk: Desk,
        ledger: Ledger,
        guest: Callable[[Store], AbstractAsyncContextManager[None]],
        *,
        days: int,
        megabytes: int,
    ) -> None:
        self._desk, self._ledger, self._guest = desk, ledger, guest
        self._days, self._megabytes = days, megabytes
        self._pruned = float("-inf")

    async def look_after(self, path: Path, sensed: asyncio.Event) -> None:
        """Own the history until the application ends. `sensed` is set once it is known which machine this is."""
        desk = self._desk
        desk.no_keeper = _NOT_OPEN
        try:
            async with await Store.open(path) as store, self._guest(store):
                desk.notices.note(store.problem)
                keeper = Keeper(store, desk.forecaster, desk.state)
                desk.apply(await keeper.presets())
                desk.keeper = keeper
                desk.apply(await keeper.downloads())
                await sensed.wait()
                for lesson in await keeper.lessons():
                    desk.apply(lesson)
                await self._keep_exchanges(store)
        except StoreError as error:
            desk.no_keeper = error.problem
            desk.notices.note(error.problem)
        finally:
            desk.keeper = None

    async def _keep_exchanges(self, store: Store) -> None:
        """Write finished requests for ever, a little after their end and many at a time, and the last ones at the end.
        What cannot be written now (a full disk, another program's lock) waits in the ledger."""
        try:
            while True:
                await self._ledger.finished.wait()
                await asyncio.sleep(SETTLED_S)
                try:
                    await self._write(store)
                except StoreError as error:
                    self._desk.notices.note(error.problem)
                    await asyncio.sleep(RETRY_S)
        finally:
            await self._ledger.keep(store, float("inf"))

    async def _write(self, store: Store) -> None:
        await self._ledger.keep(store, time.time())
        if not self._ledger.waiting:
            self._ledger.finished.clear()
        if time.monotonic() - self._pruned > _PRUNE_S:
            self._pruned = time.monotonic()
            await store.prune(self._days, self._megabytes)

    async def keep(self, weighing: Weighing) -> None:
        """Keep a measured load; without a history it was measured for nothing."""
        if self._desk.keeper is None:
            return
        try:
            seen = await self._desk.keeper.weighed(weighing)
        except StoreError as error:
            self._desk.notices.note(error.problem)
        else:
            self._desk.apply(seen)
            self._desk.notices.weighed(seen.records[0])
