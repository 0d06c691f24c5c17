"""How far downloads are, asked only while one runs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from lmdeck.backend.errors import BackendError, NotFound
from lmdeck.backend.protocol import Backend
from lmdeck.feeds.pace import Pace
from lmdeck.model.download import GONE, Download
from lmdeck.state.events import DownloadsSeen


async def download_feed(
    backend: Backend, running: Callable[[], Sequence[Download]], wanted: asyncio.Event, pace: Pace
) -> AsyncGenerator[DownloadsSeen]:
    """A `DownloadsSeen` for all that are `running`, each time the pace allows. While none is, nothing is asked until
    `wanted` is set. Ends only when closed."""
    while True:
        await wanted.wait()
        wanted.clear()
        while known := tuple(running()):
            seen = tuple([await _looked_at(backend, each) for each in known])
            yield DownloadsSeen(seen)
            if running():
                await pace.rest(seen != known)


async def _looked_at(backend: Backend, download: Download) -> Download:
    try:
        return replace(download, report=await backend.download_status(download.report.job_id), problem=None)
    except NotFound as error:
        return replace(download, report=replace(download.report, status=GONE, words=error.detail), problem=None)
    except BackendError as error:
        return replace(download, problem=error.problem)
