"""`POST /v1/embeddings`, also served as `/api/v0/embeddings`."""

from __future__ import annotations

import base64
import struct

from starlette.requests import Request

from lmdeck.demo import fields
from lmdeck.demo.engines.base import Embeddings
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.hub import Hub
from lmdeck.demo.instance import Instance
from lmdeck.demo.openai_serving import pick
from lmdeck.demo.web import read_body, unless_gone

MAX_INPUTS = 2048


async def embed(hub: Hub, request: Request) -> tuple[Json, Instance]:
    """The answer in OpenAI's shape, and the instance that gave it. Raises FieldError, ApiError, EngineError."""
    body = await read_body(request, hub.log)
    inputs = _inputs(body.get("input"))
    encoding = fields.text(body, "encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise FieldError("encoding_format", "'encoding_format' must be 'float' or 'base64'")
    name, _ = pick(hub, fields.text(body, "model") or "", embedding=True)
    hub.log.server(f"Received request to embed {len(inputs)} text(s)")
    work = _embed(hub, name, inputs, fields.integer(body, "ttl"))
    result, instance = await unless_gone(request, work)
    hub.log.server("Returning embeddings (not shown in logs)", tag=instance.id)
    return _answer(result, instance.id, base64_wanted=encoding == "base64"), instance


async def _embed(hub: Hub, name: str, inputs: list[str], ttl_s: float | None) -> tuple[Embeddings, Instance]:
    async with hub.request(name, ttl_s=ttl_s) as ticket:
        return await ticket.embed(inputs), ticket.instance


def _inputs(given: object) -> list[str]:
    """The texts to embed. Raises FieldError."""
    inputs = [given] if isinstance(given, str) else given
    if not isinstance(inputs, list) or not all(isinstance(each, str) and each for each in inputs):
        raise FieldError("input", "'input' is required: a string or an array of strings, none of them empty")
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise FieldError("input", f"'input' must have between 1 and {MAX_INPUTS} texts")
    return inputs


def _answer(result: Embeddings, model: str, *, base64_wanted: bool) -> Json:
    rows: list[Json] = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if base64_wanted else vector}
        for index, vector in enumerate(result.vectors)
    ]
    tokens = result.prompt_tokens
    return {
        "object": "list",
        "data": rows,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: list[float]) -> str:
    """Little-endian 32-bit floats in base64, which OpenAI's client asks for unless told otherwise."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
