"""Models on their way to the server's disk: begins downloads, follows them, tells how they end."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from lmdeck.backend.errors import BackendError
from lmdeck.desk import Desk
from lmdeck.feeds.downloads import download_feed
from lmdeck.feeds.pace import Pace
from lmdeck.model.download import Download
from lmdeck.model.problem import Problem
from lmdeck.model.text import one_line
from lmdeck.model.units import gigabytes
from lmdeck.screens import intents
from lmdeck.state.deck import DeckState
from lmdeck.state.events import DownloadsSeen
from lmdeck.state.hardware import is_local
from lmdeck.store.errors import StoreError

if TYPE_CHECKING:
    from lmdeck.screens.download_dialog import DownloadDialog

_WARNING_S = 12
_NO_ROOM_KNOWN = "How much space the server's disk has is not known here."


class Downloading:
    """`folder` is where a server on this machine keeps its models. What runs is kept in the history until its end was
    seen, so that the next deck goes on with it."""

    def __init__(self, desk: Desk, folder: Path | None) -> None:
        self._desk, self._app, self._folder = desk, desk.app, folder
        self._wanted, self._pace = asyncio.Event(), Pace(fast=1.0, slow=4.0)
        self._weighed = set[str]()

    async def feed(self) -> AsyncGenerator[DownloadsSeen]:
        """How far the downloads are, while one runs. Ends only when closed."""
        news = download_feed(self._desk.backend, self._running, self._wanted, self._pace)
        async with aclosing(news) as events:
            async for event in events:
                yield event
                for each in event.downloads:
                    await (self._end(each) if each.report.ended else self._weigh(each))

    def heed(self, before: DeckState) -> None:
        """The state is another one: an open dialog shows it, what runs is followed."""
        if (downloads := self._desk.state().downloads) is before.downloads:
            return
        self._wanted.set()
        for dialog in self._dialogs():
            dialog.show(downloads)

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case intents.ShowDownloads():
                self._app.run_worker(self._open(), group="downloads")
            case intents.Download(model=model, quantization=quantization):
                self._app.run_worker(self._begin(model, quantization), group="download")
            case _:
                return False
        return True

    def _running(self) -> tuple[Download, ...]:
        return tuple(each for each in self._desk.state().downloads if not each.report.ended)

    def _dialogs(self, asking: str | None = None) -> "list[DownloadDialog]":
        """Those that are open; only those that wait for this model, if one is named."""
        from lmdeck.screens.download_dialog import DownloadDialog  # nobody needs it before the first `d`

        found = [screen for screen in self._app.screen_stack if isinstance(screen, DownloadDialog)]
        return found if asking is None else [dialog for dialog in found if dialog.asked == asking]

    async def _open(self) -> None:
        from lmdeck.screens.download_dialog import DownloadDialog

        free = await self._free()
        room = _NO_ROOM_KNOWN if free is None else f"{gigabytes(free)} GB are free in the models folder."
        self._app.push_screen(DownloadDialog(self._desk.state().downloads, room))

    async def _begin(self, model: str, quantization: str | None) -> None:
        try:
            report = await self._desk.backend.download(model, quantization)
        except BackendError as error:
            waiting = self._dialogs(model)
            for dialog in waiting:
                dialog.refused(error.problem)
            if not waiting:
                self._desk.notices.problem(f"Downloading {one_line(model)}", error.problem)
            return
        download = Download(model, quantization, time.time(), report)
        if not report.ended:
            await self._keep(download)  # first: once it is in the state it may end at any moment
        self._pace.wake()
        self._desk.apply(DownloadsSeen((download,)))
        for dialog in self._dialogs(model):
            dialog.begun()
        if report.ended:
            await self._end(download)

    async def _weigh(self, download: Download) -> None:
        """Once its size is known: whether the disk has room for the rest."""
        report = download.report
        if download.key in self._weighed or report.total_bytes is None:
            return
        self._weighed.add(download.key)
        rest, free = report.total_bytes - (report.done_bytes or 0), await self._free()
        if free is not None and rest > free:
            words = f"{gigabytes(rest)} GB are still to come, {gigabytes(free)} GB are free in the models folder."
            title = f"No room for {one_line(download.name)}"
            self._desk.notices.tell(words, title=title, severity="warning", timeout=_WARNING_S)

    async def _end(self, download: Download) -> None:
        report, name = download.report, one_line(download.name)
        notices = self._desk.notices
        match report.status:
            case "failed":
                words = Problem("failed", report.words, "d in Available asks for it again.")
                notices.problem(f"Downloading {name}", words)
            case "gone":
                words = Problem("the server does not know it any more", report.words, "It may have come to its end.")
                notices.problem(f"Downloading {name}", words)
            case "already_downloaded":
                notices.tell(f"{name} is there already.")
            case _:
                notices.tell(f"Downloaded {name}")
        self._desk.look_again()
        await self._keep(download)

    async def _keep(self, download: Download) -> None:
        """In the history while it runs; without one the next deck knows nothing of it."""
        keeper, job_id = self._desk.keeper, download.report.job_id
        if keeper is None or not job_id:
            return
        try:
            if download.report.ended:
                await keeper.drop_download(job_id)
            else:
                await keeper.keep_download(download)
        except StoreError as error:
            self._desk.notices.note(error.problem)

    async def _free(self) -> int | None:
        """Bytes that are free where the models are; None for another machine's disk, or a folder that is not there."""
        if self._folder is None or not is_local(self._desk.state().url):
            return None
        try:
            return (await asyncio.to_thread(shutil.disk_usage, self._folder)).free
        except OSError:
            return None
