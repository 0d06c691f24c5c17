"""The events of `/v1/responses` for an engine without a llama-server."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator

from lmdeck.demo.engines.base import Finished, Piece, PromptProgress, Stats, Text, ToolUse
from lmdeck.demo.fields import Json
from lmdeck.demo.openai_chunks import FINISH


class ResponseEvents:
    """Renders pieces as llama-server does: without the indexes and the request's echo, which the call adds."""

    def __init__(self) -> None:
        self._response: Json = {
            "id": f"resp_{secrets.token_hex(24)}",
            "object": "response",
            "created_at": int(time.time()),
        }
        self._output: list[Json] = []
        self._open: str | None = None
        self._id = ""
        self._words: list[str] = []
        self._begun = False

    def take(self, index: int, piece: Piece) -> Iterator[Json]:
        """The events of one piece."""
        if not self._begun:
            self._begun = True
            started = self._response | {"status": "in_progress"}
            yield {"type": "response.created", "response": started}
            yield {"type": "response.in_progress", "response": started}
        if isinstance(piece, Text):
            yield from self._text(piece)
        elif isinstance(piece, ToolUse):
            yield from self._close()
            yield from self._call(piece)
        elif isinstance(piece, Finished):
            yield from self._close()
            yield self._completed(piece.stats)
        else:
            assert isinstance(piece, PromptProgress)

    def end(self) -> Iterator[Json]:
        """Nothing: the last piece has closed the response."""
        return iter(())

    def _text(self, piece: Text) -> Iterator[Json]:
        kind = "reasoning_text" if piece.reasoning else "output_text"
        if self._open != kind:
            yield from self._close()
            self._open, self._words = kind, []
            self._id = f"{'rs' if piece.reasoning else 'msg'}_{secrets.token_hex(16)}"
            yield {"type": "response.output_item.added", "item": self._item(kind, "in_progress", [])}
            yield {"type": "response.content_part.added", "item_id": self._id, "part": _part(kind, "")}
        self._words.append(piece.text)
        yield {"type": f"response.{kind}.delta", "item_id": self._id, "delta": piece.text}

    def _close(self) -> Iterator[Json]:
        """End the open item."""
        if self._open is None:
            return
        kind, self._open = self._open, None
        part = _part(kind, "".join(self._words))
        item = self._item(kind, "completed", [part])
        self._output.append(item)
        yield {"type": f"response.{kind}.done", "item_id": self._id, "text": part["text"]}
        yield {"type": "response.content_part.done", "item_id": self._id, "part": part}
        yield {"type": "response.output_item.done", "item": item}

    def _item(self, kind: str, status: str, content: list[Json]) -> Json:
        item: Json = {"id": self._id, "status": status, "content": content}
        if kind == "reasoning_text":
            return item | {"type": "reasoning", "summary": []}
        return item | {"type": "message", "role": "assistant"}

    def _call(self, use: ToolUse) -> Iterator[Json]:
        if use.provider:
            yield from self._server_call(use)
            return
        call_id = f"call_{secrets.token_hex(12)}"
        arguments = json.dumps(use.arguments)
        item: Json = {"type": "function_call", "id": f"fc_{secrets.token_hex(16)}", "call_id": call_id}
        item |= {"name": use.tool, "arguments": "", "status": "in_progress"}
        done = item | {"arguments": arguments, "status": "completed"}
        self._output.append(done)
        told: Json = {"item_id": item["id"]}
        yield {"type": "response.output_item.added", "item": item}
        yield {"type": "response.function_call_arguments.delta", "delta": arguments} | told
        yield {"type": "response.function_call_arguments.done", "arguments": arguments, "name": use.tool} | told
        yield {"type": "response.output_item.done", "item": done}

    def _server_call(self, use: ToolUse) -> Iterator[Json]:
        """A call that an MCP server has answered."""
        item: Json = {"type": "mcp_call", "id": f"mcp_{secrets.token_hex(16)}", "name": use.tool}
        item |= {"server_label": use.provider.get("server_label"), "arguments": ""}
        done = item | {"arguments": json.dumps(use.arguments), "output": use.output, "error": None}
        state = "completed" if use.failure is None else "failed"
        if use.failure is not None:
            done["error"] = {"type": "mcp_protocol_error", "code": -32602, "message": use.failure}
        self._output.append(done)
        yield {"type": "response.output_item.added", "item": item}
        yield {"type": "response.mcp_call_arguments.done", "arguments": done["arguments"], "item_id": item["id"]}
        yield {"type": f"response.mcp_call.{state}", "item_id": item["id"]}
        yield {"type": "response.output_item.done", "item": done}

    def _completed(self, stats: Stats) -> Json:
        cut = FINISH.get(stats.stop_reason) == "length"
        read, said = stats.prompt_tokens or 0, stats.predicted_tokens or 0
        usage: Json = {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": stats.reasoning_tokens},
            "total_tokens": read + said,
        }
        status = "incomplete" if cut else "completed"
        response = self._response | {"status": status, "output": self._output, "usage": usage}
        return {"type": f"response.{status}", "response": response}


def _part(kind: str, text: str) -> Json:
    part: Json = {"type": kind, "text": text}
    return part if kind == "reasoning_text" else part | {"annotations": [], "logprobs": []}
