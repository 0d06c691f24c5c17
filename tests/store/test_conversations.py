"""Conversations on the disk: what is kept comes back, is found, survives a killed deck, and goes when it must."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from any_conversation import any_conversation
from rows import raw

from lmdeck.model.branches import grown
from lmdeck.model.chat import ChatStats, ToolCall
from lmdeck.model.conversation import Attachment, Conversation, ConversationSummary, Turn
from lmdeck.model.exchange import ExchangeRecord
from lmdeck.store import conversations as module
from lmdeck.store import turn_words as words_module
from lmdeck.store.database import Database
from lmdeck.store.history import Store

PICTURE = Attachment("image", "a.png", "image/png", "AAAA", 3)
ASKED = Turn("u", None, "user", "Wie lang ist die Donau?", 10.0, attachments=(PICTURE,))
ANSWERED = Turn(
    "a", "u", "assistant", "Sie ist 2850 km lang, von der Quelle bis zum Schwarzen Meer.", 11.0, reasoning="Hm",
    tools=(ToolCall("search", "success", "{}", "found", "mcp/x"),), instance_id="m:2", endpoint="/api/v1/chat",
    server="http://here:1", response_id="resp_1", stats=ChatStats(1, 2, 0, 41.3, 0.25, None, True), cut_off="stopped",
)  # fmt: skip
TALK = Conversation(
    "c", 9.0, 11.0, "Flüsse & Seen", True, (ASKED, ANSWERED), "a", "m", "/v1/responses", "Be brief.",
    {"top_k": 3, "stop": ["x"]}, ("mcp/x",), "not on server",
)  # fmt: skip


def talk(id: str, *texts: str, title: str = "", changed: float = 0.0, pinned: bool = False) -> Conversation:
    turns = tuple(Turn(f"t{n}", f"t{n - 1}" if n else None, "user", text, changed) for n, text in enumerate(texts))
    leaf = turns[-1].id if turns else None
    return Conversation(id, changed, changed, title, pinned, turns, leaf)


async def ids(store: Store, query: str = "") -> list[str]:
    return [each.id for each in await store.conversations(query)]


async def test_a_conversation_comes_back_as_it_was(path):
    async with await Store.open(path) as store:
        assert await store.conversation("c") is None
        await store.keep_conversation(TALK)
        for turn in TALK.turns:
            await store.keep_turn("c", turn)
        assert await store.conversation("c") == TALK
    async with await Store.open(path) as store:
        assert await store.conversation("c") == TALK
        assert await store.conversations() == (ConversationSummary("c", "Flüsse & Seen", 11.0, "m", 2, True),)


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_is_kept_comes_back(path, seed):
    conversation = any_conversation(seed)
    async with await Store.open(path) as store:
        await store.add_conversation(any_conversation(seed + 1000))
        await store.add_conversation(conversation)
        assert without_surrogates(await store.conversation(conversation.id)) == without_surrogates(conversation)


def without_surrogates(conversation: Conversation | None) -> str:
    """SQLite keeps UTF-8: a lone surrogate in a text column comes back as `?`, elsewhere as it was."""
    return repr(conversation).replace("\\ud800", "?")


async def test_a_turn_grows_in_its_place(path):
    begun = replace(ANSWERED, text="Sie", tools=(), stats=None, cut_off="lmdeck was closed")
    async with await Store.open(path) as store:
        await store.keep_turn("c", ASKED)
        await store.keep_turn("c", begun)
        await store.keep_turn("c", Turn("u2", "a", "user", "Und?", 12.0))
        await store.keep_turn("c", ANSWERED)
        kept = await store.conversation("c")
    assert kept is not None
    assert kept.turns == (ASKED, ANSWERED, Turn("u2", "a", "user", "Und?", 12.0))
    assert kept.leaf == "u2"  # what grows does not draw the path to it


async def test_turns_begin_a_conversation_and_a_head_is_put_on_later(path):
    async with await Store.open(path) as store:
        for turn in TALK.turns:
            await store.keep_turn("c", turn)
        assert await store.conversation("c") == grown(grown(Conversation("c", 10.0, 10.0), ASKED), ANSWERED)
        await store.keep_conversation(TALK)
        assert await store.conversation("c") == TALK


async def test_the_head_is_kept_without_touching_the_turns(path):
    async with await Store.open(path) as store:
        await store.add_conversation(TALK)
        await store.keep_conversation(replace(TALK, title="Neu", pinned=False, leaf="u", changed=5.0, turns=()))
        assert await store.conversation("c") == replace(TALK, title="Neu", pinned=False, leaf="u")


async def test_files_go_with_their_turn(path):
    two = (PICTURE, Attachment("text", "n.txt", "text/plain", "ö", 2))
    async with await Store.open(path) as store:
        await store.keep_turn("c", replace(ASKED, attachments=two))
        assert (await store.conversation("c")).turns[0].attachments == two
        await store.keep_turn("c", replace(ASKED, attachments=two[1:]))
        assert (await store.conversation("c")).turns[0].attachments == two[1:]
        await store.drop_conversation("c")
    assert raw(path, "SELECT * FROM turn_files") == []


async def test_pinned_first_then_newest(path):
    async with await Store.open(path) as store:
        for id, changed, pinned in (("a", 1.0, False), ("b", 3.0, False), ("c", 2.0, True), ("d", 1.0, True)):
            await store.add_conversation(talk(id, "x", changed=changed, pinned=pinned))
        assert await ids(store) == ["c", "d", "b", "a"]
        assert [each.id for each in await store.conversations(limit=2)] == ["c", "d"]
        assert await store.conversations(limit=-1) == ()


@pytest.mark.parametrize(
    "query",
    [
        "donau", "DON", "flusse", "FLÜSSE seen", "donau seen", "schwarzen quelle lang", "2850", "&", "?", "km lang,",
        "seen &", "don flü",
    ],
)  # fmt: skip
async def test_words_are_found_in_title_and_turns(path, fts5, query):
    async with await Store.open(path) as store:
        await store.add_conversation(TALK)
        await store.add_conversation(talk("other", "Wie hoch ist der Berg", title="Berge"))
        assert await ids(store, query) == ["c"]


@pytest.mark.parametrize(
    "query", ["onau", "donau rhein", "üsse", "reasoning", '"', "found", "donau OR berg", "NEAR(a b)", "c"]
)
async def test_other_words_are_not(path, fts5, query):
    async with await Store.open(path) as store:
        await store.add_conversation(TALK)
        assert await ids(store, query) == []


async def test_a_snippet_shows_where(path, fts5):
    async with await Store.open(path) as store:
        await store.add_conversation(
            talk("far", "a", "ja " * 500 + "der Schatz liegt hier" + " nein" * 500, title="Karte")
        )
        (found,) = await store.conversations("schatz")
        assert "der Schatz liegt" in found.snippet
        assert found.snippet.startswith("…")
        assert found.snippet.endswith("…")
        assert len(found.snippet) < 200
        assert [each.snippet for each in await store.conversations("karte")] == [""]
        assert [each.snippet for each in await store.conversations()] == [""]
        assert "der Schatz liegt" in (await store.conversations("karte schatz"))[0].snippet


async def test_the_search_follows_every_change(path, fts5):
    async with await Store.open(path) as store:
        await store.add_conversation(talk("c", "eins"))
        assert await ids(store, "eins") == ["c"]
        await store.keep_turn("c", Turn("t0", None, "user", "zwei", 0.0))
        assert (await ids(store, "eins"), await ids(store, "zwei")) == ([], ["c"])
        await store.keep_conversation(replace(talk("c", "zwei"), title="drei"))
        assert await ids(store, "drei zwei") == ["c"]
        await store.drop_conversation("c")
        await store.drop_conversation("c")
        assert (await ids(store, "zwei"), await ids(store)) == ([], [])


async def test_a_program_without_an_index_leaves_nothing_wrong_in_it(path, monkeypatch):
    async with await Store.open(path) as store:
        await store.add_conversation(talk("c", "eins"))
        await store.add_conversation(talk("d", "drei"))
        assert await ids(store, "eins") == ["c"]
    with monkeypatch.context() as without:
        without.setattr(words_module, "has_fts5", lambda db: False)
        async with await Store.open(path) as store:
            await store.keep_turn("c", Turn("t0", None, "user", "zwei", 0.0))
            await store.keep_turn("c", Turn("t1", "t0", "user", "vier", 0.0))
            await store.drop_conversation("d")
    async with await Store.open(path) as store:
        assert [await ids(store, word) for word in ("eins", "zwei", "drei", "vier")] == [[], ["c"], [], ["c"]]
        assert raw(path, "SELECT count(*) FROM turn_words") == [(2,)]


async def test_what_was_dropped_is_overwritten(path):
    async with await Store.open(path) as store:
        await store.add_conversation(talk("c", "xyzzysecret " * 50, title="xyzzysecret"))
        await store.add_conversation(talk("d", "else"))
        assert await ids(store, "xyzzysecret") == ["c"]
        await store.drop_conversation("c")
        await store.prune()
    assert b"xyzzysecret" not in path.read_bytes()


async def test_two_decks_may_grow_one_conversation(path):
    async with await Store.open(path) as one, await Store.open(path) as two:
        await one.add_conversation(TALK)
        assert await ids(two, "donau") == ["c"]
        here, there = Turn("h", "a", "user", "hier", 20.0), Turn("t", "a", "user", "dort", 21.0)
        await asyncio.gather(one.keep_turn("c", here), two.keep_turn("c", there))
        kept = await one.conversation("c")
        assert kept is not None
        assert {turn.id for turn in kept.turns} == {"u", "a", "h", "t"}
        assert kept.changed == 21.0
        assert await ids(one, "dort") == ["c"]
        assert await ids(two, "hier dort") == ["c"]


KILLED = """
import asyncio, os, sys
from pathlib import Path
from lmdeck.model.conversation import Turn
from lmdeck.store.database import Database
from lmdeck.store.history import Store

