"""OpenAI's chat completions: `POST /v1/chat/completions`, and `/api/v0/chat/completions` with its statistics."""

from collections.abc import Iterator

from lmdeck.backend.decode import count, fields, number, records, text
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

DONE = "[DONE]"


def body(request: ChatRequest, reveal: Reveal) -> Fields:
    """The request, streamed with its token counts: every turn with its role, the system prompt first."""
    system = [Said("system", request.system_prompt)] if request.system_prompt else []
    messages = [_message(said) for said in (*system, *turns(request))]
    streamed: Fields = {"stream": True, "stream_options": {"include_usage": True}}
    return {"model": request.model, "messages": messages} | streamed | wire(request.parameters, request.endpoint)


def _message(said: Said) -> Fields:
    if not said.images:
        return {"role": said.role, "content": said.text}
    images = [{"type": "image_url", "image_url": {"url": url}} for url in said.images]
    return {"role": said.role, "content": [{"type": "text", "text": said.text}, *images] if said.text else images}


class Decoder:
    """Reads the chunks of one answer. It is whole with `[DONE]`, or once a `finish_reason` came; several answers were
    not asked for."""

    def __init__(self) -> None:
        self._model = ""
        self._finish = ""
        self._usage: Fields = {}
        self._stats: Fields = {}
        self._thinking = False
        self._calls: dict[int, ToolCall] = {}

    def feed(self, event: SSEEvent) -> Iterator[ChatEvent]:
        """What one chunk says."""
        if event.data.strip() == DONE:
            yield from self._end()
            return
        data = data_of(event)
        if failed := failure(data, self._statistics()):
            yield from failed
            return
        if not self._model and (model := text(data.get("model"))):
            self._model = model
            yield ChatStarted(model)
        self._usage = fields(data.get("usage")) or self._usage
        self._stats = fields(data.get("stats")) or self._stats
        for choice in records(data.get("choices"))[:1]:
            yield from self._choice(choice)

    def close(self) -> Iterator[ChatEvent]:
        """Some servers send no `[DONE]`."""
        if self._finish:
            yield from self._end()

    def _choice(self, choice: Fields) -> Iterator[ChatEvent]:
        delta = fields(choice.get("delta"))
        if thought := text(delta.get("reasoning_content")) or text(delta.get("reasoning")):
            self._thinking = True
            yield ReasoningDelta(thought)
        if said := text(delta.get("content")) or text(choice.get("text")):
            if self._thinking:
                self._thinking = False
                yield ReasoningDelta("", done=True)
            yield MessageDelta(said)
        for call in records(delta.get("tool_calls")):
            self._call(call)
        self._finish = text(choice.get("finish_reason")) or self._finish

    def _call(self, call: Fields) -> None:
        """A piece of a call: its name comes first, its arguments in parts."""
        place, function = count(call.get("index")) or 0, fields(call.get("function"))
        known = self._calls.get(place, ToolCall("", "arguments"))
        arguments = known.arguments + (text(function.get("arguments")) or "")
        self._calls[place] = ToolCall(known.tool or text(function.get("name")) or "", "arguments", arguments)

    def _end(self) -> Iterator[ChatEvent]:
        for call in self._calls.values():
            yield ToolCall(call.tool, "called")
            yield call
        stop = text(self._stats.get("stop_reason")) or self._finish
        yield ChatEnded(self._statistics(), instance_id=self._model or None, stop=stop)

    def _statistics(self) -> ChatStats:
        return ChatStats(
            input_tokens=count(self._usage.get("prompt_tokens")),
            output_tokens=count(self._usage.get("completion_tokens")),
            reasoning_tokens=count(fields(self._usage.get("completion_tokens_details")).get("reasoning_tokens")),
            tokens_per_second=number(self._stats.get("tokens_per_second")),
            ttft_s=number(self._stats.get("time_to_first_token")),
        )
