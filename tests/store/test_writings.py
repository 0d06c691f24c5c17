"""Drafts, prompts and presets of the chat on the disk."""

import sqlite3

from lmdeck.model.conversation import ChatPreset
from lmdeck.store import writings as module
from lmdeck.store.history import Store

NUMBERS = ChatPreset("parameters", "mine", parameters={"top_k": 3, "stop": ["a"], "response_format": {"x": None}})
WORDS = ChatPreset("system prompt", "mine", system_prompt="Be short.\n☃")


async def test_drafts(path):
    async with await Store.open(path) as store:
        assert await store.drafts() == {}
        await store.keep_draft("a", "half")
        await store.keep_draft("b", "other\n\0")
        await store.keep_draft("a", "half a question")
    async with await Store.open(path) as store:
        assert await store.drafts() == {"a": "half a question", "b": "other\n\0"}
        await store.keep_draft("a", "")
        await store.keep_draft("nobody", "")
        assert await store.drafts() == {"b": "other\n\0"}


async def test_only_the_last_drafts_are_kept(path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_DRAFTS", 2)
    monkeypatch.setattr(module, "MAX_DRAFT", 3)
    moments = iter(range(10))
    monkeypatch.setattr(module.time, "time", lambda: float(next(moments)))
    async with await Store.open(path) as store:
        for key in ("a", "b", "a", "c"):
            await store.keep_draft(key, "long")
        assert await store.drafts() == {"a": "lon", "c": "lon"}


async def test_prompts_stand_there_once_the_newest_last(path):
    async with await Store.open(path) as store:
        assert await store.prompts() == ()
        for text in ("one", "two\nlines", "three", "one", " ", ""):
            await store.keep_prompt(text)
        assert await store.prompts() == ("two\nlines", "three", "one")
        assert await store.prompts(2) == ("three", "one")
        assert await store.prompts(-1) == ()


async def test_only_the_last_prompts_are_kept(path, monkeypatch):
    monkeypatch.setattr(module, "KEPT_PROMPTS", 2)
    monkeypatch.setattr(module, "MAX_PROMPT", 3)
    async with await Store.open(path) as store:
        for text in ("a", "b", "c", "long", "d"):
            await store.keep_prompt(text)
        assert await store.prompts() == ("c", "d")


async def test_presets_of_both_kinds(path):
    async with await Store.open(path) as store:
        assert await store.chat_presets() == ()
        other = ChatPreset("parameters", "a")
        for preset in (WORDS, ChatPreset("parameters", "mine", parameters={"seed": 1}), NUMBERS, other):
            await store.keep_chat_preset(preset)
    async with await Store.open(path) as store:
        assert await store.chat_presets() == (other, NUMBERS, WORDS)
        await store.drop_chat_preset("parameters", "mine")
        await store.drop_chat_preset("parameters", "nobody")
        assert await store.chat_presets() == (other, WORDS)


async def test_one_bad_row_does_not_lose_the_others(path):
    async with await Store.open(path) as store:
        await store.keep_chat_preset(WORDS)
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO chat_presets VALUES ('parameters', 'x', 'no JSON', ''), ('dream', 'y', '{}', '')")
            db.execute("INSERT INTO drafts VALUES (CAST(x'ff41' AS TEXT), 0, 7)")
            db.execute("INSERT INTO prompts (text) VALUES (CAST(x'ff41' AS TEXT))")
        db.close()
        assert await store.chat_presets() == (ChatPreset("parameters", "x"), WORDS)
        assert await store.drafts() == {"�A": "7"}
        assert await store.prompts() == ("�A",)


async def test_values_that_sqlite_cannot_hold(path):
    async with await Store.open(path) as store:
        await store.keep_chat_preset(ChatPreset("parameters", "\udcff", parameters={"a": float("inf"), "b": 2**70}))
        await store.keep_draft("\udcff", "\udcff")
        await store.keep_prompt("\udcff")
        assert await store.chat_presets() == (ChatPreset("parameters", "?", parameters={"b": 2**70}),)
        assert (await store.drafts(), await store.prompts()) == ({"?": "?"}, ("?",))
        await store.keep_draft("\udcff", "")
        await store.drop_chat_preset("parameters", "\udcff")
        assert (await store.drafts(), await store.chat_presets()) == ({}, ())
