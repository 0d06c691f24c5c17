"""The load form's meaning."""

import pytest

from lmdeck.model.catalog import Model
from lmdeck.model.load import LoadRequest
from lmdeck.screens.load_form import Invalid, fields_for, request_of

MODEL = Model("qwen", max_context_length=32768)


def test_nothing_set_sends_nothing_but_the_model() -> None:
    request = request_of(MODEL, {"context_length": " "}, {"flash_attention": 0})
    assert request == LoadRequest("qwen")
    assert request.body() == {"model": "qwen", "echo_load_config": True}


def test_what_is_set_is_sent_off_included() -> None:
    texts = {"context_length": "32k", "eval_batch_size": "2,048", "num_experts": "8"}
    request = request_of(MODEL, texts, {"flash_attention": 1, "offload_kv_cache_to_gpu": 2})
    assert request.body() == {
        "model": "qwen",
        "context_length": 32768,
        "eval_batch_size": 2048,
        "flash_attention": True,
        "num_experts": 8,
        "offload_kv_cache_to_gpu": False,
        "echo_load_config": True,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [("0", "at least 1"), ("32769", "at most 32768"), ("33k", "at most 32768"), ("-5", "whole number"), ("x", "whole")],
)
def test_what_cannot_be_sent_says_why(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        request_of(MODEL, {"context_length": text}, {})
    assert caught.value.field == "context_length"


def test_an_unknown_limit_limits_nothing() -> None:
    assert request_of(Model("m"), {"context_length": "9999999"}, {}).context_length == 9999999


def test_an_embedding_model_has_only_a_context() -> None:
    assert [field.name for field in fields_for(Model("e", type="embedding"))] == ["context_length"]
