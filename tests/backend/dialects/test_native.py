import json

import pytest

from lmdeck.backend.dialects.native import body, decode
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatFault,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ModelLoading,
    PromptProcessing,
    ReasoningDelta,
    Said,
    ToolCall,
    Tools,
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


def test_nothing_set_sends_the_question_alone():
    sent = body(ChatRequest("m", "hi", "", "", history=(Said("user", "before"),)), str)
    assert sent == {"model": "m", "input": "hi", "stream": True}


def test_what_is_set_is_sent_zero_and_false_included():
    limits = {"max_output_tokens": 1, "temperature": 0, "reasoning": "off", "seed": 7}
    request = ChatRequest("m", "hi", "resp_1", "Be short.", store=False, parameters=limits)
    assert body(request, str) == {
        "model": "m",
        "input": "hi",
        "stream": True,
        "previous_response_id": "resp_1",
        "system_prompt": "Be short.",
        "max_output_tokens": 1,
        "temperature": 0,
        "reasoning": "off",
        "store": False,
    }


def test_images_go_beside_the_text():
    image = {"type": "image", "data_url": "data:image/png;base64,AA=="}
    both = body(ChatRequest("m", "look", images=("data:image/png;base64,AA==",)), str)
    assert both["input"] == [{"type": "text", "content": "look"}, image]
    assert body(ChatRequest("m", "", images=("data:image/png;base64,AA==",)), str)["input"] == [image]


def test_plugins_and_servers_with_the_values_of_their_headers():
    tools = (
        Tools("play", plugin_id="mcp/playwright"),
        Tools("files", plugin_id="mcp/files", allowed_tools=("read",)),
        Tools("web", server_url="https://example.org/mcp", headers={"Authorization": "WEB_KEY"}),
        Tools("maps", server_url="https://example.org/maps", allowed_tools=("find",)),
    )
    assert body(ChatRequest("m", "hi", tools=tools), lambda name: f"value of {name}")["integrations"] == [
        "mcp/playwright",
        {"type": "plugin", "id": "mcp/files", "allowed_tools": ["read"]},
        {
            "type": "ephemeral_mcp",
            "server_label": "web",
            "server_url": "https://example.org/mcp",
            "headers": {"Authorization": "value of WEB_KEY"},
        },
        {
            "type": "ephemeral_mcp",
            "server_label": "maps",
            "server_url": "https://example.org/maps",
            "allowed_tools": ["find"],
        },
    ]