async def main(path):
    store = await Store.open(path)
    await store.keep_draft("c", "half a question")
    await store.keep_turn("c", Turn("u", None, "user", "Hi", 1.0))
    for length in range(1, 51):
        await store.keep_turn("c", Turn("a", "u", "assistant", "x" * length, 2.0, cut_off="lmdeck was closed"))
    os._exit(9)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_killed_deck_loses_nothing_that_was_kept(path):
    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, str(path)], check=False)
    assert ended.returncode == 9
    async with await Store.open(path) as store:
        assert store.problem is None
        kept = await store.conversation("c")
        assert kept is not None
        assert [turn.text for turn in kept.turns] == ["Hi", "x" * 50]
        assert (kept.leaf, kept.turns[1].cut_off) == ("a", "lmdeck was closed")
        assert await store.drafts() == {"c": "half a question"}
        assert await ids(store, "xx") == ["c"]


async def test_keeping_a_growing_answer_leaves_the_index_alone(path):
    """It is what makes it cheap: words are taken in by the next search."""
    async with await Store.open(path) as store:
        await store.add_conversation(TALK)
        assert await ids(store, "donau") == ["c"]
        before = raw(path, "SELECT * FROM turn_words_data ORDER BY id")
        for length in range(20):
            await store.keep_turn("c", replace(ANSWERED, text="Wort " * length))
        assert raw(path, "SELECT * FROM turn_words_data ORDER BY id") == before
        assert await ids(store, "wort") == ["c"]


