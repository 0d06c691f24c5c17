"""One `lms log stream`, for ever: batches of entries, restarts with back-off, and a word about each."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

from lmdeck.backend.children import Child
from lmdeck.backend.errors import CommandFailed
from lmdeck.backend.logstream import LogDecoder
from lmdeck.model.log import DeckNote, LogEntry

Batch = tuple[LogEntry, ...]
Start = Callable[[], AbstractAsyncContextManager[Child]]

BATCH_S = 0.05
FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 30.0
HEALTHY_S = 10.0

_PIECE = 256 * 2**10
_FULL_PIPE = 32 * 2**10
"""A read of this much means that the writer waits for us: read on instead of letting lines gather."""
_WORK_S = 0.008
_REST_S = 0.001
_SHORT_S = 0.005
"""The pause after a pipe was found filled: at 64 KiB for each BATCH_S a steady writer would be held up, and its lines
come ever later."""
_BANNER = "Streaming logs from LM Studio"


async def follow(
    start: Start, source: str, closed: Callable[[], bool], allowed: asyncio.Event | None = None
) -> AsyncGenerator[Batch]:
    """The entries of `source` from the process that `start` opens, opened again whenever it ends until `closed`; not
    before `allowed` is set.

    What happens to it is told by DeckNotes: why it ended and when it is tried again (said once for as long as the
    reason stays the same), and that it is back.
    """
    pause, told, is_down = FIRST_PAUSE_S, "", False
    while not closed():
        if allowed is not None:
            await allowed.wait()
        began = time.monotonic()
        try:
            async with start() as child:
                async with aclosing(batches(child.stdout, LogDecoder(source))) as incoming:
                    async for batch in incoming:
                        if is_down:
                            is_down, told = False, ""
                            yield (_note(f"log stream ({source}) is back", "info"),)
                        yield batch
                ending = _ending(await child.exit_code(), child.stderr_lines())
        except CommandFailed as error:
            ending = error.detail
        if closed():
            return
        if time.monotonic() - began >= HEALTHY_S:
            pause = FIRST_PAUSE_S
        words = f"log stream ({source}) ended: {ending}; again in {pause:g} s"
        if ending != told:
            yield (_note(words, "warn"),)
        told, is_down = ending, True
        await asyncio.sleep(pause)
        pause = min(pause * 2, LAST_PAUSE_S)


async def batches(stdout: asyncio.StreamReader, decoder: LogDecoder) -> AsyncGenerator[Batch]:
    """What `stdout` holds, at most every BATCH_S: the first entry at once, then whatever has gathered.

    While the reader of these batches is busy, the pipe is not read and the writer waits. A writer that fills the
    pipe is read in small portions, each of which is a batch, with a rest between them, so that the event loop stays
    free for keys.
    """
    clock = asyncio.get_running_loop().time
    pending: list[LogEntry] = []
    rested = due = clock()
    since_pause = 0
    while True:
        try:
            async with asyncio.timeout_at(due if pending else None):
                piece = await stdout.read(_PIECE)
        except TimeoutError:
            yield tuple(pending)
            pending = []
            continue
        if not piece:
            break
        pending += decoder.feed(piece)
        since_pause += len(piece)
        if pending and (clock() >= due or len(piece) >= _FULL_PIPE):
            yield tuple(pending)
            pending = []
            due = clock() + BATCH_S
        if len(piece) < _FULL_PIPE:
            await asyncio.sleep(BATCH_S if since_pause < _FULL_PIPE else _SHORT_S)
            rested, since_pause = clock(), 0
        elif clock() - rested >= _WORK_S:
            await asyncio.sleep(_REST_S)
            rested = clock()
    if pending := [*pending, *decoder.close()]:
        yield tuple(pending)


def _ending(code: int | None, said: list[str]) -> str:
    last = next((line for line in reversed(said) if not line.startswith(_BANNER)), "")
    return last or ("it closed its output" if code is None else f"exit code {code}, without a word")


def _note(words: str, level: str) -> DeckNote:
    return DeckNote(time.time(), words, level)
