"""What all tables share: transactions, and SQLite's errors in words a person can act on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lmdeck.store.errors import StoreError

_WORDS = {
    sqlite3.SQLITE_FULL: ("history: the disk is full", "Free some space; nothing is kept until then."),
    sqlite3.SQLITE_BUSY: ("history: another program holds it", "It is tried again with the next entry."),
    sqlite3.SQLITE_LOCKED: ("history: another program holds it", "It is tried again with the next entry."),
    sqlite3.SQLITE_READONLY: ("history: it may not be written", "Check the owner and mode of the file and its folder."),
    sqlite3.SQLITE_CANTOPEN: ("history: it cannot be opened", "Check the owner and mode of the file and its folder."),
    sqlite3.SQLITE_PERM: ("history: it cannot be opened", "Check the owner and mode of the file and its folder."),
    sqlite3.SQLITE_CORRUPT: ("history: the file is damaged", "The next start sets it aside and begins a new one."),
    sqlite3.SQLITE_NOTADB: ("history: the file is damaged", "The next start sets it aside and begins a new one."),
}


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, with the right to write from its start."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            db.execute("ROLLBACK")
        raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's errors as StoreErrors about the file at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError for an error about the file at `path`."""
    title, next_step = _WORDS.get(code(error), ("history: it does not work", ""))
    return StoreError(title, f"{path}: {error}", next_step)


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def figure(db: sqlite3.Connection, query: str) -> int:
    """The one whole number that a query or PRAGMA answers."""
    return int(db.execute(query).fetchone()[0])
