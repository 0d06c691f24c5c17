"""Chunks of streamed chats and completions: made from pieces, and put together into whole answers."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Iterator

from lmdeck.demo.engines.base import Finished, Piece, PromptProgress, Stats, Text, ToolUse
from lmdeck.demo.fields import Json, obj
from lmdeck.demo.openai_wire import objects

FINISH = {
    "maxPredictedTokensReached": "length",
    "contextLengthReached": "length",
    "toolCalls": "tool_calls",
}
"""OpenAI's `finish_reason` for LM Studio's stop reasons; `stop` for the others."""
STOP = {"length": "length", "tool_calls": "toolCalls"}
"""The other way round; what remains is `eosFound`."""


def usage(answers: list[Stats], prompts: int) -> Json:
    """Token counts over all answers. The answers to one prompt, which stand together, count it once."""
    share = max(1, len(answers) // prompts)
    read = sum(each.prompt_tokens or 0 for each in answers[::share])
    said = sum(each.predicted_tokens or 0 for each in answers)
    thought = sum(each.reasoning_tokens for each in answers)
    return {
        "prompt_tokens": read,
        "completion_tokens": said,
        "total_tokens": read + said,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }


class Chunks:
    """Renders pieces as `chat.completion.chunk`s or, with `raw`, as `text_completion`s; `usage` adds a chunk with the
    token counts of `prompts` prompts. The model's name is filled in later."""

    def __init__(self, *, raw: bool, usage: bool, logprobs: bool = False, prompts: int = 1) -> None:
        self._raw, self._usage, self._logprobs, self._prompts = raw, usage, logprobs, prompts
        self._head: Json = {
            "id": f"{'cmpl' if raw else 'chatcmpl'}-{secrets.token_hex(12)}",
            "object": "text_completion" if raw else "chat.completion.chunk",
            "created": int(time.time()),
        }
        self._begun: set[int] = set()
        self._done: list[Stats] = []

    def take(self, index: int, piece: Piece) -> Iterator[Json]:
        """The chunks of one piece; a chat's first one tells the role."""
        if index not in self._begun:
            self._begun.add(index)
            if not self._raw:
                yield self._chunk(index, {"role": "assistant", "content": ""})
        if isinstance(piece, Text):
            yield self._text(index, piece)
        elif isinstance(piece, ToolUse):
            function = {"name": piece.tool, "arguments": json.dumps(piece.arguments)}
            call = {"index": 0, "id": f"call_{secrets.token_hex(12)}", "type": "function", "function": function}
            yield self._chunk(index, {"tool_calls": [call]})
        elif isinstance(piece, Finished):
            self._done.append(piece.stats)
            yield self._chunk(index, {}, FINISH.get(piece.stats.stop_reason, "stop"))
        else:
            assert isinstance(piece, PromptProgress)

    def _text(self, index: int, piece: Text) -> Json:
        if piece.reasoning:
            return self._chunk(index, {"reasoning_content": piece.text})
        logprobs = _certain(piece.text) if self._logprobs else None
        return self._chunk(index, {"content": piece.text}, logprobs=logprobs)

    def _chunk(self, index: int, delta: Json, finish: str | None = None, logprobs: Json | None = None) -> Json:
        said: Json = {"text": delta.get("content", "")} if self._raw else {"delta": delta}
        choice = {"index": index} | said | {"logprobs": logprobs, "finish_reason": finish}
        return self._head | {"choices": [choice]}

    def end(self) -> Iterator[Json]:
        """The token counts, if they are wanted."""
        if self._usage:
            yield self._head | {"choices": [], "usage": usage(self._done, self._prompts)}


def _certain(text: str) -> Json:
    """A scripted token's probability, which is one."""
    token: Json = {"token": text, "logprob": 0.0, "bytes": list(text.encode())}
    return {"content": [token | {"top_logprobs": [token]}]}


def whole_chat(chunks: Iterable[Json]) -> Json:
    """The `chat.completion` that the chunks make."""
    result, choices = _gathered(chunks)
    answers: list[Json] = []
    for choice in choices:
        message: Json = {"role": "assistant", "content": ""}
        if not (gathered := obj(choice.pop("delta", None))).get("content"):
            gathered.pop("content", None)
        message |= gathered
        for call in objects(message.get("tool_calls")):
            call.pop("index", None)
        answers.append(choice | {"message": message})
    return result | {"object": "chat.completion", "choices": answers}


def whole_completion(chunks: Iterable[Json]) -> Json:
    """The `text_completion` that the chunks make."""
    result, choices = _gathered(chunks)
    return result | {"choices": choices}


def _gathered(chunks: Iterable[Json]) -> tuple[Json, list[Json]]:
    """What stands beside the choices (the last word counts), and the choices, in order, with their parts joined."""
    result: Json = {}
    choices: dict[object, Json] = {}
    for chunk in chunks:
        result |= {name: value for name, value in chunk.items() if name != "choices"}
        for choice in objects(chunk.get("choices")):
            _join(choices.setdefault(choice.get("index"), {}), choice)
    return result, [choices[index] for index in sorted(choices, key=lambda index: str(index).zfill(9))]


TEXTS = ("content", "reasoning_content", "reasoning", "text", "arguments", "refusal")
"""The strings that arrive in parts."""


def _join(into: Json, delta: Json) -> None:
    """Add a delta: texts are continued, lists grow (their items are matched by `index`), the rest is replaced."""
    for name, value in delta.items():
        there = into.get(name)
        if isinstance(value, dict):
            if not isinstance(there, dict):
                into[name] = there = {}
            _join(there, value)
        elif isinstance(value, list):
            if not isinstance(there, list):
                into[name] = there = []
            _join_list(there, value)
        elif name in TEXTS and isinstance(there, str):
            into[name] = there + value if isinstance(value, str) else there
        elif value is not None or name not in into:
            into[name] = value


def _join_list(into: list[object], items: list[object]) -> None:
    for item in items:
        index = item.get("index") if isinstance(item, dict) else None
        twin = next((each for each in into if isinstance(each, dict) and each.get("index") == index), None)
        if isinstance(item, dict) and index is not None and twin is not None:
            _join(twin, item)
        elif isinstance(item, dict):
            into.append(copy := Json())
            _join(copy, item)
        else:
            into.append(item)
