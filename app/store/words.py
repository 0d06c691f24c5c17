"""The index of words of the exchanges (FTS5). A SQLite without FTS5 searches letter by letter instead."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from lmdeck.store.sql import figure, transaction

_TABLES = {"exchanges": ("instance_id", "path", "stop_reason", "error"), "exchange_texts": ("prompt", "answer")}
_MERGED_PAGES = 200
_MAX_TERMS = 16


class WordIndex:
    """Words of the tables above, by their `id`. An index is brought up to date from its table, so that rows which
    another lmdeck wrote without FTS5 are found, too. Everything raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.usable = has_fts5(db)
        """Whether this SQLite has FTS5."""
        if self.usable:
            with transaction(db):
                for table, columns in _TABLES.items():
                    db.execute(
                        f"CREATE VIRTUAL TABLE IF NOT EXISTS {table}_words USING fts5({', '.join(columns)}, "
                        f"content='{table}', content_rowid='id', tokenize='unicode61 remove_diacritics 2')"
                    )
                self.catch_up()

    def catch_up(self) -> None:
        """Take in the rows that are newer than the index. To be called within a transaction."""
        for table, columns in self._indexed():
            names = ", ".join(columns)
            last = figure(self._db, f"SELECT coalesce(max(id), 0) FROM {table}_words_docsize")
            self._db.execute(
                f"INSERT INTO {table}_words (rowid, {names}) SELECT id, {names} FROM {table} WHERE id > ?", (last,)
            )

    def forget(self, number: int) -> None:
        """Take out the words of a row, before it goes itself. To be called within a transaction, after `catch_up`."""
        for table, columns in self._indexed():
            names = ", ".join(columns)
            self._db.execute(
                f"INSERT INTO {table}_words ({table}_words, rowid, {names}) "
                f"SELECT 'delete', id, {names} FROM {table} WHERE id = ?",
                (number,),
            )

    def merge(self) -> Iterator[None]:
        """Give back the space of what was forgotten, piece by piece: FTS5 only notes what goes."""
        for table, _ in self._indexed():
            yield from merged(self._db, f"{table}_words")

    def conditions(self, query: str) -> tuple[str, list[str]]:
        """SQL that holds for exchanges with every word of `query` in them, and its values; empty for no word."""
        clauses, values = list[str](), list[str]()
        for term in terms(query):
            by_words = self.usable and has_words(term)
            clauses.append(_BY_WORDS if by_words else _BY_LETTERS)
            values += [phrase(term)] * 2 if by_words else [_pattern(term)] * 6
        return " AND ".join(clauses), values

    def _indexed(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        if self.usable:
            yield from _TABLES.items()


def merged(db: sqlite3.Connection, index: str) -> Iterator[None]:
    """Merge an index of FTS5 into one part, piece by piece."""
    pages = -_MERGED_PAGES  # negative: all parts of the index are to become one
    while True:
        before = db.total_changes
        db.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
        is_one = db.total_changes - before < 2  # as FTS5 says that nothing is left
        yield
        if is_one:
            break
        pages = _MERGED_PAGES


def terms(query: str) -> list[str]:
    """The words of a query, apart by white space."""
    return query.encode("utf-8", "replace").decode().replace("\0", " ").split()[:_MAX_TERMS]


def has_words(term: str) -> bool:
    """Whether an index of words can find it."""
    return any(letter.isalnum() for letter in term)


def phrase(term: str) -> str:
    """A term for FTS5: words in this order, the last one perhaps only begun; what is no letter or digit separates."""
    return '"' + term.replace('"', '""') + '"*'


def has_fts5(db: sqlite3.Connection) -> bool:
    """Whether FTS5 is compiled in."""
    with suppress(sqlite3.OperationalError):
        db.execute("CREATE VIRTUAL TABLE temp.lmdeck_probe USING fts5(words)")
        db.execute("DROP TABLE temp.lmdeck_probe")
        return True
    return False


_BY_WORDS = "(" + " OR ".join(f"id IN (SELECT rowid FROM {t}_words WHERE {t}_words MATCH ?)" for t in _TABLES) + ")"
_BY_LETTERS = (
    "("
    + " OR ".join(f"coalesce({column}, '') LIKE ? ESCAPE '\\'" for column in _TABLES["exchanges"])
    + " OR id IN (SELECT id FROM exchange_texts WHERE prompt LIKE ? ESCAPE '\\' OR answer LIKE ? ESCAPE '\\'))"
)


def _pattern(term: str) -> str:
    return "%" + term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
