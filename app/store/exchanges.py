"""The tables of exchanges in `history.db`: kept, found, counted by day, forgotten."""

import math
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from lmdeck.model.exchange import KEPT_TEXT, ExchangeRecord, ExchangeText, PastExchange
from lmdeck.model.statistics import Day
from lmdeck.store.rows import (
    EXCHANGE_COLUMNS,
    Row,
    cell,
    day,
    exchange_record,
    exchange_row,
    exchange_text,
    past_exchange,
)
from lmdeck.store.sql import figure, told, transaction
from lmdeck.store.words import WordIndex

MAX_ROWS = 10_000
PIECE_S = 0.03
"""How long one piece of pruning takes."""

_DAY_S = 86_400
_PIECE_ROWS = 500
_PIECE_PAGES = 500
_ROUNDS = 5
_ROOM = 0.9  # what is forgotten for its size leaves this share of the limit, so that it is not due again at once
_MOST_TOKENS = 2**40  # sums of what a broken server says stay within 64 bits
_LATEST = 32_500_000_000  # no platform's local time goes much further

_INSERT = f"INSERT INTO exchanges ({', '.join(EXCHANGE_COLUMNS)}) VALUES ({', '.join('?' for _ in EXCHANGE_COLUMNS)})"
_COUNT = (
    "INSERT INTO exchange_days VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + "
    "excluded.requests, tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out, "
    "errors = errors + excluded.errors"
)
_DAYS = (
    "SELECT date, instance_id, sum(requests) AS requests, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, "
    "sum(errors) AS errors FROM exchange_days WHERE date > ? GROUP BY date, instance_id "
    "ORDER BY date DESC, instance_id LIMIT ?"
)

Kept = tuple[ExchangeRecord, ExchangeText | None]


