"""The compatible dialects without a server: llama-server's streams put together, and what SmolLM2 cannot show."""

import pytest

from lmdeck.demo.anthropic_api import MessageCall, as_messages
from lmdeck.demo.anthropic_events import whole_message
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.errors import ApiError
from lmdeck.demo.faults import Faults
from lmdeck.demo.fields import FieldError
from lmdeck.demo.openai_chat import ChatCall
from lmdeck.demo.openai_chunks import whole_chat
from lmdeck.demo.openai_items import read_items
from lmdeck.demo.openai_responses import ResponseCall
from lmdeck.demo.openai_tally import Tally

MESSAGES = [{"role": "user", "content": "x"}]
TIMINGS = {"cache_n": 24, "prompt_n": 7, "prompt_ms": 30.0, "predicted_n": 5, "predicted_ms": 50.0}


def delta(index: int = 0, finish: str | None = None, **fields: object) -> dict:
    return {"id": "c", "choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


def test_split_tool_calls_texts_and_logprobs_are_joined():
    calls = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"q":'}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": "1}"}},
    ]
    chunks = [
        delta(role="assistant", content=None),
        delta(1, content="other"),
        delta(reasoning_content="hm"),
        delta(reasoning_content="m"),
        *(delta(tool_calls=[call]) for call in calls),
        delta(finish="tool_calls"),
        delta(1, finish="stop"),
        {"choices": [], "usage": {"total_tokens": 3}},
    ]
    whole = whole_chat(chunks)
    assert (whole["id"], whole["object"], whole["usage"]) == ("c", "chat.completion", {"total_tokens": 3})
    first, second = whole["choices"]
    assert first["finish_reason"] == "tool_calls"
    assert first["message"] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "hmm",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"q":1}'}},
            {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }
    assert second == {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": "other"}}


def test_a_chat_body_goes_to_llama_server_with_little_changed():
    body = {"model": "m", "ttl": 5, "messages": MESSAGES, "seed": None, "logit_bias": {"7": -1}}
    call = ChatCall(body)
    assert call.upstream() == {
        "messages": MESSAGES,
        "logit_bias": {"7": -1},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    streamed = ChatCall({"messages": MESSAGES, "stream": True})
    assert streamed.upstream() == {"messages": MESSAGES, "stream": True}


@pytest.mark.parametrize(
    ("limit", "finish", "reason"),
    [
        (5, "length", "maxPredictedTokensReached"),
        (None, "length", "contextLengthReached"),
        (9, "length", "contextLengthReached"),
        (5, "stop", "eosFound"),
        (5, "tool_calls", "toolCalls"),
        (5, None, "userStopped"),
    ],
)
def test_the_tally_of_a_stream(limit, finish, reason):
    tally = Tally(limit)
    call = ChatCall({"messages": MESSAGES})
    for data in (delta(role="assistant", content=None), delta(content="a"), delta(1, content="x"), delta(content="b")):
        call.hear(data, tally)
    call.hear(delta(finish=finish) | {"timings": TIMINGS}, tally)
    stats = tally.stats()
    assert (tally.text, stats.stop_reason) == ("ab\nx", reason)
    assert (stats.prompt_tokens, stats.predicted_tokens, stats.ttft_s, stats.total_s) == (31, 5, 0.03, 0.08)


def test_a_message_without_timings_is_timed_by_the_clock():
    tally = Tally()
    call = MessageCall({"messages": MESSAGES})
    for data in (
        {"type": "message_start", "message": {"usage": {"input_tokens": 1, "cache_read_input_tokens": 31}}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": "a"}},
        {"type": "message_delta", "usage": {"output_tokens": 6}},
    ):
        call.hear(data, tally)
    stats = tally.stats()
    assert (stats.prompt_tokens, stats.predicted_tokens, stats.stop_reason) == (32, 6, "stopStringFound")
    assert 0 <= stats.ttft_s <= stats.total_s
    assert stats.tokens_per_second > 0


def test_llama_servers_reasoning_and_calls_get_their_places_and_ids():
    """llama-server ends its items only after all of them have begun, and its calls have no `id`."""
    conversations = Conversations(Faults())
    call = ResponseCall({"model": "m", "input": "x"}, conversations)
    thought = {"id": "rs_1", "type": "reasoning", "content": []}
    used = {"type": "function_call", "call_id": "fc_1", "name": "f", "arguments": "{}"}
    done = {"id": "resp_1", "status": "completed", "output": [thought, used], "usage": {"output_tokens": 9}}
    events = [
        call.event(data, "m:2")
        for data in (
            {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
            {"type": "response.output_item.added", "item": thought},
            {"type": "response.reasoning_text.delta", "item_id": "rs_1", "delta": "hm"},
            {"type": "response.output_item.added", "item": used},
            {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": "{}"},
            {"type": "response.output_item.done", "item": thought},
            {"type": "response.output_item.done", "item": used},
            {"type": "response.completed", "response": done},
        )
    ]
    assert [event.data.get("output_index") for event in events] == [None, 0, 0, 1, 1, 0, 1, None]
    assert [event.data["sequence_number"] for event in events] == list(range(8))
    assert events[-2].data["item"]["id"] == "fc_1"
    response = events[-1].data["response"]
    assert (response["model"], response["output"][1]["id"], response["tool_choice"]) == ("m:2", "fc_1", "auto")
    tally = Tally()
    call.hear(events[-1].data, tally)
    assert (tally.stop_reason, tally.predicted_tokens) == ("toolCalls", 9)
    kept = conversations.get("resp_1")
    assert [item["type"] for item in kept] == ["message", "function_call"]


def test_items_are_put_into_llama_servers_stricter_form():
    items = read_items(
        [
            {"role": "user", "content": "a"},
            {"type": "reasoning", "summary": []},
            {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
        ]
    )
    assert items[0] == {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}
    assert items[1]["content"] == [{"type": "output_text", "text": "b", "annotations": [], "logprobs": []}]
    assert items[1]["id"].startswith("msg_")
    assert len(items) == 2


def test_a_whole_message_joins_its_blocks():
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "input": {}}}
    part = {"type": "content_block_delta", "index": 0}
    message = whole_message(
        [
            {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 3}}},
            start,
            part | {"delta": {"type": "input_json_delta", "partial_json": '{"a": '}},
            part | {"delta": {"type": "input_json_delta", "partial_json": "[1]}"}},
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}},
        ]
    )
    assert message == {
        "id": "m",
        "content": [{"type": "tool_use", "id": "t", "input": {"a": [1]}}],
        "usage": {"input_tokens": 3, "output_tokens": 4},
        "stop_reason": "tool_use",
    }


