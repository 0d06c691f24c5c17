"""What the texts in the chat's panel mean at each endpoint."""

import pytest

from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.chat import Tools
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, ENDPOINTS, MESSAGES, NATIVE, RESPONSES
from lmdeck.model.parameters import PARAMETERS, accepted
from lmdeck.screens.chat_form import Note, Place, keeping_words, options, read, summary, text_of, tools_words

THINKER = Model("thinker", max_context_length=32768, capabilities=Capabilities(tools=True, reasoning=("off", "high")))
PLAIN = Model("plain")


def test_only_what_is_set_is_a_parameter():
    reading = read(
        {"temperature": " 0.7 ", "top_k": "", "stop": "END\nSTOP", "min_p": "  "}, {}, Place(CHAT_COMPLETIONS)
    )
    assert dict(reading.values) == {"temperature": 0.7, "stop": ["END", "STOP"]}
    assert not reading.notes
    assert reading.wrong is None


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_each_endpoint_shows_what_it_takes(endpoint):
    taken = [parameter.name for parameter in accepted(endpoint.path, THINKER)]
    assert list(read({}, {}, Place(endpoint, THINKER)).fields) == taken
    assert set(taken) < {parameter.name for parameter in PARAMETERS}


def test_what_is_typed_must_be_right_for_the_endpoint_and_the_model():
    reading = read({"temperature": "1.5", "context_length": "64k", "top_k": "x"}, {}, Place(NATIVE, THINKER))
    assert not reading.values
    assert {name: note.wrong for name, note in reading.notes.items()} == dict.fromkeys(
        ("temperature", "top_k", "context_length"), True
    )
    assert "0 to 1" in reading.notes["temperature"].words
    assert "32768" in reading.notes["context_length"].words
    assert reading.wrong == "temperature"
    assert summary(reading, Place(NATIVE, THINKER)) == "✗ temperature must be put right first"


def test_what_was_set_before_stays_where_it_is_not_sent():
    kept = {"temperature": 1.5, "seed": 42, "stop": ["END"], "reasoning": "low", "unheard of": 1}
    texts = {name: text_of(kept, name) for name in kept}
    reading = read(texts, kept, Place(NATIVE, THINKER))
    assert reading.values == kept
    assert reading.wrong is None
    assert reading.notes["seed"] == Note("not sent: /api/v1/chat does not take it")
    assert reading.notes["reasoning"].words == "not sent: one of off, high, not low"
    assert reading.notes["temperature"].words == "not sent: a number from 0 to 1, not 1.5"
    assert "seed" in reading.fields
    assert "not sent: unheard of, temperature, seed, stop, reasoning" in summary(reading, Place(NATIVE, THINKER))


def test_a_value_that_is_not_sent_can_be_changed_and_cleared():
    place = Place(NATIVE)
    assert read({"seed": "7"}, {"seed": 42}, place).values == {"seed": 7}
    assert read({"seed": "x"}, {"seed": 42}, place).wrong == "seed"
    cleared = read({"seed": ""}, {"seed": 42}, place)
    assert not cleared.values
    assert "seed" not in cleared.fields


def test_a_context_length_warns_and_is_refused_where_the_model_cannot_be_reloaded():
    def note(text: str, **place: bool) -> Note:
        return read(
            {"context_length": text}, {}, Place(NATIVE, THINKER, start={"context_length": 8192}, **place)
        ).notes["context_length"]

    assert note("16k") == Note("reloads the model where it has another context length")
    assert note("16k", busy=True).wrong
    assert note("16k", read_only=True).wrong
    assert not note("8192", busy=True).wrong
    assert not read({}, {}, Place(NATIVE, busy=True, start={"context_length": 8192})).notes


def test_the_summary_says_what_goes_out():
    place = Place(MESSAGES)
    reading = read({"temperature": "0"}, {}, place)
    assert summary(reading, place) == "Sends max_output_tokens, temperature"
    assert "8192 is sent" in reading.notes["max_output_tokens"].words
    assert summary(read({}, {}, Place(NATIVE)), Place(NATIVE)) == "Sends no parameters: the server's defaults hold"


def test_choices_have_the_default_first_and_the_value_that_is_set():
    reasoning, logprobs = (next(p for p in PARAMETERS if p.name == name) for name in ("reasoning", "logprobs"))
    assert options(logprobs) == ("server default", "on", "off")
    assert options(reasoning)[:2] == ("server default", "off")
    assert options(reasoning, "max")[-1] == "max"
    assert "reasoning" not in read({}, {}, Place(NATIVE, PLAIN)).fields
    assert read({}, {}, Place(NATIVE, THINKER)).fields["reasoning"].choices == ("off", "high")


def test_keeping_and_tools_in_words():
    assert keeping_words("kept", RESPONSES) == "the server remembers what was said"
    assert keeping_words("kept", COMPLETIONS) == "this endpoint keeps nothing on the server"
    assert keeping_words("not on server", NATIVE) == "earlier turns are sent each time"
    assert keeping_words("nowhere", NATIVE) == "gone with the deck; earlier turns are sent each time"
    tools = (Tools("mcp/x", "mcp/x"),)
    assert tools_words((), NATIVE, THINKER).words.startswith("None in the configuration")
    assert tools_words(tools, MESSAGES, THINKER).words == "not sent: /v1/messages runs no tools"
    assert tools_words(tools, NATIVE, PLAIN).words == "The model is not trained for tools."
    assert tools_words(tools, NATIVE, THINKER) is None
