"""What a chat request sends."""

from lmdeck.model.chat import ChatRequest


def test_nothing_set_sends_the_question_alone():
    assert ChatRequest("m", "hi", "", "").body() == {"model": "m", "input": "hi", "stream": True}


def test_what_is_set_is_sent_zero_and_false_included():
    limits = {"max_output_tokens": 0, "temperature": 0.0, "reasoning": "off"}
    request = ChatRequest("m", "hi", "resp_1", "Be short.", store=False, parameters=limits)
    assert request.body() == {
        "model": "m",
        "input": "hi",
        "stream": True,
        "previous_response_id": "resp_1",
        "system_prompt": "Be short.",
        "max_output_tokens": 0,
        "temperature": 0.0,
        "reasoning": "off",
        "store": False,
    }
