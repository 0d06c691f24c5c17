"""What really stands in a history's file."""

import sqlite3
from contextlib import closing
from pathlib import Path


def raw(path: Path, sql: str) -> list[tuple[object, ...]]:
    """The rows of a statement, by a connection of its own; what it changes is written."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(sql).fetchall()
