"""LM Studio's own `POST /api/v1/chat`. It keeps the conversation itself and runs tools by itself."""

from collections.abc import Iterable

from lmdeck.backend.decode import as_json, count, fields, number, records, text
from lmdeck.backend.dialects.common import Fields, Reveal, data_of
from lmdeck.backend.refusal import error_words, problem_of
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ModelLoading,
    PromptProcessing,
    ReasoningDelta,
    ToolCall,
    Tools,
)
from lmdeck.model.parameters import wire
from lmdeck.model.problem import Problem


def body(request: ChatRequest, reveal: Reveal) -> Fields:
    """The request, streamed. The server has the history, so `request.history` is not sent."""
    said: object = request.input
    if request.images:
        images = [{"type": "image", "data_url": url} for url in request.images]
        said = [*([{"type": "text", "content": request.input}] if request.input else []), *images]
    sent: Fields = {"model": request.model, "input": said, "stream": True}
    if request.previous_response_id:
        sent["previous_response_id"] = request.previous_response_id
    if request.system_prompt:
        sent["system_prompt"] = request.system_prompt
    if request.store is not None:
        sent["store"] = request.store
    if request.tools:
        sent["integrations"] = [_integration(tools, reveal) for tools in request.tools]
    return sent | wire(request.parameters, request.endpoint)


def _integration(tools: Tools, reveal: Reveal) -> object:
    allowed: Fields = {"allowed_tools": list(tools.allowed_tools)} if tools.allowed_tools else {}
    if tools.plugin_id:
        return {"type": "plugin", "id": tools.plugin_id} | allowed if allowed else tools.plugin_id
    headers: Fields = {name: reveal(variable) for name, variable in tools.headers.items()}
    server: Fields = {"type": "ephemeral_mcp", "server_label": tools.label, "server_url": tools.server_url}
    return server | allowed | ({"headers": headers} if headers else {})


class Decoder:
    """Reads the events of an answer. The whole one ends with `chat.end`, after an `error` too."""

    def feed(self, event: SSEEvent) -> Iterable[ChatEvent]:
        """What an event says; nothing for those that only mark a beginning, and unknown ones."""
        found = decode(event)
        return () if found is None else (found,)

    def close(self) -> Iterable[ChatEvent]:
        """Without `chat.end` it was cut off."""
        return ()


def decode(event: SSEEvent) -> ChatEvent | None:
    """One event of the stream; None for those that say nothing (`message.start` …), unknown ones included."""
    data = data_of(event)
    kind = text(data.get("type")) or event.event
    group, _, step = kind.partition(".")
    match group, step:
        case "message", "delta":
            return MessageDelta(text(data.get("content")) or "")
        case "reasoning", "delta" | "end":
            return ReasoningDelta(text(data.get("content")) or "", done=step == "end")
        case "chat", "start":
            return ChatStarted(text(data.get("model_instance_id")) or "")
        case "chat", "end":
            return ended(fields(data.get("result")))
        case "model_load", "start" | "progress" | "end":
            return ModelLoading(_progress(step, data), done=step == "end")
        case "prompt_processing", "start" | "progress" | "end":
            return PromptProcessing(_progress(step, data), done=step == "end")
        case "tool_call", _:
            return _tool_call(step, data)
        case "error", "":
            return ChatFault(_problem(data))
    return None


def ended(result: Fields) -> ChatEnded:
    """The whole answer: `chat.end`'s `result`, or the body of an answer that was not streamed."""
    output = records(result.get("output"))
    messages = [text(item.get("content")) or "" for item in output if item.get("type") == "message"]
    return ChatEnded(
        stats=_stats(fields(result.get("stats"))),
        response_id=text(result.get("response_id")),
        instance_id=text(result.get("model_instance_id")),
        text="".join(messages),
    )


def _stats(stats: Fields) -> ChatStats:
    return ChatStats(
        input_tokens=count(stats.get("input_tokens")),
        output_tokens=count(stats.get("total_output_tokens")),
        reasoning_tokens=count(stats.get("reasoning_output_tokens")),
        tokens_per_second=number(stats.get("tokens_per_second")),
        ttft_s=number(stats.get("time_to_first_token_seconds")),
        load_time_s=number(stats.get("model_load_time_seconds")),
    )


def _progress(step: str, data: Fields) -> float | None:
    if step != "progress":
        return 0.0 if step == "start" else 1.0
    progress = number(data.get("progress"))
    return None if progress is None else min(1.0, max(0.0, progress))


def _tool_call(step: str, data: Fields) -> ToolCall | None:
    state = {"start": "called", "arguments": "arguments", "success": "success", "failure": "failure"}.get(step)
    if state is None:
        return None
    metadata = fields(data.get("metadata"))
    source = fields(data.get("provider_info")) or fields(metadata.get("provider_info"))
    arguments = data.get("arguments")
    return ToolCall(
        tool=text(data.get("tool")) or text(metadata.get("tool_name")) or "",
        state=state,
        arguments=as_json(metadata.get("arguments") if arguments is None else arguments),
        output=as_json(data.get("output")),
        provider=text(source.get("plugin_id")) or text(source.get("server_label")) or "",
        reason=text(data.get("reason")) or "",
    )


def _problem(data: Fields) -> Problem:
    words = error_words(data)
    return Problem("error") if words is None else problem_of(words)
