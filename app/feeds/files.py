"""Where the models are on the server's disk: `lms ls`, a process each time, so it is asked only when models came."""

import asyncio
from collections.abc import AsyncGenerator

from lmdeck.backend.errors import BackendError
from lmdeck.backend.protocol import CommandLine
from lmdeck.state.events import Event, FilesSeen


async def file_feed(cli: CommandLine, wanted: asyncio.Event) -> AsyncGenerator[Event]:
    """A `FilesSeen` each time `wanted` is set; silent when `lms` cannot say. Ends only when closed."""
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            files = await cli.ls()
        except BackendError:
            continue
        yield FilesSeen(files)