def test_keeping_a_turn_costs_the_same_however_much_is_kept(path):
    database = Database(path)
    steps = [0, 0]
    for kept in range(2):
        for number in range(300 * kept):
            database.conversations.add(talk(f"c{number}", *["some words"] * 10))

        def step(kept: int = kept) -> int:
            steps[kept] += 1
            return 0

        database._db.set_progress_handler(step, 1)
        for turn in range(20):
            database.conversations.keep_turn(f"x{kept}", Turn(f"t{turn}", None, "user", "some words", 1.0))
            database.conversations.keep_turn(f"x{kept}", Turn(f"t{turn}", None, "user", "some words more", 1.0))
        database._db.set_progress_handler(None, 1)
    database.close()
    assert steps[1] < 2 * steps[0]


async def test_sizes_are_bounded(path, monkeypatch):
    monkeypatch.setattr(module, "MAX_TEXT", 10)
    monkeypatch.setattr(module, "MAX_TOOLS", 40)
    monkeypatch.setattr(module, "MAX_FILES", 7)
    calls = (ToolCall("t", "success", "i" * 99, "o" * 99),) * 2
    large = replace(ANSWERED, text="ä" * 99, reasoning="b" * 99, tools=calls, attachments=(PICTURE, PICTURE))
    async with await Store.open(path) as store:
        await store.keep_turn("c", large)
        (kept,) = (await store.conversation("c")).turns
    assert (kept.text, kept.reasoning, kept.attachments) == ("ä" * 10, "b" * 10, (PICTURE,))
    assert kept.tools == (ToolCall("t", "success", "i" * 10, "o" * 10),) * 2


