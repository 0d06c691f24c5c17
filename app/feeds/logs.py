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
WORK_S = 0.003
"""What a reader may do at a stretch before the event loop has a rest."""
REST_S = 0.002
"""How long that is."""
GIVE_WAY_S = 0.02
"""How much longer after a key: until its frame is out, the loop turns several times."""
_QUEUED = 4
_LARGE = 5_000
_PORTION = 16


async def merged(streams: Sequence[AsyncGenerator[Batch]]) -> AsyncGenerator[Batch]:
    """Batches of all streams, each ordered by time; ends when all of them have, or with the first one's error.

    While the reader of these batches is busy, the streams are not read. Closing the iterator closes them.
    """
    queue: Arrivals = asyncio.Queue(_QUEUED)
    pumps = [asyncio.create_task(_pump(stream, queue)) for stream in streams]
    left = len(pumps)
    try:
        while left:
            got = await _gathered(queue, left)
            left -= got.count(None)
            gathered = [entry for batch in got for entry in batch or ()]
            for pump in pumps:
                if pump.done():
                    pump.result()
            if gathered:
                yield tuple(sorted(gathered, key=attrgetter("at")))
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def in_portions(batches: AsyncGenerator[Batch], key_pressed: asyncio.Event) -> AsyncGenerator[Batch]:
    """The same entries, a few at a time: whatever comes, the event loop belongs to others after WORK_S of their reader's
    work, and for longer after a key (the event is cleared here). Closing the iterator closes `batches`."""
    clock = asyncio.get_running_loop().time
    rested = clock()
    async with aclosing(batches):
        async for batch in batches:
            for at in range(0, len(batch), _PORTION):
                yield batch[at : at + _PORTION]
                if clock() - rested >= WORK_S:
                    await asyncio.sleep(REST_S)
                    if key_pressed.is_set():
                        key_pressed.clear()
                        await asyncio.sleep(GIVE_WAY_S)
                    rested = clock()


async def _gathered(queue: Arrivals, streams: int) -> list[Batch | None]:
    """The next batch, and where there are more streams what comes within GATHER_S of it; None for each that ends. What
    has waited for longer than that is not made to wait for more."""
    arrived, first = await queue.get()
    got = [first]
    size, left = len(first or ()), 0 if streams == 1 else streams - got.count(None)
    with suppress(TimeoutError):
        async with asyncio.timeout_at(arrived + GATHER_S):
            while left and size < _LARGE:
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
