"""Downloads that run, kept from one session to the next."""

import sqlite3
from pathlib import Path

import pytest

from lmdeck.model.download import Download, DownloadReport
from lmdeck.store import downloads as module
from lmdeck.store.history import Store
from lmdeck.store.schema import MIGRATIONS

HERE, THERE = "http://127.0.0.1:1234", "http://gpubox:1234"


def job(name: str, begun: float = 1.0, quantization: str | None = None) -> Download:
    return Download(f"m/{name}", quantization, begun, DownloadReport("downloading", name, 10, 5))


async def test_a_job_is_its_servers_until_it_is_dropped(path: Path) -> None:
    async with await Store.open(path) as store:
        await store.keep_download(HERE, job("b", 2.0, "Q4_K_M"))
        await store.keep_download(HERE, job("a"))
        await store.keep_download(HERE, job("a"))
        await store.keep_download(THERE, job("a", 3.0))
    async with await Store.open(path) as store:
        found = await store.downloads(HERE)
        assert [(each.model, each.quantization, each.begun, each.report.job_id) for each in found] == [
            ("m/a", None, 1.0, "a"),
            ("m/b", "Q4_K_M", 2.0, "b"),
        ]
        assert not any(each.report.ended for each in found)
        await store.drop_download(HERE, "a")
        await store.drop_download(HERE, "nobody")
        assert [each.report.job_id for each in await store.downloads(HERE)] == ["b"]
        assert [each.report.job_id for each in await store.downloads(THERE)] == ["a"]


async def test_only_the_last_ones_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_DOWNLOADS", 2)
    async with await Store.open(path) as store:
        for begun, name in enumerate("abc"):
            await store.keep_download(HERE, job(name, float(begun)))
        assert [each.report.job_id for each in await store.downloads(HERE)] == ["b", "c"]


async def test_a_history_from_before_downloads_gets_its_table(path: Path) -> None:
    db = sqlite3.connect(path)
    for script in MIGRATIONS[:3]:
        db.executescript(script)
    db.execute("INSERT INTO drafts VALUES ('k', 1, 'kept')")
    db.execute("PRAGMA user_version = 3")
    db.commit()
    db.close()
    async with await Store.open(path) as store:
        assert await store.downloads(HERE) == ()
        assert await store.drafts() == {"k": "kept"}
