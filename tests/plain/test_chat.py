"""`chat`: one question, by any endpoint, from the command line or stdin."""

import io

import pytest

KEY, REASONER = "ha-expert", "zai-org/glm-4.7-flash"


@pytest.fixture
def loaded(run, server) -> None:
    assert run("load", KEY).code == 0


@pytest.mark.parametrize("endpoint", ["native", "openai", "responses", "anthropic", "v0", "/v1/chat/completions"])
def test_the_answer_is_on_stdout_and_the_figures_on_stderr(endpoint, run, loaded) -> None:
    found = run("chat", "--endpoint", endpoint, "hello", "there")
    assert (found.code, found.out) == (0, "You said: hello there\n")
    assert "lmdeck chat: " in found.err
    assert " tok/s TTFT 0." in found.err


def test_the_prompt_may_come_from_stdin(run, loaded, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))
    assert run("chat").out == "You said: from a pipe\n"


def test_one_object_with_everything(run, server) -> None:
    assert run("load", REASONER).code == 0
    arguments = ("--param", "temperature=0.5", "--param", "max_output_tokens=1k", "--system", "be brief")
    found = run("chat", "--json", *arguments, "hi")
    record = found.json("chat.json")
    assert (record["text"], record["instance"], record["endpoint"]) == ("You said: hi", REASONER, "/api/v1/chat")
    assert record["parameters"] == {"temperature": 0.5, "max_output_tokens": 1024}
    assert record["reasoning"]
    assert record["stats"]["output_tokens"] > 0
    assert (record["cut_off"], found.err) == (None, "")


def test_the_reasoning_is_shown_where_it_is_wanted(run, server) -> None:
    assert run("load", REASONER).code == 0
    assert "I will answer" not in run("chat", "hi").err
    found = run("chat", "--reasoning", "hi")
    assert "I will answer" in found.err
    assert found.out == "You said: hi\n"


def test_a_limit_that_was_reached_is_told(run, loaded) -> None:
    found = run("chat", "--endpoint", "openai", "--param", "max_output_tokens=3", "one two three four five six")
    assert found.code == 0
    assert "cut off: token limit reached (length)" in found.err


@pytest.mark.parametrize("fault", ["sse_cut", "mid_stream_error"])
def test_a_stream_that_breaks_is_a_failure(fault, run, loaded, faults) -> None:
    faults(fault)
    found = run("chat", "one two three four five six seven eight nine ten")
    assert found.code == 1
    assert found.err
    assert not found.out or found.out.endswith("\n")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--endpoint", "soap", "x"], 2, "no endpoint 'soap': native, openai"),
        (["--param", "temperature", "x"], 2, "it is written NAME=VALUE"),
        (["--param", "foo=1", "x"], 2, "foo: no such parameter"),
        (["--param", "temperature=hot", "x"], 2, "temperature: a number"),
        (["--param", "seed=1", "--endpoint", "anthropic", "x"], 2, "/v1/messages does not take it"),
        (["--model", "nope", "x"], 1, "no model 'nope'"),
    ],
)
def test_what_cannot_be_asked(arguments, code, words, run, loaded) -> None:
    found = run("chat", *arguments)
    assert (found.code, found.out) == (code, "")
    assert words in found.err


def test_somebody_must_answer(run, server, monkeypatch) -> None:
    found = run("chat", "x")
    assert found.code == 1
    assert "nothing that can chat is loaded" in found.err
    assert run("load", KEY).code == run("load", KEY).code == 0
    found = run("chat", "x")
    assert found.code == 2
    assert "several can answer" in found.err
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    assert run("chat").code == 2
