"""What the scripted engine makes of a compatible request: several answers, tool calls and JSON by a schema, on top of
its plain text."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from lmdeck.demo.engines import script
from lmdeck.demo.engines.base import Finished, GenerateRequest, Piece, Stats, Text, ToolUse
from lmdeck.demo.fields import Json, obj
from lmdeck.demo.instance import Ticket
from lmdeck.demo.openai_call import Ask


async def answers(ticket: Ticket, ask: Ask) -> AsyncGenerator[tuple[int, Piece], None]:
    """The pieces of all answers wanted, one answer after the other, with its index. Raises EngineError."""
    for index, request in enumerate(ask.requests):
        instead = _instead(ask, request)
        source = ticket.generate(request) if instead is None else _replaced(ticket, request, instead)
        async with aclosing(source) as pieces:
            async for piece in pieces:
                yield index, piece


def _instead(ask: Ask, request: GenerateRequest) -> Text | ToolUse | None:
    """What takes the place of the scripted text: a call of the first function where the question has the word `tool`
    (or there is no choice), or an example of the JSON that is asked for."""
    asked = script.question(request)
    answered = bool(request.messages) and request.messages[-1].get("role") == "tool"
    if ask.functions and not answered and (ask.must_call or "tool" in asked.lower()):
        function = ask.functions[0]
        return ToolUse(function.name, obj(example({"type": "object"} | function.schema, asked)), {})
    if ask.schema is not None:
        return Text(json.dumps(example(ask.schema, asked), ensure_ascii=False))
    return None


async def _replaced(ticket: Ticket, request: GenerateRequest, instead: Text | ToolUse) -> AsyncGenerator[Piece, None]:
    """A generation of one token, with the runner's timings and faults, that says `instead`."""
    runner = ticket.instance.runner
    ticket.log_input(await runner.format(request))
    stats = Stats("userStopped")
    output = instead.text if isinstance(instead, Text) else json.dumps(instead.arguments)
    source = runner.generate(replace(request, options=request.options | {"max_tokens": 1}))
    try:
        async for piece in source:
            if isinstance(piece, Finished):
                stats = replace(piece.stats, stop_reason="eosFound" if isinstance(instead, Text) else "toolCalls")
                yield Finished(stats)
            elif isinstance(piece, Text) and not piece.reasoning:
                ticket.phase = "generating"
                yield instead
            else:
                yield piece
    finally:
        ticket.log_output(output, stats)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


def example(schema: Json, text: str) -> object:
    """A small value that follows `schema`, with `text` for its strings."""
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        return {name: example(obj(part), text) for name, part in obj(schema.get("properties")).items()}
    if kind == "array":
        return [example(obj(schema.get("items")), text)]
    return {"integer": 1, "number": 1.0, "boolean": True, "null": None}.get(str(kind), text)
