"""A native answer as it grows: the events to send for each piece, and the whole at the end."""

from __future__ import annotations

from collections.abc import Iterator

from lmdeck.demo.engines.base import Finished, Piece, PromptProgress, Stats, Text, ToolUse
from lmdeck.demo.fields import Json


class Answer:
    """Collects pieces; `take` and `end` yield the native events in their order."""

    def __init__(self, instance_id: str) -> None:
        self._instance_id = instance_id
        self._items: list[Json] = []
        self._open: str | None = None
        self._words: list[str] = []
        self.stats: Stats | None = None
        self.load_s: float | None = None

    @property
    def message(self) -> str:
        """The messages' text so far, without the reasoning."""
        done = "".join(str(item["content"]) for item in self._items if item["type"] == "message")
        return done + ("".join(self._words) if self._open == "message" else "")

    def take(self, piece: Piece) -> Iterator[Json]:
        """The events of one piece."""
        if isinstance(piece, PromptProgress):
            if self._open != "prompt_processing":
                yield from self._switch("prompt_processing")
            yield {"type": "prompt_processing.progress", "progress": round(piece.fraction, 4)}
        elif isinstance(piece, Text):
            section = "reasoning" if piece.reasoning else "message"
            if self._open != section:
                yield from self._switch(section)
            self._words.append(piece.text)
            yield {"type": f"{section}.delta", "content": piece.text}
        elif isinstance(piece, ToolUse):
            yield from self._switch(None)
            yield from self._tool(piece)
        elif isinstance(piece, Finished):
            self.stats = piece.stats
            yield from self._switch(None)

    def abort(self) -> Iterator[Json]:
        """Close what is open after an error."""
        yield from self._switch(None)

    def _switch(self, section: str | None) -> Iterator[Json]:
        """End the open section and begin another; `section` None begins none."""
        if self._open is not None:
            yield {"type": f"{self._open}.end"}
            if self._open != "prompt_processing":
                self._items.append({"type": self._open, "content": "".join(self._words)})
        self._open, self._words = section, []
        if section is not None:
            yield {"type": f"{section}.start"}

    def _tool(self, use: ToolUse) -> Iterator[Json]:
        call: Json = {"tool": use.tool, "provider_info": use.provider}
        yield {"type": "tool_call.start"} | call
        yield {"type": "tool_call.arguments", "arguments": use.arguments} | call
        if use.failure is None:
            done = call | {"arguments": use.arguments, "output": use.output}
            self._items.append({"type": "tool_call"} | done)
            yield {"type": "tool_call.success"} | done
            return
        metadata: Json = {"type": f"invalid_{use.invalid}", "tool_name": use.tool}
        if use.invalid == "arguments":
            metadata |= {"arguments": use.arguments, "provider_info": use.provider}
        failed: Json = {"reason": use.failure, "metadata": metadata}
        self._items.append({"type": "invalid_tool_call"} | failed)
        yield {"type": "tool_call.failure"} | failed

    def result(self, response_id: str | None) -> Json:
        """The whole answer, as without streaming."""
        stats = self.stats or Stats("failed")
        numbers: Json = {
            "input_tokens": stats.prompt_tokens or 0,
            "total_output_tokens": stats.predicted_tokens or 0,
            "reasoning_output_tokens": stats.reasoning_tokens,
            "tokens_per_second": stats.tokens_per_second or 0.0,
            "time_to_first_token_seconds": stats.ttft_s or 0.0,
        }
        if self.load_s is not None:
            numbers["model_load_time_seconds"] = round(self.load_s, 3)
        whole: Json = {"model_instance_id": self._instance_id, "output": list(self._items), "stats": numbers}
        if response_id is not None:
            whole["response_id"] = response_id
        return whole
