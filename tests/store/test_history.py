"""The history on the disk: what is kept comes back, two programs at once, and files that are not as they should be."""

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.load import LoadRequest
from lmdeck.store import database as module
from lmdeck.store.database import Database
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store
from lmdeck.store.rows import settings_of, settings_text
from lmdeck.store.schema import MIGRATIONS

FULL = LoadRequest(
    "lab/m", context_length=8192, eval_batch_size=256, flash_attention=False, num_experts=4,
    offload_kv_cache_to_gpu=True, parallel=2, gpu=0.5, ttl_s=60, identifier="mine",
)  # fmt: skip
RECORD = LoadRecord(
    at=1_789_795_491.5, server="http://127.0.0.1:1234", machine="RTX 4090 24564", model_key="lab/m", instance_id="m:2",
    settings=FULL, load_time_s=3.25, predicted_gpu=19 * 2**30, predicted_ram=2**28, confidence="from the file",
    lmstudio_gpu=22 * 2**30, lmstudio_total=23 * 2**30, measured_gpu=20 * 2**30, measured_ram=-4096,
    allocated_context=8192, cause="cudaMalloc failed: out of memory ☃",
)  # fmt: skip
BARE = LoadRecord(0.0, "", "", "k", "", LoadRequest("k"))
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only file modes to check")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "lmdeck" / "history.db"


async def test_loads_come_back_as_they_were(path):
    async with await Store.open(path) as store:
        await store.add_load(RECORD)
        await store.add_load(BARE)
        assert await store.loads() == (RECORD, BARE)
        assert store.problem is None
    async with await Store.open(path) as store:
        assert await store.loads() == (RECORD, BARE)


async def test_loads_by_model_and_machine_newest_first(path):
    records = [
        replace(RECORD, at=float(n), model_key=key, machine=machine, settings=LoadRequest(key))
        for n, (key, machine) in enumerate((("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")))
    ]
    async with await Store.open(path) as store:
        for record in reversed(records):
            await store.add_load(record)
        assert [each.at for each in await store.loads()] == [3, 2, 1, 0]
        assert [each.at for each in await store.loads("a")] == [3, 2, 0]
        assert [each.at for each in await store.loads("a", "x")] == [3, 0]
        assert [each.at for each in await store.loads(machine="x", limit=2)] == [3, 1]
        assert await store.loads("a\udcff", limit=-1) == ()


