"""A native chat request, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

from lmdeck.demo import fields
from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.engines.base import GenerateRequest
from lmdeck.demo.errors import invalid
from lmdeck.demo.fields import FieldError, Json

RANGES = {
    "temperature": (0.0, 1.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.0, 10.0),
}
KNOWN = {
    *("model", "input", "system_prompt", "integrations", "stream", "store", "previous_response_id", "reasoning"),
    *("max_output_tokens", "context_length", "draft_model", "top_k", "ttl", *RANGES),
}


@dataclass(frozen=True, slots=True)
class ChatCall:
    """What a `POST /api/v1/chat` asks for. `name` is a model's key or an instance's id."""

    name: str
    request: GenerateRequest
    stream: bool = False
    store: bool = True
    context_length: int | None = None
    ttl_s: float | None = None


def read_call(body: Json, model: CatalogModel, conversations: Conversations) -> ChatCall:
    """The request for `model`. Raises ApiError and FieldError, always 400."""
    if unknown := sorted(body.keys() - KNOWN):
        words = ", ".join(f"'{name}'" for name in unknown)
        raise invalid(f"Unrecognized key(s) in object: {words}", code="unrecognized_keys")
    if model.embedding:
        raise invalid(f"Model '{model.key}' is an embedding model and cannot chat.", param="model")
    previous = conversations.get(fields.text(body, "previous_response_id"))
    system = fields.text(body, "system_prompt")
    if system is not None:
        previous = ({"role": "system", "content": system}, *(m for m in previous if m.get("role") != "system"))
    integrations = body.get("integrations")
    if integrations is not None and not isinstance(integrations, list):
        raise FieldError("integrations", "'integrations' must be an array")
    return ChatCall(
        name=fields.required(body, "model"),
        request=GenerateRequest(
            messages=(*previous, {"role": "user", "content": _content(body.get("input"), model)}),
            options=_options(body, model),
            integrations=tuple(integrations or ()),
        ),
        stream=bool(fields.flag(body, "stream")),
        store=fields.flag(body, "store") is not False,
        context_length=fields.integer(body, "context_length"),
        ttl_s=fields.integer(body, "ttl"),
    )


def _content(given: object, model: CatalogModel) -> object:
    """`input` as an OpenAI message's content: a string, or parts where there are images."""
    if isinstance(given, str) and given:
        return given
    if not isinstance(given, list) or not given or not all(isinstance(part, dict) for part in given):
        raise FieldError("input", "'input' must be a string or an array of message and image objects")
    parts: list[Json] = []
    for part in given:
        if part.get("type") in ("message", "text") and isinstance(part.get("content"), str):
            parts.append({"type": "text", "text": part["content"]})
        elif part.get("type") == "image" and isinstance(part.get("data_url"), str):
            if not model.vision:
                raise invalid(f"Model '{model.key}' does not support image inputs.", param="input")
            parts.append({"type": "image_url", "image_url": {"url": part["data_url"]}})
        else:
            raise FieldError("input", f"'input' has an item of an unknown type: {part.get('type')!r}")
    if all(part["type"] == "text" for part in parts):
        return "\n".join(str(part["text"]) for part in parts)
    return parts


def _options(body: Json, model: CatalogModel) -> Json:
    options: Json = {name: fields.number(body, name, minimum=low, maximum=high) for name, (low, high) in RANGES.items()}
    options["top_k"] = fields.integer(body, "top_k", minimum=0)
    options["max_tokens"] = fields.integer(body, "max_output_tokens")
    options["reasoning"] = reasoning = fields.text(body, "reasoning")
    if reasoning is not None and reasoning not in (model.reasoning or ("off",)):
        allowed = ", ".join(model.reasoning) or "none"
        raise invalid(
            f"Model '{model.key}' does not support reasoning setting '{reasoning}' (allowed: {allowed}).",
            param="reasoning",
        )
    return {name: value for name, value in options.items() if value is not None}
