"""The room of downloads: what it begins, how it tells the end, what it keeps for the next deck."""

import asyncio
from collections import namedtuple
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual import on
from textual.app import App
from textual.pilot import Pilot

from lmdeck import downloading as module
from lmdeck.backend.errors import BackendError, DownloadRefused, NotFound
from lmdeck.downloading import Downloading
from lmdeck.keeper import Keeper
from lmdeck.model.download import DownloadReport
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.download_dialog import DownloadDialog
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Event
from lmdeck.state.step import step
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store

RUNNING = DownloadReport("downloading", "j", 4_000_000_000, 1_000_000_000)
Usage = namedtuple("Usage", "total used free")


class Server:
    """Answers as a test says."""

    def __init__(self) -> None:
        self.answer: DownloadReport | BackendError = RUNNING
        self.now: DownloadReport | BackendError = RUNNING
        self.allowed = asyncio.Event()
        self.allowed.set()

    async def download(self, model: str, quantization: str | None = None) -> DownloadReport:
        await self.allowed.wait()
        return self._said(self.answer)

    async def download_status(self, job_id: str) -> DownloadReport:
        return self._said(self.now)

    @staticmethod
    def _said(answer: DownloadReport | BackendError) -> DownloadReport:
        if isinstance(answer, BackendError):
            raise answer
        return answer


class Host(App[None]):
    """A deck of which there is only this room."""

    def __init__(self, folder: Path | None, store: Store | None, server: Server, url: str) -> None:
        super().__init__()
        self.state, self.server, self.told, self.looks = DeckState(url=url), server, list[str](), 0
        keeper = Keeper(store, None, lambda: self.state) if store else None  # type: ignore[arg-type]
        self.desk = SimpleNamespace(
            app=self,
            backend=server,
            apply=self.apply,
            state=lambda: self.state,
            keeper=keeper,
            look_again=self.look_again,
            notices=SimpleNamespace(
                tell=lambda words, title="", **_: self.told.append(f"{title} {words}".strip()),
                problem=lambda title, problem: self.told.append(f"{title}: {problem.sentence}"),
                note=lambda problem: self.told.append(problem.title),
            ),
        )
        self.room = Downloading(self.desk, folder)  # type: ignore[arg-type]
        self.room._pace._fast = self.room._pace._slow = self.room._pace._gap = 0.0

    async def on_mount(self) -> None:
        self.run_worker(self.follow())
        if self.desk.keeper is not None:
            self.apply(await self.desk.keeper.downloads())

    async def follow(self) -> None:
        async for event in self.room.feed():
            self.apply(event)

    def apply(self, event: Event) -> None:
        before, self.state = self.state, step(self.state, event)
        if before is not self.state:
            self.room.heed(before)

    def look_again(self) -> None:
        self.looks += 1

    @on(intents.Intent)
    def carry_out(self, intent: intents.Intent) -> None:
        assert self.room.carry_out(intent)

    def begin(self, model: str = "a/b") -> None:
        self.carry_out(intents.Download(model, None))

    def statuses(self) -> list[str]:
        return [each.report.status for each in self.state.downloads]


class Driven:
    def __init__(self, host: Host, pilot: Pilot[None]) -> None:
        self.host, self.pilot, self.server = host, pilot, host.server

    async def until(self, holds: Callable[[], object]) -> None:
        for _ in range(1000):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"not within ten seconds: {self.host.told} {self.host.state.downloads}")


@asynccontextmanager
async def opened(
    folder: Path | None = None,
    store: Store | None = None,
    server: Server | None = None,
    url: str = "http://127.0.0.1:1",
) -> AsyncIterator[Driven]:
    host = Host(folder, store, server or Server(), url)
    async with host.run_test(size=(100, 30)) as pilot:
        yield Driven(host, pilot)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (DownloadReport("completed", "j"), "Downloaded a/b"),
        (DownloadReport("failed", "j", words="disk full"), "Downloading a/b: failed: disk full"),
        (NotFound("no j"), "Downloading a/b: the server does not know it any more: no j"),
    ],
)
async def test_the_end_is_told_once_and_the_list_read_again(end: DownloadReport | BackendError, told: str) -> None:
    async with opened() as deck:
        deck.host.begin()
        await deck.until(lambda: deck.host.statuses() == ["downloading"])
        assert deck.host.told == []
        deck.server.now = end
        await deck.until(lambda: deck.host.looks)
        assert deck.host.told == [told]


