"""Which parameters an endpoint takes, what a text means for one, and how it is sent."""

import json

import pytest

from lmdeck.model import parameters as of
from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.endpoints import (
    CHAT_COMPLETIONS,
    COMPLETIONS,
    ENDPOINTS,
    MESSAGES,
    NATIVE,
    RESPONSES,
    V0_CHAT,
)
from lmdeck.model.parameters import Invalid

THINKER = Model("t", max_context_length=8192, capabilities=Capabilities(reasoning=("off", "on")))
PLAIN = Model("p", max_context_length=8192)


def names(endpoint, model=None) -> set[str]:
    return {parameter.name for parameter in of.accepted(endpoint.path, model)}


def read(name: str, text: str, endpoint=CHAT_COMPLETIONS, model: Model | None = None):
    (parameter,) = [each for each in of.accepted(endpoint.path, model) if each.name == name]
    return of.parse(parameter, text)


def test_native_chat_takes_exactly_its_own():
    sampling = {"temperature", "top_p", "top_k", "min_p", "repeat_penalty"}
    others = {"max_output_tokens", "reasoning", "context_length", "draft_model"}
    assert names(NATIVE) == sampling | others
    assert names(NATIVE, PLAIN) == names(NATIVE) - {"reasoning"}


def test_only_native_chat_reloads_the_model():
    assert [endpoint for endpoint in ENDPOINTS if "context_length" in names(endpoint)] == [NATIVE]
    assert names(V0_CHAT) == names(CHAT_COMPLETIONS) > names(COMPLETIONS)
    assert names(RESPONSES) < names(CHAT_COMPLETIONS)
    assert {"seed", "reasoning"}.isdisjoint(names(MESSAGES))


def test_every_parameter_is_taken_somewhere_and_has_help():
    taken = set().union(*map(names, ENDPOINTS))
    assert taken == {parameter.name for parameter in of.PARAMETERS}
    assert all(parameter.help and of.named(parameter.name) is parameter for parameter in of.PARAMETERS)
    assert of.named("temprature") is None


@pytest.mark.parametrize(
    ("endpoint", "allowed", "choices"),
    [
        (NATIVE, ("off", "on"), ("off", "on")),
        (NATIVE, ("low", "minimal"), ("low", "minimal")),
        (CHAT_COMPLETIONS, ("off", "on"), ("off",)),
        (RESPONSES, ("low", "medium", "high"), ("low", "medium", "high")),
        (RESPONSES, ("on",), None),
        (NATIVE, (), None),
    ],
)
def test_reasoning_is_what_the_model_and_the_endpoint_allow(endpoint, allowed, choices):
    model = Model("m", capabilities=Capabilities(reasoning=allowed))
    found = [each.choices for each in of.accepted(endpoint.path, model) if each.name == "reasoning"]
    assert found == ([] if choices is None else [choices])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", " 0.7 ", 0.7),
        ("temperature", "0,7", 0.7),
        ("temperature", "2", 2),
        ("top_k", "0", 0),
        ("max_output_tokens", "8k", 8192),
        ("max_output_tokens", "1,000", 1000),
        ("seed", "-1", -1),
        ("logprobs", "On", True),
        ("logprobs", "no", False),
        ("reasoning", "LOW", "low"),
        ("draft_model", "qwen/small", "qwen/small"),
        ("stop", "###", ["###"]),
        ("stop", "a\n\nb c", ["a", "b c"]),
        ("stop", '["\\n\\n", "x"]', ["\n\n", "x"]),
        ("stop", '"\\n"', ["\n"]),
        ("logit_bias", '{"12": -100}', {"12": -100}),
        ("response_format", '{"type": "text"}', {"type": "text"}),
    ],
)
def test_what_a_text_means(name, text, value):
    assert read(name, text) == value
    assert read(name, of.spelled(value)) == value


