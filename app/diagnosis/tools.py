"""Whether LM Studio's `lms` is there, reaches the server and tells its log."""

import asyncio
import contextlib
from contextlib import aclosing
from typing import Final

from lmdeck.backend.errors import BackendError
from lmdeck.backend.lms import Lms
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.model.finding import Finding
from lmdeck.model.log import DeckNote

STREAM_S: Final = 10.0
"""How long the log stream may take for its first line: `lms` alone takes a second to start."""
_POKE_S = 1.0
_NOWHERE = "/lmdeck-doctor"
"""A path that no server has: LM Studio logs a request for one in any case, with or without verbose logging."""
_BY_HAND = "Run `{}` by hand to see more; updating LM Studio updates `lms`, too."


async def lms_finding(path: str) -> Finding:
    """Which `lms` there is, and of which version."""
    lms = Lms(path)
    try:
        version = await lms.version()
    except BackendError as error:
        return Finding("lms", "fail", f"{path}: {error.detail}", _BY_HAND.format("lms version"))
    finally:
        await lms.close()
    return Finding("lms", "ok", f"{path}, version {version or 'not told'}")


async def reach_finding(lms: Lms) -> Finding:
    """Whether `lms` reaches this server: `lms ps`."""
    try:
        instances = await lms.ps()
    except BackendError as error:
        return Finding("lms ps", "fail", error.detail, _BY_HAND.format("lms ps"))
    return Finding("lms ps", "ok", f"it reaches the server; {len(instances)} loaded")


async def stream_finding(lms: Lms, backend: LMStudio, within_s: float = STREAM_S) -> Finding:
    """Whether the server's log comes: a stream is opened, and a path is asked for that it must tell of."""
    poking = asyncio.create_task(_poke(backend), name="requests for the log")
    try:
        async with asyncio.timeout(within_s), aclosing(lms.log("server")) as batches:
            async for batch in batches:
                ending = next((entry.text for entry in batch if isinstance(entry, DeckNote)), None)
                if ending is not None:
                    words = ending.rpartition("; again in ")[0] or ending
                    return Finding("log stream", "fail", words, _BY_HAND.format("lms log stream -s server"))
                return Finding("log stream", "ok", "the server's log comes")
    except TimeoutError:
        pass
    finally:
        poking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await poking
    words = f"it runs, but did not tell of a request within {within_s:g} s"
    return Finding("log stream", "unknown", words, _BY_HAND.format("lms log stream -s server"))


async def _poke(backend: LMStudio) -> None:
    while True:
        with contextlib.suppress(BackendError):
            await backend.offers(_NOWHERE)
        await asyncio.sleep(_POKE_S)
