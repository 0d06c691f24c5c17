"""Looks for LM Studio at addresses that somebody named: first whether anything listens there, then who. No token is
sent to anybody."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from lmdeck.backend.errors import BackendError
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.diagnosis.addresses import Address

AT_ONCE: Final = 128
"""Addresses that are asked at the same time."""
CONNECT_S: Final = 1.0

Who = Literal["lmstudio", "other", "nobody", "no such name"]


@dataclass(frozen=True, slots=True)
class Found:
    """Who answers at an address: LM Studio after `round_trip_s` seconds, some `other` program, or nobody."""

    address: Address
    who: Who
    round_trip_s: float | None = None


async def discover(wanted: Iterable[Address]) -> tuple[Found, ...]:
    """What is at each address, in their order; never more than AT_ONCE are asked at the same time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(address: Address) -> Found:
        async with room:
            return await _ask(address)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(address)) for address in wanted]
    return tuple(task.result() for task in tasks)


async def _ask(address: Address) -> Found:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (socket.gaierror, UnicodeError):
        return Found(address, "no such name")
    except (OSError, TimeoutError):
        return Found(address, "nobody")
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    server = LMStudio(address.url)
    try:
        return Found(address, "lmstudio", await server.greet())
    except BackendError:
        return Found(address, "other")
    finally:
        await server.close()