async def test_what_is_there_already_is_not_followed() -> None:
    async with opened() as deck:
        deck.server.answer = DownloadReport("already_downloaded")
        deck.server.now = AssertionError  # type: ignore[assignment]
        deck.host.begin()
        await deck.until(lambda: deck.host.looks == 1)
        assert deck.host.told == ["a/b is there already."]
        assert deck.host.statuses() == ["already_downloaded"]


async def test_a_refusal_goes_to_the_dialog_that_waits_else_into_a_notice() -> None:
    async with opened() as deck:
        deck.server.answer = DownloadRefused("This server cannot")
        deck.host.begin()
        await deck.until(lambda: deck.host.told == ["Downloading a/b: not downloaded: This server cannot"])
        deck.host.carry_out(intents.ShowDownloads())
        await deck.until(lambda: isinstance(deck.host.screen, DownloadDialog) and deck.host.screen.focused)
        dialog = deck.host.screen
        assert isinstance(dialog, DownloadDialog)
        await deck.pilot.press(*"c/d", "enter")
        await deck.until(lambda: "This server cannot" in str(dialog.query_one("#status").render()))
        assert len(deck.host.told) == 1
        deck.server.answer = RUNNING
        await deck.pilot.press("enter")
        await deck.until(lambda: dialog._model.value == "" and dialog._painting.lines)
        deck.server.now = DownloadReport("completed", "j")
        await deck.until(lambda: "✓" in str(dialog._painting.lines))


async def test_a_disk_that_is_too_small_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: Usage(9, 9, 2_000_000_000))
    warning = "No room for a/b 3.0 GB are still to come, 2.0 GB are free in the models folder."
    async with opened(tmp_path) as deck:
        deck.host.begin()
        await deck.until(lambda: deck.host.told)
        deck.server.now = DownloadReport("completed", "j")
        await deck.until(lambda: deck.host.looks)
        assert deck.host.told == [warning, "Downloaded a/b"]


async def test_the_disk_of_another_machine_is_not_this_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as deck:
        assert await deck.host.room._free()
    async with opened(tmp_path / "nowhere") as deck:
        assert await deck.host.room._free() is None
    async with opened(tmp_path, url="http://gpubox:1234") as deck:
        assert await deck.host.room._free() is None


async def test_the_next_deck_goes_on_until_the_end_was_seen(tmp_path: Path) -> None:
    server = Server()
    async with await Store.open(tmp_path / "history.db") as store:
        async with opened(store=store, server=server) as deck:
            deck.host.begin()
            await deck.until(lambda: deck.host.statuses() == ["downloading"])
        async with opened(store=store, server=server, url="http://127.0.0.1:2") as deck:
            assert deck.host.statuses() == []
        async with opened(store=store, server=server) as deck:
            await deck.until(lambda: [each.report for each in deck.host.state.downloads] == [RUNNING])
            server.now = DownloadReport("completed", "j")
            await deck.until(lambda: deck.host.told == ["Downloaded a/b"])
        assert await store.downloads("http://127.0.0.1:1") == ()


async def test_a_history_that_cannot_be_written_stops_nothing() -> None:
    async def fail(*_: object) -> None:
        raise StoreError("history: the disk is full")

    async with opened() as deck:
        deck.host.desk.keeper = SimpleNamespace(keep_download=fail, drop_download=fail)
        deck.host.begin()
        await deck.until(lambda: deck.host.statuses() == ["downloading"])
        deck.server.now = DownloadReport("completed", "j")
        full = "history: the disk is full"
        await deck.until(lambda: deck.host.told == [full, "Downloaded a/b", full])


async def test_trouble_in_between_is_shown_and_over_with_the_next_answer() -> None:
    async with opened() as deck:
        deck.server.now = DownloadRefused("not now")
        deck.host.begin()
        problem = Problem("not downloaded", "not now", DownloadRefused.next_step)
        await deck.until(lambda: [each.problem for each in deck.host.state.downloads] == [problem])
        deck.server.now = RUNNING
        await deck.until(lambda: [each.problem for each in deck.host.state.downloads] == [None])