def test_a_bare_schema_is_a_format():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    value = read("response_format", json.dumps(schema))
    assert value["type"] == "json_schema"
    assert value["json_schema"]["schema"] == schema
    assert read("response_format", of.spelled(value)) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("temperature", "3", "temperature: a number from 0 to 2, not 3"),
        ("temperature", "warm", "temperature: a number from 0 to 2, not warm"),
        ("temperature", "nan", "a number from 0 to 2"),
        ("temperature", "inf", "a number from 0 to 2"),
        ("temperature", "", "a number from 0 to 2"),
        ("top_k", "-1", "top_k: a whole number from 0, not -1"),
        ("top_k", "1.5", "a whole number"),
        ("seed", "x", "seed: a whole number, not x"),
        ("logprobs", "maybe", "logprobs: on or off, not maybe"),
        ("reasoning", "on", "reasoning: one of off, low, medium, high, xhigh, not on"),
        ("draft_model", " ", "draft_model: a text"),
        ("stop", "", "stop: a text on each line"),
        ("stop", "[1]", "stop: a text on each line"),
        ("stop", '["a"', "stop: not JSON: line 1, column 5: Expecting ',' delimiter"),
        ("response_format", '{\n "type": }', "response_format: not JSON: line 2, column 10: Expecting value"),
        ("response_format", "[1]", "response_format: a JSON object"),
        ("logit_bias", '{"1": NaN}', "logit_bias: a JSON object"),
        ("logit_bias", "[" * 100_000, "logit_bias: a JSON object"),
        ("temperature", "\x1b[31m" + "9" * 99, "␛"),
    ],
)
def test_what_is_no_value_is_said_in_words(name, text, words):
    with pytest.raises(Invalid) as caught:
        read(name, text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


def test_bounds_of_the_endpoint_and_of_the_model():
    with pytest.raises(Invalid, match=r"from 0 to 1, not 1\.5"):
        read("temperature", "1.5", NATIVE)
    with pytest.raises(Invalid, match="from 1 to 8192, not 9216"):
        read("context_length", "9k", NATIVE, THINKER)
    context, reasoning = of.named("context_length"), of.named("reasoning")
    with pytest.raises(Invalid, match="8192"):
        of.parse(context, "9000", THINKER)
    with pytest.raises(Invalid, match="one of off, on"):
        of.parse(reasoning, "low", THINKER)


def test_what_is_not_taken_is_said_and_left_out():
    given = {"temperature": 1.5, "seed": 7, "top_k": 40, "reasoning": "low", "colour": "red", "stop": "a text"}
    assert of.check(given, NATIVE.path, THINKER) == (
        "temperature: a number from 0 to 1, not 1.5",
        "seed: /api/v1/chat does not take it",
        "reasoning: one of off, on, not low",
        "colour: no such parameter",
        "stop: /api/v1/chat does not take it",
    )
    assert of.taken(given, NATIVE.path, THINKER) == {"top_k": 40}
    assert of.check({"top_k": 40}, NATIVE.path, THINKER) == ()
    assert "stop: a text on each line, or a JSON list of texts, not a text" in of.check(given, CHAT_COMPLETIONS.path)


@pytest.mark.parametrize(
    ("endpoint", "sent"),
    [
        (NATIVE, {"max_output_tokens": 9, "reasoning": "off", "top_k": 4}),
        (CHAT_COMPLETIONS, {"max_tokens": 9, "reasoning_effort": "none", "stop": ["x"], "top_k": 4, "top_logprobs": 2}),
        (RESPONSES, {"max_output_tokens": 9, "reasoning": {"effort": "none"}}),
        (MESSAGES, {"max_tokens": 9, "stop_sequences": ["x"], "top_k": 4}),
        (COMPLETIONS, {"max_tokens": 9, "stop": ["x"], "top_k": 4, "logprobs": 2}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_names_on_the_wire(endpoint, sent):
    given = {"max_output_tokens": 9, "reasoning": "off", "stop": ["x"], "top_k": 4, "top_logprobs": 2}
    assert of.wire(given, endpoint.path) == sent


def test_an_effort_of_one_models_own_is_sent():
    own = Model("m", capabilities=Capabilities(reasoning=("minimal",)))
    given = of.taken({"reasoning": "minimal"}, RESPONSES.path, own)
    assert of.wire(given, RESPONSES.path) == {"reasoning": {"effort": "minimal"}}
    assert of.wire({"reasoning": "on"}, RESPONSES.path) == {}
    assert of.wire({"reasoning": 7}, RESPONSES.path) == {}


def test_what_an_endpoint_cannot_do_without_is_sent():
    assert of.wire({}, MESSAGES.path) == {"max_tokens": of.NEEDED[MESSAGES.path]["max_output_tokens"]}
    assert of.wire({"max_output_tokens": 0}, MESSAGES.path) == {"max_tokens": 8192}
    assert all(of.wire({}, endpoint.path) == {} for endpoint in ENDPOINTS if endpoint is not MESSAGES)
