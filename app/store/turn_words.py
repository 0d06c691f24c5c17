"""The index of the words that were said in conversations (FTS5). A SQLite without FTS5 reads all texts instead."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence

from lmdeck.store.sql import figure, transaction
from lmdeck.store.words import has_fts5, has_words, merged, phrase

_SNIPPET = 60  # letters, a quarter of them before the word
_READ_FOR_SNIPPET = 2**16

_INDEXED = "SELECT rowid FROM turn_words WHERE turn_words MATCH ?"
_READ = "SELECT number FROM turns WHERE lmdeck_holds(CAST(text AS BLOB), ?)"
_MANY = 2**40
_BEST = (
    "SELECT conversation, max(best) FROM "
    f"(SELECT conversation, count(*) * {_MANY} + number AS best FROM ({{hits}}) GROUP BY number) GROUP BY conversation"
)
_TAKE_IN = (  # in this order: there are few notes and many turns
    "INSERT INTO turn_words (rowid, text) SELECT number, text FROM turns_to_index CROSS JOIN turns USING (number)"
)
_NOTED = "SELECT EXISTS (SELECT 1 FROM turns_to_index)"


class TurnWords:
    """Words of the table `turns`. Whoever writes or drops a turn notes its number (`changed`), with FTS5 or without; a
    search takes the notes in first, so that a growing answer costs nothing here. Everything raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.usable = has_fts5(db)
        """Whether this SQLite has FTS5."""
        self._untidy = True
        db.create_function("lmdeck_holds", 2, _holds, deterministic=True)
        if self.usable:
            db.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS turn_words "
                "USING fts5(text, tokenize='unicode61 remove_diacritics 2')"
            )

    def changed(self, number: int) -> None:
        """Note that a turn was written or dropped. To be called within a transaction."""
        self._db.execute("INSERT OR IGNORE INTO turns_to_index VALUES (?)", (number,))

    def catch_up(self) -> None:
        """Take in what was noted. To be called within a transaction."""
        if self.usable and figure(self._db, _NOTED):
            self._db.execute("DELETE FROM turn_words WHERE rowid IN (SELECT number FROM turns_to_index)")
            self._db.execute(_TAKE_IN)
            self._db.execute("DELETE FROM turns_to_index")
            self._untidy = True

    def prepare(self) -> None:
        """Take in what was noted, before a search."""
        if self.usable and figure(self._db, _NOTED):
            with transaction(self._db):
                self.catch_up()

    def merge(self) -> Iterator[None]:
        """Give back the space of what was dropped, piece by piece."""
        if self.usable and self._untidy:
            self._untidy = False
            yield from merged(self._db, "turn_words")

    def condition(self, term: str) -> tuple[str, list[str]]:
        """SQL that holds for conversations with this word in the title or in what was said, and its values."""
        numbers, value = self._numbers(term)
        said = f"SELECT conversation FROM turns WHERE number IN ({numbers})"
        return f"(lmdeck_holds(CAST(title AS BLOB), ?) OR id IN ({said}))", [folded(term), value]

    def places(self, wanted: Sequence[str]) -> dict[str, int]:
        """By conversation, the number of the turn that holds most of the words, the last one of several."""
        parts = [self._numbers(term) for term in wanted]
        hits = " UNION ALL ".join(f"SELECT conversation, number FROM turns WHERE number IN ({sql})" for sql, _ in parts)
        rows = self._db.execute(_BEST.format(hits=hits), [value for _, value in parts])
        return {conversation: best % _MANY for conversation, best in rows}

    def snippet(self, number: int, wanted: Sequence[str]) -> str:
        """The letters of a turn around the first of the words."""
        (text,) = self._db.execute("SELECT text FROM turns WHERE number = ?", (number,)).fetchone()
        text = str(text)[:_READ_FOR_SNIPPET]
        found = (_place(folded(text), folded(term)) for term in wanted)
        place = min((each for each in found if each is not None), default=0)  # near: folding may shorten what is before
        begin, end = max(0, place - _SNIPPET // 4), place + _SNIPPET
        return ("…" if begin else "") + text[begin:end] + ("…" if end < len(text) else "")

    def _numbers(self, term: str) -> tuple[str, str]:
        """SQL for the turns with this word, and its value."""
        return (_INDEXED, phrase(term)) if self.usable and has_words(term) else (_READ, folded(term))


def _holds(raw: bytes, term: str) -> bool:
    """Whether a text, which may be no UTF-8, holds the beginning of a word that is `folded`."""
    return _place(folded(raw.decode("utf-8", "replace")), term) is not None


def folded(text: str) -> str:
    """As FTS5 compares: without case and without marks on letters."""
    if text.isascii():
        return text.lower()
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(letter)
    )


def _place(text: str, term: str) -> int | None:
    before = r"(?<!\w)" if term[:1].isalnum() else ""
    found = re.search(before + re.escape(term), text)
    return None if found is None else found.start()
