"""A load under way: its own task, watched by any number of waiters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine

from lmdeck.demo.errors import ApiError
from lmdeck.demo.instance import Instance


class LoadJob:
    """One load. It goes on when its waiters leave, as LM Studio's does; only `cancel` ends it."""

    def __init__(self, id: str, key: str, *, jit: bool) -> None:
        self.id, self.key, self.jit = id, key, jit
        self.seconds = 0.0
        """How long it took, once it is done."""
        self._fraction = 0.0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[Instance] | None = None

    def start(self, work: Coroutine[object, object, Instance]) -> None:
        """Begin."""
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Instance]) -> None:
        if not task.cancelled():
            task.exception()  # a load nobody waits for any more fails silently: the log has its reason
        self._changed.set()

    def progress(self, fraction: float) -> None:
        """Hear how far it is, 0..1."""
        self._fraction = fraction
        self._changed.set()
        self._changed = asyncio.Event()

    async def updates(self) -> AsyncIterator[float]:
        """The progress as it is told, until the end."""
        assert self._task is not None
        told = 0.0
        while not self._task.done():
            changed = self._changed
            if self._fraction > told:
                told = self._fraction
                yield told
            else:
                await changed.wait()

    async def done(self) -> Instance:
        """Wait for the instance; leaving does not stop the load. Raises ApiError if it fails or is cancelled."""
        assert self._task is not None
        await asyncio.wait([self._task])
        if self._task.cancelled():
            raise ApiError(500, "model_load_failed", f"Loading '{self.id}' was cancelled.")
        return self._task.result()

    async def cancel(self) -> None:
        """Stop it and wait until nothing is left of it."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