async def test_only_so_many_are_kept_and_pinned_ones_always(path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_CONVERSATIONS", 2)
    async with await Store.open(path) as store:
        for n in range(6):
            await store.add_conversation(talk(f"c{n}", f"wort{n}", changed=float(n), pinned=n == 0))
        await store.prune()
        assert await ids(store) == ["c0", "c5", "c4"]
        assert await ids(store, "wort") == ["c0", "c5", "c4"]
    assert raw(path, "SELECT count(*) FROM turns") == [(3,)]


async def test_they_take_half_of_the_file_at_most_and_the_oldest_go(path):
    dice = random.Random(7)
    image = replace(PICTURE, content="A" * 200_000, size_bytes=150_000)
    async with await Store.open(path) as store:
        for n in range(20):
            turn = replace(ASKED, text=" ".join(dice.choices(("eins", "zwei"), k=9)), attachments=(image,), at=float(n))
            await store.keep_turn(f"c{n}", turn)
        await store.keep_conversation(replace(talk("c0"), leaf="u", pinned=True))
        await store.prune(megabytes=2)
        kept = await ids(store)
        assert kept == ["c0", "c19", "c18", "c17"]
        await store.prune(megabytes=2)
        assert await ids(store) == kept
    assert path.stat().st_size < 2_000_000


async def test_pinned_ones_do_not_drive_the_requests_out(path):
    image = replace(PICTURE, content="A" * 3_000_000)
    async with await Store.open(path) as store:
        await store.add_conversation(replace(TALK, turns=(replace(ASKED, attachments=(image,)),), leaf="u"))
        await store.add_exchanges([(ExchangeRecord(time.time(), "s", "m"), None)] * 10)
        await store.prune(megabytes=2)
        assert await ids(store) == ["c"]
        assert len(await store.exchanges()) == 10


async def test_one_bad_row_does_not_lose_the_others(path):
    async with await Store.open(path) as store:
        await store.add_conversation(TALK)
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO turns (conversation, id, size, text, record) VALUES ('c', 'x', 0, 'x', 'no JSON')")
            db.execute("INSERT INTO turns (conversation, id, size, text, record) VALUES ('c', 'y', 0, 7, '[]')")
            db.execute("INSERT INTO turn_files VALUES (1, 9, '{}', 'x')")
            db.execute(
                "INSERT INTO conversations VALUES ('bad', 'then', 1e300, 'yes', CAST(x'ff41' AS TEXT), '', 3, 'x')"
            )
        db.close()
        assert await store.conversation("c") == TALK
        assert await store.conversation("bad") == Conversation("bad", 0.0, 0.0, "�A")
        assert set(await ids(store)) == {"c", "bad"}
        assert await ids(store, "donau") == ["c"]


async def test_values_that_sqlite_cannot_hold(path):
    async with await Store.open(path) as store:
        await store.keep_conversation(replace(TALK, id="\udcff", created=float("nan"), changed=float("inf"), turns=()))
        await store.keep_turn("\udcff", replace(ASKED, at=-5.0, text="\udcff\0x"))
        (found,) = await store.conversations()
        kept = await store.conversation("\udcff")
        assert kept is not None
        assert (found.changed, kept.created, kept.turns[0].at, kept.turns[0].text) == (0.0, 0.0, 0.0, "?\0x")
        await store.drop_conversation("\udcff")
        assert await store.conversations() == ()
