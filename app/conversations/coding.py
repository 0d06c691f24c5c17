"""A conversation's values as JSON and back. What is read is decoded as if it came from outside."""

import json
from collections.abc import Mapping
from dataclasses import fields as fields_of
from math import isfinite
from typing import Final, TypeGuard, get_args

from lmdeck.backend.decode import count, fields, flag, number, records, text, texts
from lmdeck.model.chat import ChatStats, ToolCall, Value
from lmdeck.model.conversation import KEPT, Attachment, Conversation, Keeping, Role, Turn
from lmdeck.model.endpoints import NATIVE

Record = dict[str, object]

IMAGE_TYPES: Final = ("image/png", "image/jpeg", "image/webp")

_ROLES: Final[tuple[Role, ...]] = get_args(Role)
_KEEPINGS: Final[tuple[Keeping, ...]] = get_args(Keeping)
_LONGEST_ID: Final = 200
_DEEPEST: Final = 30
_LATEST: Final = 32_500_000_000.0  # no platform's local time goes much further


def dumped(value: object) -> str:
    """JSON that is UTF-8: lone surrogates are escaped; what is no finite number is null."""
    try:
        said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        said.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return dumped(json.loads(json.dumps(value), parse_constant=lambda _: None))
    return said


def conversation_record(conversation: Conversation) -> Record:
    """Everything but the turns."""
    said = _record(conversation, "turns", "parameters")
    return said | {"leaf": conversation.leaf, "parameters": dict(conversation.parameters)}


def turn_record(turn: Turn) -> Record:
    """Everything but the attachments."""
    said = _record(turn, "attachments", "tools", "stats")
    if turn.tools:
        said["tools"] = [_record(call) for call in turn.tools]
    if turn.stats is not None:
        said["stats"] = _record(turn.stats)
    return said


def attachment_record(attachment: Attachment) -> Record:
    """All of it."""
    return _record(attachment)


def conversation_of(said: Record, turns: tuple[Turn, ...] = ()) -> Conversation:
    """The conversation in a record, with these turns; an id that is missing is empty."""
    keeping = said.get("keeping")
    return Conversation(
        id=(text(said.get("id")) or "")[:_LONGEST_ID],
        created=moment(said.get("created")),
        changed=moment(said.get("changed")),
        title=text(said.get("title")) or "",
        pinned=flag(said.get("pinned")) or False,
        turns=turns,
        leaf=_leaf_of(said, turns),
        model=text(said.get("model")) or "",
        endpoint=text(said.get("endpoint")) or NATIVE.path,
        system_prompt=text(said.get("system_prompt")) or "",
        parameters=parameters_of(said.get("parameters")),
        integrations=texts(said.get("integrations")),
        keeping=next((each for each in _KEEPINGS if each == keeping), KEPT),
    )


def turn_of(said: Record, attachments: tuple[Attachment, ...] = ()) -> Turn | None:
    """The turn in a record; None for one without an id or with a role that does not exist."""
    id, role = text(said.get("id")), next((each for each in _ROLES if each == said.get("role")), None)
    if not id or len(id) > _LONGEST_ID or role is None:
        return None
    return Turn(
        id=id,
        parent=text(said.get("parent")),
        role=role,
        text=text(said.get("text")) or "",
        at=moment(said.get("at")),
        attachments=attachments,
        reasoning=text(said.get("reasoning")) or "",
        tools=tuple(map(_call_of, records(said.get("tools")))),
        instance_id=text(said.get("instance_id")) or "",
        endpoint=text(said.get("endpoint")) or "",
        server=text(said.get("server")) or "",
        response_id=text(said.get("response_id")),
        stats=_stats_of(fields(said["stats"])) if "stats" in said else None,
        cut_off=text(said.get("cut_off")) or "",
    )


def attachment_of(said: Record) -> Attachment | None:
    """The attachment in a record; None for one of no known kind. Its content is not looked at."""
    kind, media_type = said.get("kind"), text(said.get("media_type")) or ""
    name, content, size = text(said.get("name")) or "", text(said.get("content")) or "", count(said.get("size_bytes"))
    if kind == "text":
        return Attachment("text", name, media_type, content, size or 0)
    if kind == "image" and media_type in IMAGE_TYPES:
        return Attachment("image", name, media_type, content, size or 0)
    return None


def parameters_of(said: object) -> dict[str, Value]:
    """The parameters in an object; what no parameter can be is left out."""
    return {name: value for name, value in fields(said).items() if value is not None and _is_value(value)}


def moment(said: object) -> float:
    """A Unix time that every platform can show; 0 for anything else."""
    at = number(said)
    return at if at is not None and 0 <= at <= _LATEST else 0.0


def _record(value: Attachment | Conversation | ChatStats | ToolCall | Turn, *without: str) -> Record:
    """The fields of a value by name; what is absent or empty is left out."""
    found = {field.name: getattr(value, field.name) for field in fields_of(value) if field.name not in without}
    return {name: each for name, each in found.items() if each not in (None, "", ())}


def _leaf_of(said: Record, turns: tuple[Turn, ...]) -> str | None:
    """Where the path ends: at the last turn, unless another one is named, or null for before the first."""
    if "leaf" in said and said["leaf"] is None:
        return None
    leaf = text(said.get("leaf"))
    if any(turn.id == leaf for turn in turns):
        return leaf
    return turns[-1].id if turns else None


def _call_of(said: Record) -> ToolCall:
    names = ("tool", "state", "arguments", "output", "provider", "reason")
    return ToolCall(**{name: text(said.get(name)) or "" for name in names})


def _stats_of(said: Record) -> ChatStats:
    return ChatStats(
        input_tokens=count(said.get("input_tokens")),
        output_tokens=count(said.get("output_tokens")),
        reasoning_tokens=count(said.get("reasoning_tokens")),
        tokens_per_second=number(said.get("tokens_per_second")),
        ttft_s=number(said.get("ttft_s")),
        load_time_s=number(said.get("load_time_s")),
        measured=flag(said.get("measured")) or False,
    )


def _is_value(said: object, depth: int = 0) -> TypeGuard[Value]:
    """Whether a parameter can be this, null within it included."""
    if depth > _DEEPEST:
        return False
    if isinstance(said, Mapping):
        return all(_is_value(each, depth + 1) for each in said.values())
    if isinstance(said, list):
        return all(_is_value(each, depth + 1) for each in said)
    return not isinstance(said, float) or isfinite(said)
