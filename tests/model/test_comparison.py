"""What `/compare` asks for becomes columns."""

import pytest

from lmdeck.model.comparison import Column, columns_of
from lmdeck.model.conversation import Conversation
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, NATIVE

BASE = Column("qwen/a", "qwen/a", NATIVE.path, {"top_p": 0.5}, "be kind")
PRESETS = {"hot": {"temperature": 1.0, "top_k": 5}}
KNOWN = ("qwen/a", "qwen/b", "plus+model", "plus+model+2")


def read(*words, base=BASE):
    return columns_of(words, base, presets=PRESETS, known=KNOWN)


def labels(*words, base=BASE):
    return [column.label for column in read(*words, base=base)]


def test_models_are_asked_as_the_chat_is():
    one, other = read("qwen/a", "qwen/b")
    assert (one.model, other.model) == ("qwen/a", "qwen/b")
    assert one.parameters == other.parameters == {"top_p": 0.5}
    assert (other.endpoint, other.system_prompt) == (NATIVE.path, "be kind")


def test_one_alone_is_compared_with_the_chat():
    one, other = read("qwen/b+temperature=0.2")
    assert (one.model, one.parameters) == ("qwen/a", {"top_p": 0.5})
    assert (other.model, other.parameters) == ("qwen/b", {"top_p": 0.5, "temperature": 0.2})


def test_parameters_and_presets_for_the_same_model():
    one, two, three = read("+temperature=0", "+hot", "+hot+temperature=0.5+top_p=1")
    assert {column.model for column in (one, two, three)} == {"qwen/a"}
    assert one.parameters == {"top_p": 0.5, "temperature": 0}
    assert two.parameters == {"top_p": 0.5, "temperature": 1.0, "top_k": 5}
    assert three.parameters == {"top_p": 1, "temperature": 0.5, "top_k": 5}
    assert BASE.parameters == {"top_p": 0.5}


def test_labels_say_what_differs():
    assert labels("+temperature=0", "+hot") == ["temperature=0", "hot"]
    assert labels("+hot") == ["as it is", "hot"]
    assert labels("qwen/a", "qwen/b+hot") == ["a", "b hot"]
    assert labels("x/a", "qwen/a") == ["x/a", "qwen/a"]
    assert labels("bad\x1b[2Jname", "qwen/a") == ["bad␛[2Jname", "a"]


def test_an_id_may_hold_a_plus_itself():
    one, two = read("plus+model+2+temperature=0.5", "plus+model+hot")
    assert (one.model, one.parameters["temperature"]) == ("plus+model+2", 0.5)
    assert (two.model, two.parameters["temperature"]) == ("plus+model", 1.0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "2 to 4 are compared"),
        (("a", "b", "c", "d", "e"), "2 to 4 are compared"),
        (("a", "b+cold"), "cold: no such preset"),
        (("a", "b+warmth=1"), "warmth: no such parameter"),
        (("a", "b+seed=1"), "seed: /api/v1/chat does not take it"),
        (("a", "b+temperature=9"), "temperature: a number from 0 to 1"),
        (("a", "b+temperature=warm"), "temperature"),
    ],
)
def test_what_makes_no_sense_is_said(words, told):
    with pytest.raises(ValueError, match=told):
        read(*words)


def test_the_endpoint_decides_what_a_parameter_may_be():
    base = Column("", "qwen/a", CHAT_COMPLETIONS.path)
    assert read("+seed=1", "+temperature=2", base=base)[1].parameters == {"temperature": 2}


def test_without_a_model_there_is_nobody_to_ask():
    with pytest.raises(ValueError, match="no model is chosen"):
        read("+hot", "+temperature=0", base=Column("", ""))


def test_a_column_is_as_the_conversation_is_sent():
    conversation = Conversation(
        "1", 0, 0, model="m", endpoint=COMPLETIONS.path, system_prompt="s", parameters={"seed": 1}
    )
    assert Column.of(conversation) == Column("m", "m", COMPLETIONS.path, {"seed": 1}, "s")
