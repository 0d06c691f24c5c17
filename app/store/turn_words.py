"""The index of the words that were said in conversations (FTS5). A SQLite without FTS5 reads all texts instead."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence

from lmdeck.store.sql import figure, transaction
from lmdeck.store.words import has_fts5, has_words, merged, phrase

_SNIPPET_WORDS = 12
_SNIPPET_LETTERS = 60

_INDEXED = "SELECT conversation FROM turns WHERE number IN (SELECT rowid FROM turn_words WHERE turn_words MATCH ?)"
_READ = "SELECT conversation FROM turns WHERE lmdeck_holds(text, ?)"
_FOUND = (
    f"SELECT snippet(turn_words, 0, '', '', '…', {_SNIPPET_WORDS}) FROM turn_words "
    "WHERE turn_words MATCH ? AND rowid IN (SELECT number FROM turns WHERE conversation = ?) ORDER BY rank LIMIT 1"
)


class TurnWords:
    """Words of the table `turns`. Whoever writes or drops a turn notes its number (`changed`), with FTS5 or without; a
    search takes the notes in first, so that a growing answer costs nothing here. Everything raises sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.usable = has_fts5(db)
        """Whether this SQLite has FTS5."""
        self._untidy = True
        db.create_function("lmdeck_holds", 2, holds, deterministic=True)
        if self.usable:
            db.execute(
                "CREATE VIRTUAL TABLE IF NOT EXISTS turn_words "
                "USING fts5(text, tokenize='unicode61 remove_diacritics 2')"
            )

    def changed(self, number: int) -> None:
        """Note that a turn was written or dropped. To be called within a transaction."""
        self._db.execute("INSERT OR IGNORE INTO turns_to_index VALUES (?)", (number,))

    def catch_up(self) -> None:
        """Take in what was noted. To be called outside a transaction."""
        if self.usable and figure(self._db, "SELECT EXISTS (SELECT 1 FROM turns_to_index)"):
            with transaction(self._db):
                self._db.execute("DELETE FROM turn_words WHERE rowid IN (SELECT number FROM turns_to_index)")
                self._db.execute(
                    "INSERT INTO turn_words (rowid, text) "
                    "SELECT number, text FROM turns JOIN turns_to_index USING (number)"
                )
                self._db.execute("DELETE FROM turns_to_index")
            self._untidy = True

    def merge(self) -> Iterator[None]:
        """Give back the space of what was dropped, piece by piece."""
        if self.usable and self._untidy:
            self._untidy = False
            yield from merged(self._db, "turn_words")

    def condition(self, term: str) -> tuple[str, list[str]]:
        """SQL that holds for conversations with this word in the title or in what was said, and its values."""
        by_words = self.usable and has_words(term)
        said, value = (_INDEXED, phrase(term)) if by_words else (_READ, folded(term))
        return f"(lmdeck_holds(title, ?) OR id IN ({said}))", [folded(term), value]

    def snippet(self, conversation: str, terms: Sequence[str]) -> str:
        """Where a conversation's texts hold one of the words; empty where only its title does."""
        if self.usable and (wanted := [phrase(term) for term in terms if has_words(term)]):
            found = self._db.execute(_FOUND, (" OR ".join(wanted), conversation)).fetchone()
            return "" if found is None else str(found[0])
        said = "SELECT text FROM turns WHERE conversation = ? AND lmdeck_holds(text, ?) LIMIT 1"
        for term in map(folded, terms):
            if (found := self._db.execute(said, (conversation, term)).fetchone()) is not None:
                return _around(found[0], term)
        return ""


def holds(text: str, term: str) -> bool:
    """Whether a text holds a `folded` word's beginning."""
    return _place(folded(text), term) is not None


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


def _around(text: str, term: str) -> str:
    """The letters around a word; its place is only near where folding shortened the text before it."""
    place = _place(folded(text), term) or 0
    begin, end = max(0, place - _SNIPPET_LETTERS // 2), place + _SNIPPET_LETTERS
    return ("…" if begin else "") + text[begin:end] + ("…" if end < len(text) else "")
