"""Items of `/v1/responses`: as clients send them, as llama-server takes them, and as chat messages."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from lmdeck.demo.fields import FieldError, Json, obj
from lmdeck.demo.openai_wire import objects, string

LEFT_OUT = ("reasoning", "mcp_call")
PARTS = ("input_text", "input_image", "output_text", "text")


def read_items(given: object) -> list[Json]:
    """`input` in llama-server's stricter form: typed messages, function calls and their outputs. What a model thought
    earlier, and what a server's tools told it, is left out, as chat templates leave it out. Raises FieldError."""
    if isinstance(given, str) and given:
        return [_message("user", given)]
    if not isinstance(given, list) or not given:
        raise FieldError("input", "'input' is required: a string or an array of items")
    items: list[Json] = []
    for item in given:
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if kind == "message" and isinstance(item.get("role"), str):
            items.append(_message(item["role"], item.get("content")))
        elif kind in ("function_call", "function_call_output"):
            items.append(item)
        elif kind not in LEFT_OUT:
            raise FieldError("input", f"'input' has an item of an unknown type: {kind!r}")
    return items


def _message(role: str, content: object) -> Json:
    """A message whose content is a list of parts of the type its role has. Raises FieldError."""
    said = role == "assistant"
    parts: list[Json] = []
    whole: Json = {"type": "text", "text": content}
    for part in [whole] if isinstance(content, str) else objects(content):
        if part.get("type") not in PARTS:
            raise FieldError("input", f"'input' has content of an unknown type: {part.get('type')!r}")
        if part.get("type") == "input_image":
            parts.append(part)
        elif said:
            parts.append({"type": "output_text", "text": string(part, "text"), "annotations": [], "logprobs": []})
        else:
            parts.append({"type": "input_text", "text": string(part, "text")})
    message: Json = {"type": "message", "role": role, "content": parts}
    return message | {"id": f"msg_{secrets.token_hex(16)}", "status": "completed"} if said else message


def stored(items: Iterable[Json]) -> list[Json]:
    """The items of an answer that a later request continues from."""
    return [item for item in items if item.get("type") not in LEFT_OUT]


def as_messages(items: Iterable[Json]) -> list[Json]:
    """The same as chat messages."""
    return [_as_message(item) for item in items]


def _as_message(item: Json) -> Json:
    if item.get("type") == "function_call":
        function = {"name": string(item, "name"), "arguments": string(item, "arguments")}
        call = {"id": string(item, "call_id"), "type": "function", "function": function}
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if item.get("type") == "function_call_output":
        output = item.get("output")
        text = output if isinstance(output, str) else "".join(string(part, "text") for part in objects(output))
        return {"role": "tool", "tool_call_id": string(item, "call_id"), "content": text}
    parts = objects(item.get("content"))
    if any(part.get("type") == "input_image" for part in parts):
        return {"role": item["role"], "content": [_as_part(part) for part in parts]}
    return {"role": item["role"], "content": "\n".join(string(part, "text") for part in parts)}


def _as_part(part: Json) -> Json:
    if part.get("type") == "input_image":
        url = part.get("image_url")
        return {"type": "image_url", "image_url": {"url": url if isinstance(url, str) else string(obj(url), "url")}}
    return {"type": "text", "text": string(part, "text")}
