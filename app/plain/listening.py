"""The logs of one server, heard while something else is done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from lmdeck.feeds.logs import merged
from lmdeck.plain.reader import Reader
from lmdeck.state.from_log import LogReader

_HEAD_START_S = 1.0
"""What `lms` may take to listen (seconds): it tells nobody when it does."""
_LAG_S = 2.0
"""How much later (seconds) than the server's answer the runtime's lines may come."""


@asynccontextmanager
async def listening(reader: Reader, sources: Sequence[str]) -> AsyncIterator[None]:
    """While it is open, what these logs tell steps the reader's state. Without `lms` nothing is heard."""
    if reader.sources.cli is None:
        yield
        return
    hearing = asyncio.create_task(_hear(reader, sources))
    try:
        await asyncio.wait((hearing,), timeout=_HEAD_START_S)
        yield
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def _hear(reader: Reader, sources: Sequence[str]) -> None:
    cli, logs = reader.sources.cli, LogReader()
    assert cli is not None
    async with aclosing(merged([cli.log(source) for source in sources])) as batches:
        async for batch in batches:
            for event in logs.events(batch):
                reader.apply(event)


async def wait_for_allocation(reader: Reader, instance_id: str) -> None:
    """Until the runtime's log has told what it allocated for this instance, or can be expected to tell no more."""
    if reader.sources.cli is None:
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAG_S):
            while instance_id not in reader.state.allocations:
                reader.changed.clear()
                await reader.changed.wait()
