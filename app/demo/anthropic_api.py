"""The Anthropic-compatible endpoint, `POST /v1/messages`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lmdeck.demo import fields
from lmdeck.demo.anthropic_events import MessageEvents, whole_message
from lmdeck.demo.engines.base import GenerateRequest
from lmdeck.demo.errors import ApiError
from lmdeck.demo.fields import FieldError, Json
from lmdeck.demo.openai_call import Ask, Call, Function, Renderer, messages, options
from lmdeck.demo.openai_chat import choose
from lmdeck.demo.openai_serving import Serving
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_wire import Event, objects, string
from lmdeck.demo.web import read_body

STOP = {"max_tokens": "length", "tool_use": "toolCalls", "stop_sequence": "stopStringFound"}
"""LM Studio's stop reasons for Anthropic's; what remains is `eosFound`."""


class AnthropicApi:
    """`/v1/messages`."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def routes(self) -> list[Route]:
        """The endpoint."""
        return [Route("/v1/messages", self.message, methods=["POST"])]

    async def message(self, request: Request) -> Response:
        """A message."""
        body = await read_body(request, self._serving.hub.log)
        return await self._serving.answer(request, MessageCall(body))


class MessageCall(Call):
    """One message."""

    path: ClassVar[str] = "/v1/messages"
    closing: ClassVar[bytes] = b""

    def read(self) -> Ask:
        """Messages, sampling parameters, tools."""
        body = self.body
        chosen = options(body) | ({"max_tokens": self.limit} if self.limit else {})
        if stops := body.get("stop_sequences"):
            chosen |= options({"stop": stops})
        if fields.obj(body.get("thinking")).get("type") == "disabled":
            chosen["reasoning"] = "off"
        system = _text(body.get("system"))
        said = [part for message in messages(body) for part in as_messages(message)]
        if system:
            said.insert(0, {"role": "system", "content": system})
        functions, must_call = _functions(body)
        return Ask((GenerateRequest(messages=tuple(said), options=chosen),), functions, must_call)

    @property
    def limit(self) -> int | None:
        """`max_tokens`."""
        return fields.integer(self.body, "max_tokens")

    def renderer(self) -> Renderer:
        """Message events."""
        return MessageEvents()

    def hear(self, data: Json, tally: Tally) -> None:
        """Deltas, token counts and the end. These events carry none of llama.cpp's timings."""
        kind = data.get("type")
        if kind == "message_start":
            tally.usage(fields.obj(data.get("message")).get("usage"))
        elif kind == "content_block_delta":
            tally.begin()
            tally.say(fields.obj(data.get("delta")).get("text"))
        elif kind == "message_delta":
            tally.usage(data.get("usage"))
            delta = fields.obj(data.get("delta"))
            found = "stop_sequence" if delta.get("stop_sequence") else delta.get("stop_reason")
            tally.stop(STOP, found)

    def event(self, data: Json, instance_id: str) -> Event:
        """An event under its own name."""
        if isinstance(message := data.get("message"), dict):
            data = data | {"message": message | {"model": instance_id}}
        return Event(data, string(data, "type"))

    def whole(self, events: Iterable[Json]) -> Json:
        """The message."""
        return whole_message(events)

    def error(self, error: ApiError) -> Event:
        """An `error` event."""
        return Event(error.anthropic(), "error")


def as_messages(message: Json) -> list[Json]:
    """One of Anthropic's messages as OpenAI's: tool results become messages of their own."""
    role, content = message["role"], message.get("content")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    results: list[Json] = []
    parts: list[Json] = []
    calls: list[Json] = []
    for block in objects(content):
        kind = block.get("type")
        if kind == "tool_result":
            text = _text(block.get("content"))
            results.append({"role": "tool", "tool_call_id": string(block, "tool_use_id"), "content": text})
        elif kind == "tool_use":
            calls.append({"id": string(block, "id"), "type": "function", "function": _called(block)})
        elif kind == "image":
            parts.append({"type": "image_url", "image_url": {"url": _image_url(fields.obj(block.get("source")))}})
        elif kind == "text":
            parts.append({"type": "text", "text": string(block, "text")})
    if calls:
        return [*results, {"role": role, "content": parts, "tool_calls": calls}]
    return [*results, {"role": role, "content": parts}] if parts else results


def _called(block: Json) -> Json:
    return {"name": string(block, "name"), "arguments": json.dumps(block.get("input"))}


def _image_url(source: Json) -> str:
    if source.get("type") == "base64":
        return f"data:{string(source, 'media_type')};base64,{string(source, 'data')}"
    return string(source, "url")


def _text(content: object) -> str:
    """The text of a string or of text blocks."""
    return content if isinstance(content, str) else "\n".join(string(block, "text") for block in objects(content))


def _functions(body: Json) -> tuple[tuple[Function, ...], bool]:
    """The tools to choose from, the chosen one first, and whether one must be called."""
    found: list[Function] = []
    for tool in fields.objects(body, "tools"):
        if not isinstance(name := tool.get("name"), str):
            raise FieldError("tools", "every tool must have a name")
        found.append(Function(name, fields.obj(tool.get("input_schema"))))
    choice = fields.obj(body.get("tool_choice"))
    return choose(found, choice.get("type"), choice.get("name"))