async def test_only_the_last_loads_are_kept(path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_LOADS", 3)
    async with await Store.open(path) as store:
        for n in range(7):
            await store.add_load(replace(RECORD, at=float(n)))
        assert [each.at for each in await store.loads()] == [6, 5, 4]


async def test_presets(path):
    other = Preset("long", LoadRequest("b", context_length=99))
    async with await Store.open(path) as store:
        assert await store.presets() == {}
        for preset in (Preset("zoo", FULL), Preset("", FULL), other):
            await store.keep_preset(preset)
        await store.keep_preset(Preset("", replace(FULL, gpu=None)))
        assert await store.presets() == {
            "lab/m": (Preset("", replace(FULL, gpu=None)), Preset("zoo", FULL)),
            "b": (other,),
        }
        await store.drop_preset("lab/m", "zoo")
        await store.drop_preset("lab/m", "no such")
        assert await store.presets() == {"lab/m": (Preset("", replace(FULL, gpu=None)),), "b": (other,)}


def test_every_setting_is_kept() -> None:
    assert None not in {getattr(FULL, field.name) for field in fields(FULL)}
    assert settings_of(settings_text(FULL), "lab/m") == FULL
    assert settings_text(LoadRequest("m")) == "{}"


@pytest.mark.parametrize(
    "raw",
    [
        None, 7, b"{}", "", "{", "[]", "null", "NaN", '{"new": 1}', '{"context_length": "8192", "gpu": [1]}',
        '{"context_length": -1, "gpu": NaN, "flash_attention": 1, "ttl_s": true}', "[" * 100_000,
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_absent(raw):
    assert settings_of(raw, "m") == LoadRequest("m")


def test_settings_in_part():
    assert settings_of('{"parallel": 2.0, "context_length": "x", "future": {}}', "m") == LoadRequest("m", parallel=2)


async def test_one_bad_row_does_not_lose_the_others(path):
    async with await Store.open(path) as store:
        await store.add_load(RECORD)
        with sqlite3.connect(path) as db:
            db.execute("UPDATE loads SET measured_gpu = 'much', settings = 'x', cause = CAST(x'ff41' AS TEXT)")
            db.execute("INSERT INTO loads SELECT 99, 'then', '', '', 'k', '', '', 1,1,1,'',1,1,1,1,1,''")
            db.execute("INSERT INTO presets VALUES ('k', '', 'no JSON'), ('', 'x', '{}')")
        db.close()
        (kept,) = await store.loads()
        assert (kept.measured_gpu, kept.settings, kept.cause) == (None, LoadRequest("lab/m"), "�A")
        assert await store.presets() == {"k": (Preset("", LoadRequest("k")),)}


async def test_values_that_sqlite_cannot_hold(path):
    wild = replace(RECORD, predicted_gpu=2**70, cause="x\udcff" * 9000, at=1.0)
    async with await Store.open(path) as store:
        await store.add_load(wild)
        await store.keep_preset(Preset("\udcff", LoadRequest("m", identifier="\udcff", gpu=float("inf"))))
        (kept,) = await store.loads()
        assert kept.predicted_gpu == 2**63 - 1
        assert len(kept.cause) == 8192
        ((preset,),) = (await store.presets()).values()
        assert (preset.name, preset.settings.gpu) == ("?", None)
        await store.drop_preset("m", "\udcff")
        assert await store.presets() == {}


@posix
async def test_only_the_user_may_read_it(path):
    old = os.umask(0)
    try:
        async with await Store.open(path) as store:
            await store.add_load(RECORD)
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    await (await Store.open(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_it_is_one_file_once_closed(path):
    async with await Store.open(path) as store:
        await store.add_load(RECORD)
    assert [each.name for each in path.parent.iterdir()] == ["history.db"]


WRITER = """
import asyncio, sys
from pathlib import Path
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.store.history import Store

async def main(path, name):
    async with await Store.open(path) as store:
        for n in range(40):
            await store.add_load(LoadRecord(float(n), "", "", name, "", LoadRequest(name)))
        assert store.problem is None

asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
"""


async def test_several_programs_at_once(path):
    """All of them make the file, and no write is lost."""
    names = ("a", "b", "c")
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), name, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        for name in names
    ]
    ends = await asyncio.wait_for(asyncio.gather(*(each.communicate() for each in writers)), 30)
    assert [end[1].decode() for end in ends] == ["", "", ""]
    async with await Store.open(path) as store:
        for name in names:
            assert len(await store.loads(name, limit=100)) == 40


async def test_many_calls_of_one_program(path):
    async with await Store.open(path) as store:
        await asyncio.gather(*(store.add_load(replace(RECORD, at=float(n))) for n in range(50)))
        assert len(await store.loads(limit=100)) == 50


async def test_a_lock_that_stays_is_a_problem_and_the_loop_goes_on(path):
    async with await Store.open(path, busy_s=0.3) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(store.add_load(RECORD))
        ticks = 0
        while not writing.done():
            await asyncio.sleep(0.01)
            ticks += 1
        with pytest.raises(StoreError, match="another program holds it"):
            await writing
        assert ticks > 5
        assert await store.loads() == ()  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        await store.add_load(RECORD)
        assert await store.loads() == (RECORD,)


@pytest.mark.parametrize("damage", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_damaged_file_is_set_aside(path, damage):
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    async with await Store.open(path) as store:
        assert store.problem is not None
        assert store.problem.title == "history: the file was damaged"
        await store.add_load(RECORD)
        assert await store.loads() == (RECORD,)
    (aside,) = (each for each in path.parent.iterdir() if each != path)
    assert aside.name.startswith("history.db.corrupt-")
    assert aside.name in store.problem.detail
    assert aside.read_bytes() == damage
    async with await Store.open(path) as store:
        assert store.problem is None


async def test_damage_within_and_a_name_that_is_taken(path, monkeypatch):
    monkeypatch.setattr(module.time, "strftime", lambda form: "then")
    for expected in ("history.db.corrupt-then", "history.db.corrupt-then-2"):
        async with await Store.open(path) as store:
            for n in range(200):
                await store.add_load(replace(RECORD, at=float(n)))
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xaa" * 16_384)
        async with await Store.open(path) as store:
            assert store.problem is not None
            assert (path.parent / expected).is_file()
            assert await store.loads() == ()


async def test_a_newer_schema_is_left_alone(path):
    await (await Store.open(path)).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="made by a newer lmdeck"):
        await Store.open(path)
    assert [each.name for each in path.parent.iterdir()] == ["history.db"]


def test_migrations_go_on_from_what_is_there(path):
    Database(path).close()
    first = Database(path)
    first.add_load(RECORD)
    first.close()
    later = (*MIGRATIONS, "ALTER TABLE loads ADD COLUMN more TEXT;\nCREATE TABLE extra (x TEXT);\n")
    second = Database(path, migrations=later)
    assert second.loads(None, None, 9) == (RECORD,)
    second.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(later),)
        assert db.execute("SELECT more FROM loads").fetchall() == [(None,)]
    db.close()


def test_a_migration_that_fails_changes_nothing(path):
    Database(path).close()
    broken = (*MIGRATIONS, "CREATE TABLE extra (x TEXT);\nCREATE TABLE loads (x TEXT);\n")
    with pytest.raises(StoreError, match="already exists"):
        Database(path, migrations=broken)
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    db.close()
    Database(path).close()


async def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as caught:
        await Store.open(tmp_path / "file" / "history.db")
    assert caught.value.problem.title == "history: it cannot be opened"
    assert caught.value.problem.next_step


async def test_a_file_that_cannot_be_made_where_it_belongs(tmp_path):
    (tmp_path / "history.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        await Store.open(tmp_path / "history.db")
    assert (tmp_path / "history.db").is_dir()  # what is there stays there


@pytest.mark.parametrize(
    ("limit", "title"),
    [("max_page_count = 1", "history: the disk is full"), ("query_only = on", "history: it may not be written")],
)
def test_sqlites_refusals_in_words(path, limit, title):
    database = Database(path)
    database._db.execute(f"PRAGMA {limit}")
    with pytest.raises(StoreError) as caught:
        _fill(database)
    database._db.execute("PRAGMA query_only = off")
    database._db.execute("PRAGMA max_page_count = 100000")
    assert caught.value.problem.title == title
    assert caught.value.problem.next_step
    kept = len(database.loads(None, None, 1000))
    database.add_load(RECORD)  # nothing half done is left behind
    assert len(database.loads(None, None, 1000)) == kept + 1
    database.close()


def _fill(database: Database) -> None:
    for n in range(100):
        database.add_load(replace(RECORD, at=float(n)))


async def test_after_the_end(path):
    store = await Store.open(path)
    pending = asyncio.create_task(store.add_load(RECORD))
    await asyncio.sleep(0)
    await store.close()
    await pending  # what was asked before is still done
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.loads()
    with sqlite3.connect(path) as db:
        assert json.loads(db.execute("SELECT settings FROM loads").fetchone()[0])["gpu"] == 0.5
    db.close()


async def test_an_opening_that_nobody_waits_for_is_undone(path):
    opening = asyncio.create_task(Store.open(path))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with await Store.open(path) as store:
        assert store.problem is None


def test_sqlite_is_loaded_only_when_a_store_is_opened():
    code = "import sys, lmdeck.store.history; assert 'sqlite3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
