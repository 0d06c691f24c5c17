"""The SQLite file. Every call blocks, for some seconds where another lmdeck writes: one thread makes them all."""

import math
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.problem import Problem
from lmdeck.store.conversations import Conversations
from lmdeck.store.downloads import Downloads
from lmdeck.store.errors import StoreError
from lmdeck.store.exchanges import Exchanges
from lmdeck.store.rows import LOAD_COLUMNS, Cell, cell, load_record, load_row, preset, preset_row
from lmdeck.store.schema import MIGRATIONS
from lmdeck.store.sql import code, figure, told, transaction, translated
from lmdeck.store.writings import Writings

KEPT_LOADS = 2000
MAX_ROWS = 10_000
BUSY_S = 5.0

_JOURNAL_BYTES = 16 * 2**20
_INCREMENTAL = 2

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Database:
    """One open `history.db`, of the newest schema. `problem` tells that a damaged file was set aside.

    Everything raises StoreError."""

    def __init__(self, path: Path, *, busy_s: float = BUSY_S, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        self.problem: Problem | None = None
        self._busy_s, self._migrations = busy_s, migrations
        _make_private(path)
        seen = _inode(path)
        try:
            self._db = self._opened()
        except sqlite3.DatabaseError as error:
            if not _is_damaged(error):
                raise translated(error, path) from error
            self.problem = _set_aside(path, seen)
            _make_private(path)
            with told(path):
                self._db = self._opened()
        self.exchanges = Exchanges(self._db, path)
        self.conversations = Conversations(self._db, path)
        self.writings = Writings(self._db, path)
        self.downloads = Downloads(self._db, path)

    def _opened(self) -> sqlite3.Connection:
        """A checked connection, migrated; closed again if that fails."""
        db = sqlite3.connect(self.path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                error = sqlite3.DatabaseError(str(found))
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded by a new file only, and before WAL writes into it
            _use_wal(db, time.monotonic() + self._busy_s)
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")  # a text that was forgotten is overwritten
            db.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
            self._migrate(db)
            _shrinkable(db)
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        """All steps that are missing, or none. Another lmdeck that starts now waits, and then finds nothing to do."""
        if figure(db, "PRAGMA user_version") == len(self._migrations):
            return
        with transaction(db):
            if (version := figure(db, "PRAGMA user_version")) > len(self._migrations):
                raise StoreError("history: made by a newer lmdeck", str(self.path), "Update lmdeck to use it again.")
            for script in self._migrations[version:]:
                for statement in script.split(";\n"):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(self._migrations)}")

    def add_load(self, record: LoadRecord) -> None:
        """Keep a load, and no more than the last `KEPT_LOADS`."""
        row = load_row(record)
        names, marks = ", ".join(LOAD_COLUMNS), ", ".join(f":{name}" for name in LOAD_COLUMNS)
        with told(self.path), transaction(self._db):
            self._db.execute(f"INSERT INTO loads ({names}) VALUES ({marks})", row)
            self._db.execute(
                "DELETE FROM loads WHERE id <= (SELECT id FROM loads ORDER BY id DESC LIMIT 1 OFFSET ?)", (KEPT_LOADS,)
            )

    def loads(self, model_key: str | None, machine: str | None, limit: int) -> tuple[LoadRecord, ...]:
        """The newest loads, newest first; all models' or machines' where None."""
        given = (("model_key", model_key), ("machine", machine))
        wanted = {name: cell(value) for name, value in given if value is not None}
        where = "WHERE " + " AND ".join(f"{name} = :{name}" for name in wanted) if wanted else ""
        query = f"SELECT * FROM loads {where} ORDER BY at DESC, id DESC LIMIT :limit"
        found = (load_record(row) for row in self._rows(query, wanted | {"limit": max(0, min(limit, MAX_ROWS))}))
        return tuple(record for record in found if record is not None)

    def presets(self) -> dict[str, tuple[Preset, ...]]:
        """All presets by model, those of one by name."""
        kept: dict[str, tuple[Preset, ...]] = {}
        for row in self._rows(f"SELECT * FROM presets ORDER BY model_key, name LIMIT {MAX_ROWS}", {}):
            if (each := preset(row)) is not None:
                kept[each.settings.model] = (*kept.get(each.settings.model, ()), each)
        return kept

    def keep_preset(self, kept: Preset) -> None:
        """Keep a preset, in place of one of the same model and name."""
        with told(self.path):
            self._db.execute("INSERT OR REPLACE INTO presets VALUES (:model_key, :name, :settings)", preset_row(kept))

    def drop_preset(self, model_key: str, name: str) -> None:
        """Forget a preset, if there is one."""
        with told(self.path):
            self._db.execute("DELETE FROM presets WHERE model_key = ? AND name = ?", (cell(model_key), cell(name)))

    def prune(self, days: int, megabytes: int) -> Iterator[None]:
        """Forget exchanges older than `days`, and the oldest conversations and exchanges beyond `megabytes`.

        Conversations may take half of it, exchanges what is left. What is pinned stays, though the file then becomes
        larger by that."""
        yield from self.conversations.prune(megabytes / 2)
        beside = math.ceil(self.conversations.size() / 1_000_000)
        yield from self.exchanges.prune(days, max(megabytes, beside + megabytes // 2))

    def _rows(self, query: str, values: Mapping[str, Cell]) -> list[dict[str, object]]:
        with told(self.path), closing(self._db.execute(query, values)) as cursor:
            return [dict(row) for row in cursor]

    def close(self) -> None:
        """Close it; the journal of the last one that does is folded in."""
        with suppress(sqlite3.Error):
            self._db.close()


def _make_private(path: Path) -> None:
    """The folder, and an empty file, that only the user may read."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        detail = f"{path}: {error.strerror or error}"
        raise StoreError("history: it cannot be opened", detail, "Check the owner and mode of its folder.") from error


def _use_wal(db: sqlite3.Connection, deadline: float) -> None:
    """Readers and one writer at once. The switch itself does not wait for others, so it is tried again; where the
    file system cannot do it, the file works as it is."""
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _shrinkable(db: sqlite3.Connection) -> None:
    """Make a file of an earlier version able to give its pages back one by one; it is small, so this is quick. Where
    somebody else is busy with it, the next opening does it."""
    if figure(db, "PRAGMA auto_vacuum") != _INCREMENTAL:
        try:
            db.execute("VACUUM")
        except sqlite3.OperationalError as error:
            if code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL):
                raise


def _is_damaged(error: sqlite3.Error) -> bool:
    return code(error) in _DAMAGED


def _inode(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


def _set_aside(path: Path, seen: int | None) -> Problem | None:
    """Rename a damaged file and its journals, so that a new one can begin. Another lmdeck may have been faster: only
    the file that was looked at is moved."""
    if _inode(path) != seen:
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 2
    while aside.exists():
        aside, number = path.with_name(f"{path.name}.corrupt-{stamp}-{number}"), number + 1
    try:
        for journal in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + journal).rename(aside.with_name(aside.name + journal))
        path.rename(aside)
    except OSError as error:
        detail = f"{path}: {error.strerror or error}"
        raise StoreError("history: the file is damaged", detail, "Move it away and start lmdeck again.") from error
    return Problem("history: the file was damaged", f"set aside as {aside.name}; a new one was begun", str(aside))
