"""The three log streams as one."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from operator import attrgetter

from lmdeck.model.log import LogEntry

Batch = tuple[LogEntry, ...]
Arrivals = asyncio.Queue[tuple[float, Batch | None]]

GATHER_S = 0.1
"""What comes within this time is put into order; streams of several processes are that far apart at most."""
WORK_S, REST_S = 0.003, 0.001
"""What is worked at a stretch, and how long the rest after it is."""
GIVE_WAY_S = 0.025
"""How much longer it is after a key: until its frame is out, the event loop turns a dozen times."""
_QUEUED = 3
_MANY, _LARGE = 100, 5_000
_PORTION = 32


class Rests:
    """Keeps the event loop free for others while the log is worked on."""

    def __init__(self) -> None:
        self._key_pressed = False
        self._rested_at = float("-inf")

    def heed_key(self) -> None:
        """Somebody has pressed a key."""
        self._key_pressed = True

    def begin(self) -> None:
        """Work begins after others had their time."""
        self._rested_at = asyncio.get_running_loop().time()

    async def take(self) -> None:
        """Rest, if it is time."""
        if asyncio.get_running_loop().time() - self._rested_at < WORK_S:
            return
        await asyncio.sleep(REST_S)
        if self._key_pressed:
            await asyncio.sleep(GIVE_WAY_S)
            self._key_pressed = False
        self.begin()


async def merged(streams: Sequence[AsyncGenerator[Batch]], rests: Rests | None = None) -> AsyncGenerator[Batch]:
    """Batches of all streams, each ordered by time; ends when all of them have, or with the first one's error.

    While the reader of these batches is busy, the streams are not read. `rests` are taken while much is gathered.
    Closing the iterator closes the streams.
    """
    queue: Arrivals = asyncio.Queue(_QUEUED)
    pumps = [asyncio.create_task(_pump(stream, queue)) for stream in streams]
    left = len(pumps)
    try:
        while left:
            got = await _gathered(queue, left, rests)
            left -= got.count(None)
            gathered = sorted((entry for batch in got for entry in batch or ()), key=attrgetter("at"))
            for pump in pumps:
                if pump.done():
                    pump.result()
            if gathered:
                yield tuple(gathered)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def in_portions(batch: Batch, rests: Rests) -> AsyncGenerator[Batch]:
    """The batch, a few entries at a time, with rests in between."""
    rests.begin()
    for at in range(0, len(batch), _PORTION):
        yield batch[at : at + _PORTION]
        await rests.take()


async def _gathered(queue: Arrivals, streams: int, rests: Rests | None) -> list[Batch | None]:
    """The next batch, and where there are more streams what comes within GATHER_S of it; None for each that ends. What
    has waited for longer than that is not made to wait for more."""
    arrived, first = await queue.get()
    got = [first]
    size, left = len(first or ()), 0 if streams == 1 else streams - got.count(None)
    with suppress(TimeoutError):
        async with asyncio.timeout_at(arrived + GATHER_S):
            while left and size < _LARGE:
                if rests and size >= _MANY and queue.empty():
                    await rests.take()
                _, batch = await queue.get()
                got.append(batch)
                size, left = size + len(batch or ()), left - (batch is None)
    return got


async def _pump(stream: AsyncGenerator[Batch], queue: Arrivals) -> None:
    clock = asyncio.get_running_loop().time
    try:
        async with aclosing(stream) as batches:
            async for batch in batches:
                await queue.put((clock(), batch))
    finally:
        # Cancelled, nobody reads any more; else there is room, or will be.
        if (task := asyncio.current_task()) and not task.cancelling():
            await queue.put((clock(), None))