class Exchanges:
    """Exchanges in an open database. Everything blocks, and raises StoreError.

    The totals of days are counted when an exchange comes: they stay true when it has to go for its size.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path
        with told(path):
            self._words = WordIndex(db)

    def add(self, exchanges: Sequence[Kept]) -> None:
        """Keep them, all or none; one without a possible time is left out."""
        days = dict[tuple[str, str, str], list[int]]()
        with told(self._path), transaction(self._db):
            for record, words in exchanges:
                if not 0 < record.at < _LATEST:
                    continue
                number = self._db.execute(_INSERT, exchange_row(record)).lastrowid
                if words is not None:
                    texts = cell(words.prompt, KEPT_TEXT), cell(words.answer, KEPT_TEXT)
                    self._db.execute("INSERT INTO exchange_texts VALUES (?, ?, ?)", (number, *texts))
                _count(days, record)
            self._db.executemany(_COUNT, [(*map(cell, key), *totals) for key, totals in days.items()])
            self._words.catch_up()

    def found(self, query: str, model: str | None, limit: int, *, with_texts: bool = False) -> tuple[Kept, ...]:
        """The newest of one instance id (of all where None) with every word of `query`, newest first."""
        rows = self._newest(query, model, limit, with_texts=with_texts)
        records = ((exchange_record(row), exchange_text(row) if with_texts else None) for row in rows)
        return tuple((record, words) for record, words in records if record is not None)

    def past(self, query: str, limit: int) -> tuple[PastExchange, ...]:
        """As `found`, each with its number."""
        return tuple(past for row in self._newest(query, None, limit) if (past := past_exchange(row)) is not None)

    def text(self, number: int) -> ExchangeText | None:
        """The text of the exchange with this number, where it was kept."""
        sql = "SELECT prompt, answer FROM exchange_texts WHERE id = ?"
        with told(self._path):
            row = self._db.execute(sql, (number,)).fetchone()
        return None if row is None else exchange_text(dict(row))

    def _newest(self, query: str, model: str | None, limit: int, *, with_texts: bool = False) -> list[Row]:
        condition, values = self._words.conditions(query)
        clauses = [*([condition] if condition else ()), *(["instance_id = ?"] if model is not None else ())]
        columns, tables = "exchanges.*", "exchanges"
        if with_texts:
            columns, tables = "exchanges.*, prompt, answer", "exchanges LEFT JOIN exchange_texts USING (id)"
        where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
        sql = f"SELECT {columns} FROM {tables} {where} ORDER BY at DESC, id DESC LIMIT ?"
        given = [*values, *([cell(model)] if model is not None else ()), max(0, min(limit, MAX_ROWS))]
        with told(self._path), closing(self._db.execute(sql, given)) as cursor:
            return [dict(row) for row in cursor]

    def days(self, days: int) -> tuple[Day, ...]:
        """Totals by local day and instance id, today and the days before it; newest first."""
        before = (date.today() - timedelta(days=max(1, min(days, 36_500)))).isoformat()
        with told(self._path), closing(self._db.execute(_DAYS, (before, MAX_ROWS))) as cursor:
            return tuple(day(dict(row)) for row in cursor)

    def prune(self, days: int, megabytes: int) -> Iterator[None]:
        """Forget what is older than `days`, then the oldest beyond `megabytes` (10⁶ bytes) of the whole file; between
        the pieces of this work others may write."""
        with told(self._path):
            oldest = time.time() - days * _DAY_S
            while self._forget(_PIECE_ROWS, oldest):
                yield
            self._db.execute("DELETE FROM exchange_days WHERE date < ?", (_local_date(max(oldest, 0.0)),))
            yield from self._shrink(megabytes * 1_000_000)
            yield from self._give_back()

    def _shrink(self, limit: int) -> Iterator[None]:
        """How much a row takes is known only on average: some rounds come near enough."""
        for _ in range(_ROUNDS):
            used, rows = self._used(), figure(self._db, "SELECT count(*) FROM exchanges")
            if used <= limit or not rows:
                return
            surplus = math.ceil(rows * (1 - _ROOM * limit / used))
            while surplus > 0 and (gone := self._forget(min(surplus, _PIECE_ROWS))):
                surplus -= gone
                yield
            yield from self._words.merge()

    def _forget(self, most: int, before: float | None = None) -> int:
        """Take out the oldest, up to `most` or as many as the time for a piece allows; answers how many went."""
        where, values = ("WHERE at < ?", [before]) if before is not None else ("", [])
        found = self._db.execute(f"SELECT id FROM exchanges {where} ORDER BY at LIMIT ?", [*values, most]).fetchall()
        if not found:
            return 0
        gone, until = 0, time.monotonic() + PIECE_S
        with transaction(self._db):
            self._words.catch_up()
            for (number,) in found:
                self._words.forget(number)
                self._db.execute("DELETE FROM exchange_texts WHERE id = ?", (number,))
                self._db.execute("DELETE FROM exchanges WHERE id = ?", (number,))
                gone += 1
                if time.monotonic() > until:
                    break
        return gone

    def _used(self) -> int:
        """Bytes of the file that hold something."""
        pages = figure(self._db, "PRAGMA page_count") - figure(self._db, "PRAGMA freelist_count")
        return pages * figure(self._db, "PRAGMA page_size")

    def _give_back(self) -> Iterator[None]:
        """Free pages to the file system."""
        free = figure(self._db, "PRAGMA freelist_count")
        while free:
            # Not `execute`: it takes one step of a statement without columns, and a step frees one page.
            self._db.executescript(f"PRAGMA incremental_vacuum({_PIECE_PAGES});")
            before, free = free, figure(self._db, "PRAGMA freelist_count")
            if free >= before:  # a file that could not be made shrinkable
                return
            yield


def _count(days: dict[tuple[str, str, str], list[int]], record: ExchangeRecord) -> None:
    totals = days.setdefault((_local_date(record.at), record.server, record.instance_id), [0, 0, 0, 0])
    for place, more in enumerate((1, record.prompt_tokens, record.predicted_tokens, bool(record.error))):
        totals[place] += min(more or 0, _MOST_TOKENS)


def _local_date(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
