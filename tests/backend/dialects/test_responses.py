"""Responses: requests, and events that the demo's engines do not send."""

import json

import pytest

from lmdeck.backend.dialects.responses import Decoder, body
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatRequest,
    ChatStarted,
    ChatStats,
    MessageDelta,
    ReasoningDelta,
    Said,
    ToolCall,
    Tools,
)
from lmdeck.model.endpoints import RESPONSES
from lmdeck.model.problem import Problem

PNG = "data:image/png;base64,AA=="


def read(*events: dict[str, object]) -> list[ChatEvent]:
    decoder = Decoder()
    sent = [SSEEvent(str(data["type"]), json.dumps(data)) for data in events]
    return [said for event in sent for said in decoder.feed(event)] + list(decoder.close())


def test_an_answer_that_goes_on_on_the_server():
    parameters = {"reasoning": "low", "max_output_tokens": 9}
    request = ChatRequest("m", "hi", "resp_1", "Be kind.", store=False, endpoint=RESPONSES.path, parameters=parameters)
    assert body(request, str) == {
        "model": "m",
        "input": "hi",
        "stream": True,
        "previous_response_id": "resp_1",
        "instructions": "Be kind.",
        "store": False,
        "reasoning": {"effort": "low"},
        "max_output_tokens": 9,
    }


def test_history_and_images_are_items():
    history = (Said("user", "one"), Said("assistant", "two"))
    request = ChatRequest("m", "three", endpoint=RESPONSES.path, history=history, images=(PNG,))
    assert body(request, str)["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "one"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "three"},
                {"type": "input_image", "image_url": PNG, "detail": "auto"},
            ],
        },
    ]


def test_mcp_servers_can_be_named_and_plugins_cannot():
    tools = (
        Tools("play", plugin_id="mcp/playwright"),
        Tools("web", server_url="https://example.org", allowed_tools=("find",), headers={"X-Key": "WEB_KEY"}),
    )
    request = ChatRequest("m", "hi", endpoint=RESPONSES.path, tools=tools)
    assert body(request, lambda name: f"<{name}>")["tools"] == [
        {
            "type": "mcp",
            "server_label": "web",
            "server_url": "https://example.org",
            "allowed_tools": ["find"],
            "headers": {"X-Key": "<WEB_KEY>"},
        }
    ]


@pytest.mark.parametrize("kind", ["reasoning_text", "reasoning_summary_text"])
def test_thoughts_and_their_summary_are_not_told_twice(kind):
    other = {"reasoning_text": "reasoning_summary_text"}.get(kind, "reasoning_text")
    assert read(
        {"type": "response.created", "response": {"model": "m"}},
        {"type": "response.in_progress", "response": {"model": "m"}},
        {"type": f"response.{kind}.delta", "delta": "hm"},
        {"type": f"response.{other}.delta", "delta": "hm again"},
        {"type": "response.output_item.done", "item": {"type": "reasoning"}},
        {"type": "response.refusal.delta", "delta": "No."},
    ) == [ChatStarted("m"), ReasoningDelta("hm"), ReasoningDelta("", done=True), MessageDelta("No.")]


@pytest.mark.parametrize(
    ("outcome", "last"),
    [
        ({"output": "found"}, ToolCall("find", "success", '{"q": 1}', "found", "web")),
        ({"error": {"message": "gone"}}, ToolCall("find", "failure", '{"q": 1}', "", "web", "gone")),
        (
            {"error": {"type": "mcp_tool_execution_error", "content": ["x"]}},
            ToolCall("find", "failure", '{"q": 1}', "", "web", '["x"]'),
        ),
        ({"error": "gone"}, ToolCall("find", "failure", '{"q": 1}', "", "web", "gone")),
    ],
)
def test_calls_that_the_server_ran(outcome, last):
    call = {"type": "mcp_call", "name": "find", "server_label": "web"}
    assert read(
        {"type": "response.output_item.added", "item": call | {"arguments": ""}},
        {"type": "response.output_item.done", "item": call | {"arguments": '{"q": 1}'} | outcome},
    ) == [ToolCall("find", "called", provider="web"), ToolCall("find", "arguments", '{"q": 1}', "", "web"), last]


def test_what_was_not_stored_cannot_be_gone_on_from():
    usage = {"input_tokens": 5, "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 2}}
    part = {"type": "output_text", "text": "Hi"}
    response = {"id": "resp_1", "model": "m", "usage": usage, "output": [{"type": "message", "content": [part]}]}
    incomplete = response | {"incomplete_details": {"reason": "max_output_tokens"}, "store": False}
    assert read({"type": "response.completed", "response": response}) == [
        ChatEnded(ChatStats(5, 3, 2), "resp_1", "m", "Hi")
    ]
    assert read({"type": "response.incomplete", "response": incomplete}) == [
        ChatEnded(ChatStats(5, 3, 2), None, "m", "Hi", "max_output_tokens")
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"type": "error", "code": "x", "message": "no", "param": None}, Problem("error", "no")),
        ({"type": "error", "error": {"type": "server_error", "message": "no"}}, Problem("server_error", "no")),
        ({"type": "response.failed", "response": {"error": {"code": "x", "message": "no"}}}, Problem("error", "no")),
        ({"type": "response.failed", "response": {}}, Problem("error", "")),
        ({"type": "odd", "error": "no"}, Problem("error", "no")),
    ],
)
def test_every_shape_of_an_error_ends_the_answer(data, problem):
    assert read(data) == [ChatFault(problem), ChatEnded(ChatStats())]
