"""An answer's turn, whole and at every moment before."""

import itertools

import pytest

from lmdeck.conversations import recorder as module
from lmdeck.conversations.recorder import UNFINISHED, Recorder
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
from lmdeck.model.conversation import Turn
from lmdeck.model.problem import Problem

STATS = ChatStats(12, 34, tokens_per_second=41.3)
EVENTS = (
    ChatStarted("qwen:2"),
    ModelLoading(0.5),
    PromptProcessing(done=True),
    ReasoningDelta("Let me "),
    ReasoningDelta("think"),
    ReasoningDelta("", done=True),
    ToolCall("search", "called", provider="mcp/x"),
    ToolCall("search", "arguments", '{"q": 1}', provider="mcp/x"),
    ToolCall("search", "success", '{"q": 1}', "found", "mcp/x"),
    MessageDelta("Hel"),
    MessageDelta("lo"),
    ChatEnded(STATS, "resp_1", "qwen:3", "Hello"),
)


def recorded(*events, cut_off="", **options) -> Turn:
    recorder = Recorder("a", "u", "/api/v1/chat", "http://here:1", lambda: 7.0, **options)
    for event in events:
        recorder.feed(event)
    return recorder.turn(cut_off)


def test_a_whole_answer():
    assert recorded(*EVENTS) == Turn(
        "a", "u", "assistant", "Hello", 7.0, reasoning="Let me think",
        tools=(ToolCall("search", "success", '{"q": 1}', "found", "mcp/x"),), instance_id="qwen:3",
        endpoint="/api/v1/chat", server="http://here:1", response_id="resp_1", stats=STATS,
    )  # fmt: skip


def test_at_every_moment_there_is_a_turn_that_says_it_is_not_whole():
    recorder = Recorder("a", "u", "/e", "s", itertools.count(5.0).__next__)
    assert recorder.empty
    seen = []
    for event in EVENTS:
        recorder.feed(event)
        seen.append(recorder.turn())
    assert [turn.cut_off for turn in seen] == [UNFINISHED] * (len(EVENTS) - 1) + [""]
    assert [turn.text for turn in seen[-4:]] == ["", "Hel", "Hello", "Hello"]
    assert [turn.reasoning for turn in seen[2:5]] == ["", "Let me ", "Let me think"]
    assert [call.state for turn in seen[6:9] for call in turn.tools] == ["called", "arguments", "success"]
    assert {turn.at for turn in seen} == {5.0}
    assert not recorder.empty


@pytest.mark.parametrize("event", [MessageDelta("x"), ReasoningDelta("x"), ToolCall("t", "called")])
def test_what_is_worth_keeping(event):
    recorder = Recorder("a", "u", "/e", "s", lambda: 0.0)
    for nothing in (ChatStarted("m"), MessageDelta(""), ReasoningDelta("", done=True), PromptProcessing()):
        recorder.feed(nothing)
    assert recorder.empty
    recorder.feed(event)
    assert not recorder.empty


def test_a_stream_that_was_cut_off_keeps_what_came():
    turn = recorded(*EVENTS[:10], cut_off="stopped by you")
    assert (turn.text, turn.cut_off, turn.response_id, turn.stats) == ("Hel", "stopped by you", None, None)


def test_an_error_within_the_stream_is_the_reason():
    fault = ChatFault(Problem("unknown", "the engine died"))
    assert recorded(MessageDelta("Hel"), fault, ChatEnded(STATS)).cut_off == "unknown: the engine died"
    assert recorded(MessageDelta("Hel"), fault, cut_off="the stream ended").cut_off == "unknown: the engine died"


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ("", ""), ("stop", ""), ("eosFound", ""), ("end_turn", ""), ("length", "token limit reached (length)"),
        ("contextLengthReached", "context is full (contextLengthReached)"),
    ],
)  # fmt: skip
def test_a_model_that_stopped_early(stop, words):
    turn = recorded(MessageDelta("Hel"), ChatEnded(STATS, "resp_1", stop=stop))
    assert (turn.cut_off, turn.response_id) == (words, "resp_1")
    assert (
        recorded(MessageDelta("x"), ChatEnded(STATS, stop=stop), cut_off="stopped by you").cut_off == "stopped by you"
    )


def test_an_answer_that_came_only_at_the_end():
    assert recorded(ChatEnded(STATS, text="Hello")).text == "Hello"


def test_an_id_of_which_the_server_keeps_nothing_leads_nowhere():
    assert recorded(ChatEnded(STATS, "resp_1"), stored=False).response_id is None


def test_tool_calls_join_what_is_known_of_them():
    calls = recorded(
        ToolCall("a", "called", provider="p"),
        ToolCall("a", "arguments", "{}"),
        ToolCall("a", "failure", reason="no"),
        ToolCall("a", "called"),
        ToolCall("b", "called"),
        ToolCall("a", "arguments", "[1]"),
        ToolCall("b", "success", "[2]", "two"),
        ToolCall("a", "success", output="one"),
        ToolCall("", "failure", reason="invalid name"),
    ).tools
    assert calls == (
        ToolCall("a", "failure", "{}", provider="p", reason="no"),
        ToolCall("a", "success", "[1]", "one"),
        ToolCall("b", "success", "[2]", "two"),
        ToolCall("", "failure", reason="invalid name"),
    )


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST_TEXT", 5)
    monkeypatch.setattr(module, "MOST_CALLS", 2)
    turn = recorded(*[MessageDelta("abc")] * 3, *[ReasoningDelta("xyz")] * 3, *[ToolCall("t", "called")] * 3)
    assert (turn.text, turn.reasoning, len(turn.tools)) == ("abcab", "xyzxy", 2)
