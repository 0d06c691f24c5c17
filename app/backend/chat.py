"""The events of `POST /api/v1/chat` with `stream: true`, as the deck's values."""

from lmdeck.backend.decode import as_json, count, fields, number, parse, records, text
from lmdeck.backend.refusal import error_words
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ModelLoading,
    PromptProcessing,
    ReasoningDelta,
    ToolCall,
)
from lmdeck.model.problem import Problem

Fields = dict[str, object]


def decode(event: SSEEvent) -> ChatEvent | None:
    """One event of the stream; None for those that say nothing (`message.start` …), unknown ones included."""
    try:
        data = fields(parse(event.data))
    except ValueError:
        return None
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
    if words is None:
        return Problem("error")
    return Problem(words.kind or "error", words.message)
