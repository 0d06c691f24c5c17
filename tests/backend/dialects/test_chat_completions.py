"""Chat completions, and the older completions that share their chunks: requests, and chunks as they are in the wild."""

import json

import pytest

from lmdeck.backend.dialects import completions
from lmdeck.backend.dialects.chat_completions import Decoder, body
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
)
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS
from lmdeck.model.problem import Problem

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
DONE = SSEEvent("message", "[DONE]")
PNG = "data:image/png;base64,AA=="


def chunk(finish: str | None = None, **delta: object) -> SSEEvent:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return SSEEvent("message", json.dumps({"model": "m", "choices": [choice]}))


def read(*events: SSEEvent) -> list[ChatEvent]:
    decoder = Decoder()
    said = [found for event in events for found in decoder.feed(event)]
    return said if said and isinstance(said[-1], ChatEnded) else [*said, *decoder.close()]


def test_every_turn_is_sent_with_its_role():
    history = (Said("user", "one", (PNG,)), Said("assistant", "two"), Said("assistant", ""))
    request = ChatRequest(
        "m", "three", system_prompt="Be kind.", endpoint=CHAT_COMPLETIONS.path, history=history, images=(PNG,)
    )
    image = {"type": "image_url", "image_url": {"url": PNG}}
    assert body(request, str) == STREAMED | {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "one"}, image]},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": [{"type": "text", "text": "three"}, image]},
        ],
    }


def test_turns_of_one_side_in_a_row_are_one():
    history = (Said("user", "never answered", (PNG,)), Said("assistant", ""))
    request = ChatRequest("m", "again", endpoint=CHAT_COMPLETIONS.path, history=history[:1])
    (message,) = body(request, str)["messages"]
    assert message["content"][0] == {"type": "text", "text": "never answered\n\nagain"}
    assert len(message["content"]) == 2


def test_parameters_under_the_endpoints_names():
    parameters = {"max_output_tokens": 9, "reasoning": "off", "stop": ["x"], "context_length": 4096, "seed": 0}
    request = ChatRequest("m", "hi", endpoint=CHAT_COMPLETIONS.path, parameters=parameters)
    sent = body(request, str)
    assert {name: sent[name] for name in sent if name not in ("model", "messages", *STREAMED)} == {
        "max_tokens": 9,
        "reasoning_effort": "none",
        "stop": ["x"],
        "seed": 0,
    }


def test_text_that_goes_on():
    request = ChatRequest("m", "Once upon", endpoint=COMPLETIONS.path, parameters={"top_logprobs": 2})
    assert completions.body(request, str) == STREAMED | {"model": "m", "prompt": "Once upon", "logprobs": 2}
    told = ChatRequest("m", "Once upon", system_prompt="A tale.", endpoint=COMPLETIONS.path)
    assert completions.body(told, str)["prompt"] == "A tale.\n\nOnce upon"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_end_where_the_answer_begins(name):
    assert read(chunk(**{name: "hm"}), chunk(content=""), chunk(content="Hi"), chunk("stop"), DONE) == [
        ChatStarted("m"),
        ReasoningDelta("hm"),
        ReasoningDelta("", done=True),
        MessageDelta("Hi"),
        ChatEnded(ChatStats(), instance_id="m", stop="stop"),
    ]


def test_an_answer_is_whole_by_its_mark_or_by_its_finish():
    assert isinstance(read(chunk(content="a"), DONE)[-1], ChatEnded)
    assert isinstance(read(chunk(content="a"), chunk("length"))[-1], ChatEnded)
    assert read(chunk(content="a")) == [ChatStarted("m"), MessageDelta("a")]


def test_calls_that_come_in_pieces_are_told_one_after_the_other():
    def call(index: int, **function: str) -> SSEEvent:
        return chunk(tool_calls=[{"index": index, "function": function}])

    events = read(
        call(0, name="f", arguments=""),
        call(0, arguments='{"q":'),
        call(1, name="g", arguments="{}"),
        call(0, arguments="1}"),
        chunk("tool_calls"),
        DONE,
    )
    assert events[1:-1] == [
        ToolCall("f", "called"),
        ToolCall("f", "arguments", '{"q":1}'),
        ToolCall("g", "called"),
        ToolCall("g", "arguments", "{}"),
    ]


def test_counts_come_after_the_finish():
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 2}}
    last = SSEEvent("message", json.dumps({"choices": [], "usage": usage, "stats": {"tokens_per_second": 9.5}}))
    ended = read(chunk(content="a"), chunk("stop"), last, DONE)[-1]
    assert ended == ChatEnded(ChatStats(5, 3, 2, 9.5), instance_id="m", stop="stop")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"error": "plain words"}, Problem("error", "plain words")),
        ({"error": {"message": "no", "type": "server_error"}}, Problem("server_error", "no")),
    ],
)
def test_an_error_ends_the_answer(data, problem):
    events = read(chunk(content="a"), SSEEvent("error", json.dumps(data)))
    assert events[-2:] == [ChatFault(problem), ChatEnded(ChatStats())]


def test_an_error_that_lmdeck_knows_has_its_next_step():
    words = "request (5031 tokens) exceeds the available context size (4096 tokens), try increasing it"
    data = {"error": {"code": 400, "message": words, "type": "exceed_context_size_error"}}
    fault = read(SSEEvent("message", json.dumps(data)))[0]
    assert isinstance(fault, ChatFault)
    assert (fault.problem.title, fault.problem.detail) == ("the context is full", words)
    assert "load the model with a longer context" in fault.problem.next_step


@pytest.mark.parametrize("data", ["", "{", "[1]", "{}", '{"choices": 7}', '{"choices": [{"delta": "x"}]}', ": ping"])
def test_what_is_odd_says_nothing(data):
    assert read(SSEEvent("message", data)) == []
