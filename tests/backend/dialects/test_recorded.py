"""Streams as real servers sent them: llama.cpp's own (`llama_…`), and the demo server's, whose shapes are LM Studio's.
Wherever their bytes are cut, they say the same."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from lmdeck.backend.dialects.answer import AnswerReader
from lmdeck.backend.dialects.table import DIALECTS
from lmdeck.model.chat import (
    ChatEnded,
    ChatEvent,
    ChatFault,
    ChatStarted,
    MessageDelta,
    ReasoningDelta,
    ToolCall,
)
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, MESSAGES, NATIVE, RESPONSES, V0_CHAT

FOLDER = Path(__file__).parent / "recorded"
ENDPOINTS = {
    "native": NATIVE,
    "openai": CHAT_COMPLETIONS,
    "responses": RESPONSES,
    "anthropic": MESSAGES,
    "completions": COMPLETIONS,
    "v0": V0_CHAT,
}
RECORDED = sorted(path.stem for path in FOLDER.glob("*.sse"))
GLM, SMOL, HA = "zai-org/glm-4.7-flash", "smollm2-135m-instruct", "ha-expert"
CRASH = "The model has crashed without additional information. (Exit code: 18446744072635812000)"
SORRY = "I'm sorry for your loss"
THOUGHT = "The user wrote 7 characters. I will answer."


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.sse").read_bytes()


def read(name: str, pieces: Iterable[bytes]) -> list[ChatEvent]:
    (path,) = {endpoint.path for part, endpoint in ENDPOINTS.items() if part in name.split("_")}
    answer = AnswerReader(DIALECTS[path].decoder(), lambda: 0.0)
    events = [event for piece in pieces for event in answer.feed(piece)]
    return events + list(answer.close())


@pytest.mark.parametrize("name", RECORDED)
def test_every_cut_gives_the_same_events(name):
    stream = raw(name)
    whole = read(name, [stream])
    assert isinstance(whole[-1], ChatEnded)
    for cut in range(len(stream)):
        assert read(name, (stream[:cut], stream[cut:])) == whole


@pytest.mark.parametrize("name", RECORDED)
def test_single_bytes_random_pieces_and_other_line_ends_give_the_same_events(name):
    stream = raw(name)
    whole = read(name, [stream])
    assert read(name, (stream[place : place + 1] for place in range(len(stream)))) == whole
    for seed in range(20):
        places = sorted(random.Random(seed).choices(range(len(stream)), k=30))
        assert read(name, map(lambda a, b: stream[a:b], [0, *places], [*places, len(stream)])) == whole
    assert read(name, [stream.replace(b"\n", b"\r\n")]) == whole


@pytest.mark.parametrize(
    ("name", "instance", "text", "thought", "stop", "tokens"),
    [
        ("native", GLM, "You said: grüße €", THOUGHT, "", (5, 12, 8)),
        ("openai", GLM, "You said: grüße €", THOUGHT, "stop", (5, 12, 8)),
        ("anthropic", GLM, "You said: grüße €", THOUGHT, "end_turn", (5, 12, None)),
        ("v0", GLM, "You said: grüße €", "", "eosFound", (5, 4, 0)),
        ("llama_openai", SMOL, SORRY, "", "length", (37, 6, None)),
        ("llama_responses", SMOL, SORRY, "", "", (37, 6, None)),
        ("llama_anthropic", SMOL, SORRY, "", "max_tokens", (37, 6, None)),
        ("llama_completions", SMOL, " 1.20\n", "", "length", (7, 6, None)),
    ],
)
def test_what_was_said(name, instance, text, thought, stop, tokens):
    events = read(name, [raw(name)])
    (ended,) = [event for event in events if isinstance(event, ChatEnded)]
    assert "".join(event.text for event in events if isinstance(event, MessageDelta)) == text
    assert ended.text in ("", text)
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == thought
    assert (ended.instance_id, ended.stop) == (instance, stop)
    assert (ended.stats.input_tokens, ended.stats.output_tokens, ended.stats.reasoning_tokens) == tokens
    assert [event.instance_id for event in events if isinstance(event, ChatStarted)] in ([instance], [""])
    assert [event for event in events if isinstance(event, ReasoningDelta) and event.done] == (
        [ReasoningDelta("", done=True)] if thought else []
    )


def test_the_servers_own_numbers_are_kept():
    for name, speed, measured in (("native", 1000.0, False), ("v0", 1000.0, False), ("openai", None, True)):
        ended = read(name, [raw(name)])[-1]
        assert isinstance(ended, ChatEnded)
        assert (ended.stats.tokens_per_second, ended.stats.measured) == (speed, measured)


@pytest.mark.parametrize("name", ["openai_tool", "responses_tool", "anthropic_tool"])
def test_a_functions_call(name):
    calls = [event for event in read(name, [raw(name)]) if isinstance(event, ToolCall)]
    assert calls == [ToolCall("look_up", "called"), ToolCall("look_up", "arguments", '{"query": "a tool"}')]


def test_a_call_by_the_server_that_fails():
    calls = [event for event in read("native_tool", [raw("native_tool")]) if isinstance(event, ToolCall)]
    assert [(call.tool, call.state, call.provider) for call in calls] == [
        ("lookup", "called", "web"),
        ("lookup", "arguments", "web"),
        ("lookup", "failure", "web"),
    ]
    assert calls[-1].reason == "Cannot find tool with name lookup."


@pytest.mark.parametrize("name", ["native_fault", "openai_fault", "responses_fault", "anthropic_fault"])
def test_an_error_in_the_stream_keeps_what_came_and_ends_it(name):
    events = read(name, [raw(name)])
    assert "".join(event.text for event in events if isinstance(event, MessageDelta)) == "word1 word2"
    fault, ended = events[-2:]
    assert isinstance(fault, ChatFault)
    assert fault.problem.detail == CRASH
    assert isinstance(ended, ChatEnded)


@pytest.mark.parametrize("name", RECORDED)
def test_a_stream_that_is_cut_off_has_no_end(name):
    stream = raw(name)
    end = stream.find(b'"finish_reason":"')  # without it and what follows, where there is one
    last = stream.rfind(b"\n\n", 0, end if end > 0 else len(stream) - 2)
    assert not any(isinstance(event, ChatEnded) for event in read(name, [stream[: last + 2]]))
