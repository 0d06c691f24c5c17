"""What can be taken out of an exchange to be sent again: the request's body, and what its user said last."""

import json
from collections.abc import Iterable

from lmdeck.model.exchange import Exchange
from lmdeck.widgets.paint.prompt import user_message

_BODY = " with body"
_HEAD = 2_000
"""Characters of a server's line in which its body begins."""


def request_body(exchange: Exchange) -> str:
    """The request's body as the server logged it; empty where it told none."""
    text = exchange.request.text if exchange.request else ""
    at = text.find(_BODY, 0, _HEAD)
    return text[at + len(_BODY) :].strip() if at >= 0 else ""


def last_user_message(exchange: Exchange) -> str:
    """By the request's body, or else by the prompt's template; empty if neither tells it."""
    said = _from_body(request_body(exchange))
    return said or (user_message(exchange.input.text) if exchange.input else "")


def _from_body(body: str) -> str:
    try:
        fields, _ = json.JSONDecoder().raw_decode(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(fields, dict):
        return ""
    for name in ("messages", "input", "prompt"):
        value = fields.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and (said := _last_said(value)):
            return said
    return ""


def _last_said(messages: Iterable[object]) -> str:
    said = ""
    for message in messages:
        if isinstance(message, dict) and message.get("role", "user") == "user":
            content = message.get("content", message.get("text"))
            parts = content if isinstance(content, list) else [content]
            texts = [part.get("text", part.get("content")) if isinstance(part, dict) else part for part in parts]
            said = "\n".join(text for text in texts if isinstance(text, str)) or said
    return said
