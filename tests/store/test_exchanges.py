"""Exchanges on the disk: what is kept is found again, days are counted, old and large things go, old files grow up."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from rows import raw

from lmdeck.model.exchange import KEPT_TEXT, ExchangeRecord, ExchangeText, PastExchange
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.model.statistics import Day
from lmdeck.store import words as words_module
from lmdeck.store.database import Database
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store
from lmdeck.store.schema import MIGRATIONS

NOW = time.time()
FULL = ExchangeRecord(
    at=NOW, server="http://127.0.0.1:1234", instance_id="qwen/qwen3-coder-30b:2", path="/v1/chat/completions",
    stop_reason="eosFound", prompt_tokens=812, predicted_tokens=143, tokens_per_second=41.3, ttft_s=0.31,
    total_time_s=3.4, draft_tokens=20, accepted_draft_tokens=12, error="", certainty="likely",
)  # fmt: skip
BARE = ExchangeRecord(NOW - 1, "", "")
TEXT = ExchangeText("<|user|>Schreib mir\nein Gedicht über Öl 100%", "Es war _einmal_ …")


async def test_exchanges_come_back_as_they_were_newest_first(path):
    async with await Store.open(path) as store:
        await store.add_exchanges([(BARE, None), (FULL, TEXT)])
        await store.add_exchanges([])
    async with await Store.open(path) as store:
        assert await store.exchanges() == (FULL, BARE)
        assert await store.search("") == ((FULL, TEXT), (BARE, None))
        assert await store.exchanges(limit=1) == (FULL,)
        assert await store.exchanges(limit=-1) == ()
        assert await store.exchanges(model=FULL.instance_id) == (FULL,)
        assert await store.exchanges(model="qwen") == ()


@pytest.mark.parametrize(
    "query",
    [
        "qwen3-coder-30b", "coder", "eosfound", "v1/chat", "CODER comple", "gedicht", "öl", "mir coder", "eos einmal",
        "100%", "einmal_", "…", "/", '<|user|>', "schreib mir",
    ],
)  # fmt: skip
async def test_words_are_found(path, fts5, query):
    async with await Store.open(path) as store:
        await store.add_exchanges([(FULL, TEXT), (BARE, None)])
        if not fts5 and query == "öl":
            query = "Öl"  # LIKE folds ASCII only
        assert await store.exchanges(query) == (FULL,)
        assert await store.search(query) == ((FULL, TEXT),)


@pytest.mark.parametrize(
    "query",
    ["gemma", "coder gemma", '"', '" OR "', "coder NOT x", "100_9", "e%g", "\0\0x", "\udcff", "\\", "Gedicht*x"],
)
async def test_what_is_not_there_is_not_found_and_no_query_is_an_error(path, fts5, query):
    async with await Store.open(path) as store:
        await store.add_exchanges([(FULL, TEXT), (BARE, None)])
        assert await store.exchanges(query) == ()


async def test_a_text_that_was_not_kept_is_not_found(path, fts5):
    async with await Store.open(path) as store:
        await store.add_exchanges([(FULL, None)])
        assert await store.exchanges("Gedicht") == ()
        assert await store.search("coder") == ((FULL, None),)
    assert raw(path, "SELECT count(*) FROM exchange_texts") == [(0,)]


async def test_a_past_exchange_leads_to_its_text(path, fts5):
    async with await Store.open(path) as store:
        await store.add_exchanges([(BARE, None), (FULL, TEXT), (FULL, None)])
        assert await store.past_exchanges("", 9) == (
            PastExchange(3, FULL),
            PastExchange(2, FULL),
            PastExchange(1, BARE),
        )
        assert await store.past_exchanges("gedicht", 9) == (PastExchange(2, FULL),)
        assert await store.past_exchanges("coder", 1) == (PastExchange(3, FULL),)
        assert [await store.exchange_text(number) for number in (1, 2, 3, 4)] == [None, TEXT, None, None]


async def test_a_query_within_one_model(path, fts5):
    other = replace(FULL, instance_id="gemma", at=NOW - 5)
    async with await Store.open(path) as store:
        await store.add_exchanges([(FULL, None), (other, None)])
        assert await store.exchanges("eosFound", model="gemma") == (other,)


async def test_rows_written_without_fts5_are_found_with_it(path, monkeypatch):
    with monkeypatch.context() as without:
        without.setattr(words_module, "has_fts5", lambda db: False)
        async with await Store.open(path) as store:
            await store.add_exchanges([(FULL, TEXT)])
    async with await Store.open(path) as store:
        await store.add_exchanges([(BARE, None)])
        assert await store.exchanges("coder gedicht") == (FULL,)


async def test_wild_values(path):
    wild = replace(FULL, prompt_tokens=2**70, error="x\udcff" * 9000, ttft_s=float("inf"), total_time_s=float("nan"))
    never = [replace(FULL, at=at) for at in (float("nan"), float("inf"), -1.0, 1e300)]
    async with await Store.open(path) as store:
        await store.add_exchanges([(wild, ExchangeText("p" * (KEPT_TEXT + 9), "\udcff"))] + [(x, None) for x in never])
        ((kept, words),) = await store.search("")
        assert (await store.days())[0].tokens_in == 2**40
        assert (kept.prompt_tokens, kept.ttft_s, kept.total_time_s) == (2**63 - 1, None, None)
        assert len(kept.error) == 8192
        assert words == ExchangeText("p" * KEPT_TEXT, "?")


async def test_one_bad_row_does_not_lose_the_others(path):
    async with await Store.open(path) as store:
        await store.add_exchanges([(BARE, None), (FULL, None)])
        raw(path, "UPDATE exchanges SET ttft_s = 'soon', certainty = 'sure', prompt_tokens = -1 WHERE id = 2")
        raw(path, "UPDATE exchanges SET at = 'then' WHERE id = 1")
        assert await store.exchanges() == (replace(FULL, ttft_s=None, certainty="guess", prompt_tokens=None),)


async def test_totals_by_local_day_and_model(path):
    noon = datetime.combine(date.today(), datetime.min.time()).replace(hour=12)
    a, b = replace(FULL, instance_id="a"), replace(FULL, instance_id="b", error="failed", predicted_tokens=None)

    def on(record: ExchangeRecord, ago: int, hour: int = 12) -> tuple[ExchangeRecord, None]:
        return replace(record, at=(noon - timedelta(days=ago)).replace(hour=hour).timestamp()), None

    async with await Store.open(path) as store:
        await store.add_exchanges([on(a, 0, 0), on(a, 0, 23), on(b, 0), on(a, 6), on(a, 7)])
        await store.add_exchanges([on(a, 0), (replace(on(a, 0)[0], server="http://other"), None)])
        today, before = noon.date().isoformat(), (noon - timedelta(days=6)).date().isoformat()
        week = (
            Day(today, "a", 4, 4 * 812, 4 * 143, 0),
            Day(today, "b", 1, 812, 0, 1),
            Day(before, "a", 1, 812, 143, 0),
        )
        assert await store.days(7) == week
        assert await store.days(1) == week[:2]
        assert len(await store.days(90)) == 4


async def test_a_thousand_a_second(path):
    """In one batch a second, with room to spare on a slow machine."""
    async with await Store.open(path) as store:
        for batch in range(3):
            records = [(replace(FULL, at=NOW + batch + n / 1000), None) for n in range(1000)]
            began = time.monotonic()
            await store.add_exchanges(records)
            assert time.monotonic() - began < 1
        assert len(await store.exchanges(limit=9999)) == 3000
        assert sum(day.requests for day in await store.days(2)) == 3000


async def test_old_exchanges_go_with_their_words_and_days(path, fts5):
    old = replace(FULL, at=NOW - 11 * 86_400, instance_id="old")
    async with await Store.open(path) as store:
        await store.add_exchanges([(old, ExchangeText("my secret", "")), (FULL, None)])
        await store.prune(days=10)
        assert await store.exchanges() == (FULL,)
        assert await store.exchanges("secret") == ()
        assert [each.instance_id for each in await store.days(90)] == [FULL.instance_id]
        await store.prune(days=0)
        await store.add_exchanges([(BARE, None)])
        assert await store.exchanges("secret") == await store.exchanges("old") == ()  # a number is never used again
    assert raw(path, "SELECT count(*) FROM exchange_texts") == [(0,)]
    assert b"my secret" not in path.read_bytes()


async def test_the_file_stays_within_its_size_and_the_totals_stay_true(path, fts5):
    texts = [ExchangeText(" ".join(f"w{n}x{m}" for m in range(900)), "answer") for n in range(600)]
    async with await Store.open(path) as store:
        await store.add_exchanges([(replace(FULL, at=NOW - 600 + n), each) for n, each in enumerate(texts)])
        await store.prune(megabytes=3)
        left = await store.exchanges(limit=9999)
        assert 100 < len(left) < 600
        assert left[0].at == NOW - 1  # the oldest went
        assert await store.search("w599x7") == ((left[0], texts[-1]),)
        assert sum(day.requests for day in await store.days(2)) == 600
    assert path.stat().st_size <= 3_000_000


async def test_pruning_lets_others_write_in_between(path, monkeypatch):
    monkeypatch.setattr("lmdeck.store.exchanges.PIECE_S", 0.0)
    async with await Store.open(path) as store:
        await store.add_exchanges([(replace(FULL, at=NOW - 1e7), None)] * 200)
        pruning = asyncio.create_task(store.prune(days=10))
        written = 0
        while not pruning.done():
            await store.add_exchanges([(FULL, None)])
            written += 1
        await pruning
        assert written > 20
        assert len(await store.exchanges()) == written


async def test_pruning_a_closed_store_is_over(path):
    store = await Store.open(path)
    await store.add_exchanges([(replace(FULL, at=NOW - 1e7), None)] * 2000)
    pruning = asyncio.create_task(store.prune(days=10))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await pruning


LOAD = LoadRecord(5.0, "s", "m", "k", "i", LoadRequest("k"))


async def test_a_file_of_the_first_version_grows_up(path):
    """As it was written before exchanges were kept: its loads stay, and it can shrink from now on."""
    path.touch()
    raw(path, "PRAGMA auto_vacuum = NONE")
    with sqlite3.connect(path) as db:
        db.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
        settings = '{"gpu": 0.5}'
        db.execute("INSERT INTO loads (at, server, machine, model_key, instance_id, settings, confidence, cause) "
                   "VALUES (5.0, 's', 'm', 'k', 'i', ?, '', '')", (settings,))  # fmt: skip
        assert db.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    db.close()
    async with await Store.open(path) as store:
        assert await store.loads() == (replace(LOAD, settings=LoadRequest("k", gpu=0.5)),)
        await store.add_exchanges([(FULL, TEXT)])
        assert await store.exchanges("coder") == (FULL,)
    assert raw(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert raw(path, "PRAGMA auto_vacuum") == [(2,)]


def test_two_programs_share_one_index(path):
    one, two = Database(path), Database(path)
    for n in range(10):
        (one, two)[n % 2].exchanges.add([(replace(FULL, at=NOW + n, error=f"e{n}"), None)])
    assert [len(db.exchanges.found(f"e{n}", None, 9)) for db in (one, two) for n in range(10)] == [1] * 20
    for _ in one.exchanges.prune(-1, 200):
        pass
    assert two.exchanges.found("e9", None, 9) == ()
    one.close()
    two.close()
