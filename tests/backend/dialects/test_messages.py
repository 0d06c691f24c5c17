"""Anthropic's messages: requests, and events that the demo's engines do not send."""

import json

from lmdeck.backend.dialects.messages import Decoder, body
from lmdeck.backend.sse import SSEEvent
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatRequest,
    ChatStats,
    MessageDelta,
    ReasoningDelta,
    Said,
    ToolCall,
)
from lmdeck.model.endpoints import MESSAGES
from lmdeck.model.problem import Problem

JPEG = "data:image/jpeg;base64,/9j/"


def read(*events: dict[str, object]) -> list[ChatEvent]:
    decoder = Decoder()
    sent = [SSEEvent(str(data["type"]), json.dumps(data)) for data in events]
    return [said for event in sent for said in decoder.feed(event)] + list(decoder.close())


def test_what_is_sent_and_what_must_be():
    history = (Said("user", "one"), Said("assistant", "two"))
    request = ChatRequest(
        "m", "three", system_prompt="Be kind.", endpoint=MESSAGES.path, history=history, images=(JPEG,)
    )
    source = {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}
    assert body(request, str) == {
        "model": "m",
        "stream": True,
        "system": "Be kind.",
        "max_tokens": 8192,
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "three"}]},
        ],
    }
    bounded = ChatRequest("m", "x", endpoint=MESSAGES.path, parameters={"max_output_tokens": 3, "stop": ["a"]})
    sent = body(bounded, str)
    assert (sent["max_tokens"], sent["stop_sequences"]) == (3, ["a"])


def test_blocks_that_begin_with_their_content_and_calls_without_pieces():
    use = {"type": "tool_use", "name": "f", "input": {"a": 1}}
    events = read(
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "h"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "m"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "Hi"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": use},
        {"type": "content_block_stop", "index": 2},
    )
    assert events == [
        ReasoningDelta("h"),
        ReasoningDelta("m"),
        ReasoningDelta("", done=True),
        MessageDelta("Hi"),
        ToolCall("f", "called"),
        ToolCall("f", "arguments", '{"a": 1}'),
    ]


def test_tokens_from_a_cache_are_read_too():
    usage = {"input_tokens": 3, "cache_read_input_tokens": 30, "output_tokens": 1}
    *_, ended = read(
        {"type": "message_start", "message": {"model": "m", "usage": usage}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )
    assert ended == ChatEnded(ChatStats(33, 7), instance_id="m", stop="end_turn")


def test_an_error_ends_the_answer():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    assert read(error) == [ChatFault(Problem("overloaded_error", "busy")), ChatEnded(ChatStats())]
