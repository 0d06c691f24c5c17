"""`lms ps`: who is busy, how many wait, when idle instances go. Each reading costs a process, so few are made."""

import asyncio
import time
from collections.abc import AsyncGenerator

from lmdeck.backend.errors import BackendError
from lmdeck.backend.protocol import CommandLine
from lmdeck.feeds.pace import Pace
from lmdeck.state.events import ActivitySeen, Event, RuntimeSeen, SourceLost


async def activity_feed(cli: CommandLine, pace: Pace, online: asyncio.Event) -> AsyncGenerator[Event]:
    """An `ActivitySeen` or a `SourceLost` each time the pace allows, while the server is `online`: `lms` would wake
    up an LM Studio that somebody has just quit. Ends only when closed."""
    while True:
        await online.wait()
        try:
            activities = await cli.ps()
        except BackendError as error:
            yield SourceLost("activity", error.problem, time.monotonic())
            await pace.rest(changed=False)
        else:
            yield ActivitySeen(activities, time.monotonic(), time.time())
            await pace.rest(changed=any(found.queued for found in activities))


async def runtime_feed(cli: CommandLine) -> AsyncGenerator[Event]:
    """The selected runtime, asked once; the runtime log tells of later changes. Silent when `lms` cannot say."""
    try:
        runtime = await cli.runtime()
    except BackendError:
        return
    if runtime:
        yield RuntimeSeen(runtime)
