"""A conversation as a file: Markdown to be read, JSON to come back.

The JSON is one object: `format` (`lmdeck-conversation`), `version` (1) and `conversation`, the fields of
`model/conversation.py` by name with all `turns` in it; what is absent or empty may be left out. New fields may come
within a version.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from lmdeck.backend.decode import count, fields, items, parse, records
from lmdeck.conversations import coding
from lmdeck.conversations.fences import closed, fenced
from lmdeck.model.branches import path
from lmdeck.model.chat import ChatStats, ToolCall
from lmdeck.model.conversation import Attachment, Conversation, Turn
from lmdeck.model.text import clean, one_line
from lmdeck.model.units import UNKNOWN, rate, size, ttft

FORMAT: Final = "lmdeck-conversation"
VERSION: Final = 1
MOST_TEXT: Final = 2**29
"""So many characters of JSON are read at most."""
MOST_TURNS: Final = 100_000

_TITLE: Final = 60
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


class ImportFailed(ValueError):
    """The text is no exported conversation; the message says why, in words for a person."""


def as_json(conversation: Conversation) -> str:
    """The whole tree: `from_json` gives an equal conversation back."""
    turns = [
        coding.turn_record(turn) | {"attachments": [coding.attachment_record(each) for each in turn.attachments]}
        for turn in conversation.turns
    ]
    said = coding.conversation_record(conversation) | {"turns": turns}
    return coding.dumped({"format": FORMAT, "version": VERSION, "conversation": said})


def from_json(text: str) -> Conversation:
    """The conversation in an export. Its id may be taken already: the caller looks, and gives it another one then.

    Unknown fields are ignored, and parts that make no sense left out. Raises ImportFailed."""
    if len(text) > MOST_TEXT:
        raise ImportFailed("The file is larger than any conversation.")
    try:
        said = fields(parse(text.removeprefix("\ufeff")))
    except json.JSONDecodeError as error:
        raise ImportFailed(f"The file is not JSON (line {error.lineno}: {error.msg}).") from None
    except ValueError as error:
        raise ImportFailed(f"The file is not JSON ({error}).") from None
    if said.get("format") != FORMAT:
        raise ImportFailed("The JSON is no conversation that lmdeck exported.")
    version = count(said.get("version"))
    if version is None or version > VERSION:
        raise ImportFailed("The conversation was exported by a newer lmdeck: update this one.")
    record = fields(said.get("conversation"))
    turns = items(record.get("turns"))
    if turns is None or len(turns) > MOST_TURNS:
        raise ImportFailed("The file holds no list of turns." if turns is None else "The file holds too many turns.")
    conversation = coding.conversation_of(record, tuple(_turns(records(turns))))
    return conversation if conversation.id else replace(conversation, id=uuid4().hex)


def as_markdown(conversation: Conversation) -> str:
    """The path that is on the screen, to be read: what was said is Markdown as it is, everything else is quoted."""
    return "\n".join(_sections(conversation))


def title_for(text: str) -> str:
    """A title from the first prompt's first words; empty for nothing readable."""
    words = one_line(text, _TITLE + 1)
    if len(words) <= _TITLE:
        return words
    whole = words[:_TITLE].rpartition(" ")[0]
    return f"{whole if len(whole) > _TITLE // 2 else words[: _TITLE - 1]}…"


def _turns(said: list[dict[str, object]]) -> Iterator[Turn]:
    """Each turn of an import once, with what it attaches."""
    known = set[str]()
    for record in said:
        files = (coding.attachment_of(each) for each in records(record.get("attachments")))
        sound = tuple(checked for each in files if each is not None and (checked := _measured(each)) is not None)
        turn = coding.turn_of(record, sound)
        if turn is not None and turn.id not in known:
            known.add(turn.id)
            yield turn


def _measured(attachment: Attachment) -> Attachment | None:
    """With its true size; None for an image that is none."""
    if attachment.kind == "text":
        return replace(attachment, size_bytes=len(attachment.content.encode("utf-8", "replace")))
    try:
        raw = base64.b64decode(attachment.content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return replace(attachment, size_bytes=len(raw)) if raw else None


def _sections(conversation: Conversation) -> Iterator[str]:
    yield f"# {_plain(conversation.title or 'Conversation')}\n"
    yield f"- model: {_plain(conversation.model) or UNKNOWN}"
    yield f"- endpoint: {_plain(conversation.endpoint)}"
    yield f"- begun: {_moment(conversation.created)}"
    if conversation.parameters:
        yield f"\nParameters:\n\n{fenced(_safe(coding.dumped(dict(conversation.parameters))), 'json')}"
    if conversation.system_prompt:
        yield f"\nSystem prompt:\n\n{fenced(_safe(conversation.system_prompt))}"
    for turn in path(conversation):
        yield from _of_turn(turn)
    yield ""


def _of_turn(turn: Turn) -> Iterator[str]:
    who = "User" if turn.role == "user" else turn.instance_id or "Assistant"
    yield f"\n## {_plain(who)}, {_moment(turn.at)}\n"
    for each in turn.attachments:
        yield f"Attached: {_plain(each.name)} ({each.media_type}, {size(each.size_bytes)})\n"
        if each.kind == "text":
            yield f"{fenced(_safe(each.content))}\n"
    if turn.reasoning:
        yield f"<details><summary>reasoning</summary>\n\n{fenced(_safe(turn.reasoning))}\n\n</details>\n"
    for call in turn.tools:
        yield from _of_call(call)
    yield closed(_safe(turn.text))
    if turn.cut_off:
        yield f"\n*cut off: {_plain(turn.cut_off)}*"
    if turn.stats is not None and (line := _figures(turn.stats)):
        yield f"\n*{line}*"


def _of_call(call: ToolCall) -> Iterator[str]:
    yield f"Tool {_plain(call.tool)}: {_plain(call.state)}" + (f" ({_plain(call.provider)})" if call.provider else "")
    for name, text in (("arguments", call.arguments), ("output", call.output), ("reason", call.reason)):
        if text:
            yield f"\n{name}:\n\n{fenced(_safe(text))}"
    yield ""


def _figures(stats: ChatStats) -> str:
    parts = [
        None if stats.input_tokens is None else f"{stats.input_tokens} tokens in",
        None if stats.output_tokens is None else f"{stats.output_tokens} tokens out",
        None if stats.tokens_per_second is None else rate(stats.tokens_per_second),
        None if stats.ttft_s is None else ttft(stats.ttft_s),
    ]
    return " · ".join(part for part in parts if part is not None)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else UNKNOWN


def _plain(words: str) -> str:
    """Text from outside on one line, that Markdown takes as it is."""
    return _MARKUP.sub(r"\\\1", one_line(words))


def _safe(text: str) -> str:
    """Without anything that a terminal would obey; tabs stay, they are part of code."""
    return "\t".join(clean(piece, len(piece)) for piece in text.split("\t"))
