"""What is exported comes back equal, and what is no export does no harm."""

import json
import random
from contextlib import suppress
from dataclasses import fields, replace

import pytest
from any_conversation import any_conversation

from lmdeck.conversations import export
from lmdeck.conversations.export import ImportFailed, as_json, as_markdown, from_json, title_for
from lmdeck.model.chat import ChatStats, ToolCall
from lmdeck.model.conversation import Attachment, Conversation, Turn

SAID = (Turn("u", None, "user", "Hi", 1.0), Turn("a", "u", "assistant", "Ho", 2.0))
TREE = Conversation("c", 1.0, 2.0, turns=SAID, leaf="a")


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_exported_comes_back_equal(seed):
    conversation = any_conversation(seed)
    text = as_json(conversation)
    assert from_json(text) == conversation
    assert as_json(from_json(text)) == text
    text.encode()  # it can be written as UTF-8


def test_no_field_is_forgotten():
    """A field that is added to one of the values must be exported, too."""
    full = replace(
        TREE,
        title="t", pinned=True, model="m", endpoint="/v1/responses", system_prompt="s", parameters={"a": [{"b": 1.5}]},
        integrations=("x",), keeping="nowhere",
        turns=(
            Turn(
                "u", "p", "user", "text", 1.5, (Attachment("text", "n", "text/plain", "cc", 2),), "r",
                (ToolCall("t", "success", "a", "o", "p", "r"),), "i", "/e", "http://s", "resp_1",
                ChatStats(1, 2, 3, 4.0, 5.0, 6.0, True), "cut",
            ),
        ),
        leaf="u",
    )  # fmt: skip
    for value in (full, full.turns[0], full.turns[0].tools[0], full.turns[0].stats, full.turns[0].attachments[0]):
        empty = [field.name for field in fields(value) if getattr(value, field.name) in (None, "", (), {}, False)]
        assert empty == []
    assert from_json(as_json(full)) == full


def test_the_format_is_told():
    said = json.loads(as_json(TREE))
    assert (said["format"], said["version"]) == ("lmdeck-conversation", 1)
    assert said["conversation"]["turns"][1] == {
        "id": "a", "parent": "u", "role": "assistant", "text": "Ho", "at": 2.0, "attachments": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON .line 1"),
        ("[" * 100_000, "not JSON .nested too deep"),
        ("[]", "no conversation that lmdeck exported"),
        ('{"format": "other"}', "no conversation that lmdeck exported"),
        ('{"format": "lmdeck-conversation"}', "newer lmdeck"),
        ('{"format": "lmdeck-conversation", "version": 2}', "newer lmdeck"),
        ('{"format": "lmdeck-conversation", "version": 1}', "no list of turns"),
        ('{"format": "lmdeck-conversation", "version": 1, "conversation": {"turns": {}}}', "no list of turns"),
    ],
)
def test_what_is_no_export_is_refused_in_words(text, words):
    with pytest.raises(ImportFailed, match=words):
        from_json(text)


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(export, "MOST_TURNS", 1)
    with pytest.raises(ImportFailed, match="too many turns"):
        from_json(as_json(TREE))
    monkeypatch.setattr(export, "MOST_TEXT", 10)
    with pytest.raises(ImportFailed, match="larger than any"):
        from_json(as_json(TREE))


def changed(**parts: object) -> Conversation:
    said = json.loads(as_json(TREE))
    said["conversation"] |= parts
    return from_json("\ufeff" + json.dumps(said | {"future": 1}))


def test_unknown_and_senseless_fields():
    assert changed(future={}, keeping="elsewhere", parameters=[1], integrations=[7], pinned="yes") == TREE
    assert changed(parameters={"a": None, "b": 1, "c": [float("nan")]}).parameters == {"b": 1}
    assert changed(created=-1, changed=1e300) == replace(TREE, created=0, changed=0)
    assert changed(leaf="nobody") == changed(leaf=7) == TREE
    assert changed(leaf=None) == replace(TREE, leaf=None)
    assert changed(turns=[7, {"id": "x"}, {"id": "y", "role": "system"}, {"role": "user"}]) == replace(
        TREE, turns=(), leaf=None
    )
    assert changed(id=None).id not in ("", "c")


