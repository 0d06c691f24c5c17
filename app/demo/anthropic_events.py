"""The events of `/v1/messages`: made from pieces, and put together into whole messages."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator

from lmdeck.demo.engines.base import Finished, Piece, PromptProgress, Text, ToolUse
from lmdeck.demo.fields import Json, obj
from lmdeck.demo.openai_wire import string

STOP_REASONS = {
    "maxPredictedTokensReached": "max_tokens",
    "contextLengthReached": "max_tokens",
    "toolCalls": "tool_use",
    "stopStringFound": "stop_sequence",
}
"""Anthropic's `stop_reason` for LM Studio's; `end_turn` for the others."""


class MessageEvents:
    """Renders pieces; the model's name is filled in later."""

    def __init__(self) -> None:
        self._open: str | None = None
        self._index = -1
        self._begun = False

    def take(self, index: int, piece: Piece) -> Iterator[Json]:
        """The events of one piece."""
        if not self._begun:
            self._begun = True
            yield {"type": "message_start", "message": _empty_message()}
        if isinstance(piece, Text):
            kind = "thinking" if piece.reasoning else "text"
            if self._open != kind:
                yield from self._block(kind, {"thinking": "", "signature": ""} if piece.reasoning else {"text": ""})
            yield self._delta({"type": f"{kind}_delta", kind: piece.text})
        elif isinstance(piece, ToolUse):
            use: Json = {"id": f"toolu_{secrets.token_hex(12)}", "name": piece.tool, "input": {}}
            yield from self._block("tool_use", use)
            yield self._delta({"type": "input_json_delta", "partial_json": json.dumps(piece.arguments)})
        elif isinstance(piece, Finished):
            yield from self._close()
            reason = STOP_REASONS.get(piece.stats.stop_reason, "end_turn")
            usage = {"input_tokens": piece.stats.prompt_tokens, "output_tokens": piece.stats.predicted_tokens}
            delta: Json = {"stop_reason": reason, "stop_sequence": None}
            yield {"type": "message_delta", "delta": delta, "usage": usage}
            yield {"type": "message_stop"}
        else:
            assert isinstance(piece, PromptProgress)

    def end(self) -> Iterator[Json]:
        """Nothing: the last piece has closed the message."""
        return iter(())

    def _block(self, kind: str, content: Json) -> Iterator[Json]:
        yield from self._close()
        self._open = kind
        self._index += 1
        yield {"type": "content_block_start", "index": self._index, "content_block": {"type": kind} | content}

    def _delta(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _close(self) -> Iterator[Json]:
        if self._open is not None:
            self._open = None
            yield {"type": "content_block_stop", "index": self._index}


def _empty_message() -> Json:
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def whole_message(events: Iterable[Json]) -> Json:
    """The message that the events make."""
    message: Json = {}
    blocks: list[Json] = []
    for event in events:
        kind = event.get("type")
        if kind == "message_start":
            message = obj(event.get("message"))
        elif kind == "content_block_start":
            blocks.append(dict(obj(event.get("content_block"))))
        elif kind == "content_block_delta" and blocks:
            _grow(blocks[-1], obj(event.get("delta")))
        elif kind == "message_delta":
            usage = obj(message.get("usage")) | obj(event.get("usage"))
            message = message | obj(event.get("delta")) | {"usage": usage}
    for block in blocks:
        if (given := block.pop("partial_json", None)) is not None:
            block["input"] = json.loads(str(given) or "{}")
    return message | {"content": blocks}


def _grow(block: Json, delta: Json) -> None:
    """Continue a block's text, thoughts, signature, or the JSON of its tool's input."""
    for name in ("text", "thinking", "signature", "partial_json"):
        if name in delta:
            block[name] = string(block, name) + string(delta, name)
