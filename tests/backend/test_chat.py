import json

import pytest

from lmdeck.backend.chat import decode
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
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

PROVIDER = {"type": "plugin", "plugin_id": "mcp/playwright"}
RESULT = {
    "model_instance_id": "m:2",
    "output": [
        {"type": "reasoning", "content": "hm"},
        {"type": "message", "content": "Hel"},
        {"type": "tool_call", "tool": "t"},
        {"type": "message", "content": "lo"},
        "odd",
    ],
    "stats": {
        "input_tokens": 329,
        "total_output_tokens": 268,
        "reasoning_output_tokens": 5,
        "tokens_per_second": 43.7,
        "time_to_first_token_seconds": 0.78,
        "model_load_time_seconds": 2.1,
    },
    "response_id": "resp_1",
}


def event(kind: str, **data: object) -> SSEEvent:
    return SSEEvent(kind, json.dumps({"type": kind, **data}))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (event("chat.start", model_instance_id="m"), ChatStarted("m")),
        (event("model_load.start", model_instance_id="m"), ModelLoading(0.0)),
        (event("model_load.progress", progress=0.65), ModelLoading(0.65)),
        (event("model_load.progress", progress="x"), ModelLoading(None)),
        (event("model_load.end", load_time_seconds=12.3), ModelLoading(1.0, done=True)),
        (event("prompt_processing.start"), PromptProcessing(0.0)),
        (event("prompt_processing.progress", progress=7), PromptProcessing(1.0)),
        (event("prompt_processing.end"), PromptProcessing(1.0, done=True)),
        (event("reasoning.delta", content="hm"), ReasoningDelta("hm")),
        (event("reasoning.end"), ReasoningDelta("", done=True)),
        (event("message.delta", content="Hi"), MessageDelta("Hi")),
        (event("message.delta"), MessageDelta("")),
        (event("chat.end"), ChatEnded(ChatStats())),
        (
            event("chat.end", result=RESULT),
            ChatEnded(ChatStats(329, 268, 5, 43.7, 0.78, 2.1), "resp_1", "m:2", "Hello"),
        ),
        (
            event("error", error={"type": "invalid_request", "message": "no", "code": "unknown"}),
            ChatFault(Problem("invalid_request", "no")),
        ),
        (event("error", error="words"), ChatFault(Problem("error", "words"))),
        (SSEEvent("error", "{}"), ChatFault(Problem("error"))),
        (SSEEvent("message.delta", '{"content": "no type"}'), MessageDelta("no type")),
    ],
)
def test_every_event_has_its_value(sent, expected):
    assert decode(sent) == expected


@pytest.mark.parametrize(
    "sent",
    [
        event("message.start"),
        event("message.end"),
        event("reasoning.start"),
        event("event.of.the.future", x=1),
        event("tool_call.unknown"),
        SSEEvent("message", "[DONE]"),
        SSEEvent("message", "[1]"),
        SSEEvent("chat", "{}"),
    ],
)
def test_what_says_nothing_is_passed_over(sent):
    assert decode(sent) is None


def test_a_tool_call_from_its_start_to_its_end():
    call = {"tool": "goto", "provider_info": PROVIDER}
    arguments = {"url": "https://example.org"}
    shown = '{"url": "https://example.org"}'
    assert decode(event("tool_call.start", **call)) == ToolCall("goto", "called", provider="mcp/playwright")
    assert decode(event("tool_call.arguments", **call, arguments=arguments)) == ToolCall(
        "goto", "arguments", shown, provider="mcp/playwright"
    )
    assert decode(event("tool_call.success", **call, arguments=arguments, output="ok")) == ToolCall(
        "goto", "success", shown, "ok", "mcp/playwright"
    )
    failure = {"type": "invalid_name", "tool_name": "goo", "arguments": {}, "provider_info": {"server_label": "s"}}
    assert decode(event("tool_call.failure", reason="no such tool", metadata=failure)) == ToolCall(
        "goo", "failure", "{}", provider="s", reason="no such tool"
    )