def test_a_turn_stands_there_once():
    twice = [{"id": "u", "role": "user", "text": text} for text in ("one", "two")]
    assert [turn.text for turn in changed(turns=twice).turns] == ["one"]


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({"kind": "text", "name": "n", "media_type": "text/plain", "content": "öl", "size_bytes": 10**9}, 3),
        ({"kind": "image", "name": "n", "media_type": "image/png", "content": "AAAA", "size_bytes": -1}, 3),
        ({"kind": "image", "name": "n", "media_type": "image/png", "content": "no base64!"}, None),
        ({"kind": "image", "name": "n", "media_type": "image/png", "content": ""}, None),
        ({"kind": "image", "name": "n", "media_type": "image/svg+xml", "content": "AAAA"}, None),
        ({"kind": "video", "content": "AAAA"}, None),
    ],
)
def test_files_are_measured_and_not_believed(said, size):
    turns = [{"id": "u", "role": "user", "text": "x", "attachments": [said]}]
    assert [each.size_bytes for each in changed(turns=turns).turns[0].attachments] == ([] if size is None else [size])


@pytest.mark.parametrize("seed", range(100))
def test_any_mutation_is_refused_or_read(seed):
    """A damaged export is read as far as it makes sense, or refused with words: nothing else is raised."""
    dice = random.Random(seed)
    text = list(as_json(any_conversation(seed, turns=5)))
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(text))
        text[place] = dice.choice(['"', "{", "}", "[", "]", ",", "7", "null", "-1", "1e999", "\\", ""])
    with suppress(ImportFailed):
        conversation = from_json("".join(text))
        assert from_json(as_json(conversation)) == conversation


def test_markdown_shows_the_path():
    answer = Turn(
        "a", "u", "assistant", "Because\n```py\nx = 1", 1_700_000_060.0, reasoning="think\x1b[31m",
        instance_id="qwen_3", tools=(ToolCall("search", "success", '{"q": 1}', "found", "mcp/x"),),
        cut_off="stopped by you", stats=ChatStats(12, 34, tokens_per_second=41.3, ttft_s=0.31),
    )  # fmt: skip
    files = (
        Attachment("text", "a.txt", "text/plain", "one ``` two", 11),
        Attachment("image", "b.png", "image/png", "AAAA", 3),
    )
    asked = Turn("u", None, "user", "Why?\tnow", 1_700_000_000.0, attachments=files)
    other = Turn("v", None, "user", "not on the path", 1.0)
    conversation = Conversation(
        "c", 1_700_000_000.0, 0, title="A *title*", turns=(asked, other, answer), leaf="a", model="qwen_3",
        system_prompt="Be short.", parameters={"top_k": 3},
    )  # fmt: skip
    assert as_markdown(conversation) == MARKDOWN.replace("'''", "```")


MARKDOWN = """# A \\*title\\*

- model: qwen\\_3
- endpoint: /api/v1/chat
- begun: 2023-11-14T22:13:20Z

Parameters:

'''json
{"top_k":3}
'''

System prompt:

'''
Be short.
'''

## User, 2023-11-14T22:13:20Z

Attached: a.txt (text/plain, 11 B)

````
one ``` two
````

Attached: b.png (image/png, 3 B)

Why?\tnow

## qwen\\_3, 2023-11-14T22:14:20Z

<details><summary>reasoning</summary>

'''
think␛[31m
'''

</details>

Tool search: success (mcp/x)

arguments:

'''
{"q": 1}
'''

output:

'''
found
'''

Because
'''py
x = 1
'''

*cut off: stopped by you*

*12 tokens in · 34 tokens out · 41.3 tok/s · TTFT 0.31 s*
"""


@pytest.mark.parametrize("seed", range(50))
def test_markdown_of_anything_can_be_written_and_holds_nothing_a_terminal_obeys(seed):
    text = as_markdown(any_conversation(seed))
    text.encode()
    assert not set(text) & {"\x1b", "\0", "\u202e", "\r"}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("", ""), ("  \n ", ""), ("Hello there", "Hello there"), ("a\n\nb\tc", "a b c"), ("\x1b[31mred", "␛[31mred"),
        ("word " * 30, "word " * 11 + "word…"), ("x" * 80, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_titles(text, title):
    assert title_for(text) == title
    assert len(title_for(text)) <= 60