def test_anthropics_blocks_as_openais_messages():
    blocks = [
        {"type": "tool_result", "tool_use_id": "t", "content": "42"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        {"type": "text", "text": "look"},
    ]
    assert as_messages({"role": "user", "content": blocks}) == [
        {"role": "tool", "tool_call_id": "t", "content": "42"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                {"type": "text", "text": "look"},
            ],
        },
    ]


def test_a_choice_of_a_tool_that_is_not_there_is_refused():
    tools = [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]
    choice = {"type": "function", "function": {"name": "g"}}
    ask = ChatCall({"messages": MESSAGES, "tools": tools, "tool_choice": choice}).ask
    assert ([function.name for function in ask.functions], ask.must_call) == (["g"], True)
    with pytest.raises(FieldError, match="'h'"):
        ChatCall({"messages": MESSAGES, "tools": tools, "tool_choice": {"function": {"name": "h"}}})


@pytest.mark.parametrize(
    ("error", "openai", "anthropic"),
    [
        (ApiError(400, "invalid_request", "m", param="p"), ("invalid_request_error", None), "invalid_request_error"),
        (ApiError(401, "invalid_request", "m", code="k"), ("invalid_request_error", "k"), "authentication_error"),
        (ApiError(404, "model_not_found", "m"), ("invalid_request_error", "model_not_found"), "not_found_error"),
        (ApiError(500, "model_load_failed", "m"), ("server_error", "model_load_failed"), "api_error"),
    ],
)
def test_the_shapes_of_errors(error, openai, anthropic):
    kind, code = openai
    assert error.openai() == {"error": {"message": "m", "type": kind, "param": error.param, "code": code}}
    assert error.anthropic() == {"type": "error", "error": {"type": anthropic, "message": "m"}}
