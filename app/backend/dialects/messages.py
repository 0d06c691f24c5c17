"""Anthropic's `POST /v1/messages`."""

from collections.abc import Iterator

from lmdeck.backend.decode import as_json, count, fields, text
from lmdeck.backend.dialects.common import Fields, Reveal, data_of, failure, turns
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ReasoningDelta,
    Said,
    ToolCall,
)
from lmdeck.model.parameters import wire


def body(request: ChatRequest, reveal: Reveal) -> Fields:
    """The request, streamed: every turn with its role, the system prompt beside them."""
    sent: Fields = {"model": request.model, "messages": [_message(said) for said in turns(request)], "stream": True}
    if request.system_prompt:
        sent["system"] = request.system_prompt
    return sent | wire(request.parameters, request.endpoint)


def _message(said: Said) -> Fields:
    if not said.images:
        return {"role": said.role, "content": said.text}
    blocks: list[Fields] = [{"type": "image", "source": _source(url)} for url in said.images]
    return {"role": said.role, "content": [*blocks, {"type": "text", "text": said.text}] if said.text else blocks}


def _source(data_url: str) -> Fields:
    head, _, data = data_url.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    return {"type": "base64", "media_type": media_type, "data": data}


class Decoder:
    """Reads the events of one message, which is whole with `message_stop`. Its blocks come one after the other."""

    def __init__(self) -> None:
        self._model = ""
        self._usage: Fields = {}
        self._stop = ""
        self._block: Fields = {}
        self._arguments = ""

    def feed(self, event: SSEEvent) -> Iterator[ChatEvent]:
        """What one event says."""
        data = data_of(event)
        match text(data.get("type")) or event.event:
            case "message_start":
                message = fields(data.get("message"))
                self._model, self._usage = text(message.get("model")) or "", fields(message.get("usage"))
                yield ChatStarted(self._model)
            case "content_block_start":
                yield from self._begin(fields(data.get("content_block")))
            case "content_block_delta":
                yield from self._delta(fields(data.get("delta")))
            case "content_block_stop":
                yield from self._end_block()
            case "message_delta":
                self._usage = self._usage | fields(data.get("usage"))
                self._stop = text(fields(data.get("delta")).get("stop_reason")) or self._stop
            case "message_stop":
                yield ChatEnded(self._statistics(), instance_id=self._model or None, stop=self._stop)
            case _:
                yield from failure(data, self._statistics())

    def close(self) -> Iterator[ChatEvent]:
        """Without `message_stop` it was cut off."""
        return iter(())

    def _begin(self, block: Fields) -> Iterator[ChatEvent]:
        self._block, self._arguments = block, ""
        match block.get("type"):
            case "text" if said := text(block.get("text")):
                yield MessageDelta(said)
            case "thinking" if thought := text(block.get("thinking")):
                yield ReasoningDelta(thought)
            case "tool_use":
                yield ToolCall(text(block.get("name")) or "", "called")

    def _delta(self, delta: Fields) -> Iterator[ChatEvent]:
        if said := text(delta.get("text")):
            yield MessageDelta(said)
        if thought := text(delta.get("thinking")):
            yield ReasoningDelta(thought)
        self._arguments += text(delta.get("partial_json")) or ""

    def _end_block(self) -> Iterator[ChatEvent]:
        block, self._block = self._block, {}
        if block.get("type") == "thinking":
            yield ReasoningDelta("", done=True)
        if block.get("type") == "tool_use":
            arguments = self._arguments or as_json(block.get("input"))
            yield ToolCall(text(block.get("name")) or "", "arguments", arguments)

    def _statistics(self) -> ChatStats:
        read = [count(self._usage.get(name)) for name in ("input_tokens", "cache_read_input_tokens")]
        known = [tokens for tokens in (*read, count(self._usage.get("cache_creation_input_tokens"))) if tokens]
        return ChatStats(input_tokens=sum(known) or None, output_tokens=count(self._usage.get("output_tokens")))
