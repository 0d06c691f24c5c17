"""The load form's meaning."""

import pytest

from lmdeck.model.catalog import Model
from lmdeck.model.load import LoadRequest
from lmdeck.screens.load_form import Invalid, choices_of, fields_for, request_of, request_text, texts_of

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


def test_what_only_lms_can_set_goes_through_lms() -> None:
    texts = {"context_length": "8k", "parallel": "2", "gpu": "50%", "ttl_s": "1h", "identifier": " my coder "}
    request = request_of(MODEL, texts, {})
    assert request == LoadRequest("qwen", 8192, parallel=2, gpu=0.5, ttl_s=3600, identifier="my coder")
    assert request_text(request) == (
        "lms load -c 8192 --parallel 2 --gpu 0.5 --ttl 3600 --identifier 'my coder' -y qwen\n"
        "through lms: REST cannot set slots, GPU share, idle TTL and identifier"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("0", "at least 1"), ("32769", "at most 32768"), ("33k", "at most 32768"), ("-5", "whole number"), ("x", "whole")],
)
def test_what_cannot_be_sent_says_why(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        request_of(MODEL, {"context_length": text}, {})
    assert caught.value.field == "context_length"


@pytest.mark.parametrize(
    ("text", "share"),
    [("max", 1.0), ("MAX", 1.0), ("off", 0.0), ("0.25", 0.25), (".5", 0.5), ("0,5", 0.5), ("33 %", 0.33), ("1", 1.0)],
)
def test_gpu_share(text: str, share: float) -> None:
    assert request_of(MODEL, {"gpu": text}, {}).gpu == share


@pytest.mark.parametrize(
    ("text", "seconds"), [("3600", 3600), ("90s", 90), ("60m", 3600), ("1h", 3600), ("1h 30m", 5400)]
)
def test_idle_ttl(text: str, seconds: int) -> None:
    assert request_of(MODEL, {"ttl_s": text}, {}).ttl_s == seconds


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("gpu", "1.5"),
        ("gpu", "50"),
        ("gpu", "120%"),
        ("gpu", "-1"),
        ("gpu", "nan"),
        ("gpu", "1e-3"),
        ("ttl_s", "0"),
        ("ttl_s", "soon"),
        ("ttl_s", "-5"),
        ("identifier", "--all"),
        ("identifier", "a\x1b[2J"),
        ("parallel", "0"),
        ("parallel", "9" * 5000),
    ],
)
def test_other_fields_refuse_with_a_reason(field: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        request_of(MODEL, {field: text}, {})
    assert caught.value.field == field


def test_what_no_way_can_set_together_is_refused_by_both_names() -> None:
    with pytest.raises(Invalid, match="REST can set flash attention, only `lms load` can set slots") as caught:
        request_of(MODEL, {"parallel": "2"}, {"flash_attention": 1})
    assert caught.value.field == "parallel"


def test_an_unknown_limit_limits_nothing() -> None:
    assert request_of(Model("m"), {"context_length": "9999999"}, {}).context_length == 9999999


def test_an_embedding_model_has_fewer_fields() -> None:
    names = [field.name for field in fields_for(Model("e", type="embedding"))]
    assert names == ["context_length", "gpu", "ttl_s", "identifier"]
    assert request_of(Model("e", type="embedding"), {"parallel": "8"}, {"flash_attention": 1}) == LoadRequest("e")


@pytest.mark.parametrize(
    "request_",
    [
        LoadRequest("qwen"),
        LoadRequest("qwen", 8192, parallel=2, gpu=1.0, ttl_s=5400, identifier="a"),
        LoadRequest("qwen", None, parallel=None, gpu=0.33, ttl_s=61),
        LoadRequest("qwen", gpu=0.0, ttl_s=7200),
        LoadRequest("qwen", 512, 2048, False, 4, True),
    ],
)
def test_a_preset_typed_into_the_form_is_the_preset(request_: LoadRequest) -> None:
    assert request_of(MODEL, texts_of(request_), choices_of(request_)) == request_


def test_a_reload_shows_both_requests_and_nothing_hostile() -> None:
    shown = request_text(LoadRequest("q\x1b[2J"), replacing="q:2")
    assert shown.splitlines()[:2] == ['POST /api/v1/models/unload {"instance_id": "q:2"}', "POST /api/v1/models/load"]
    assert "\x1b" not in shown
    assert "\x1b" not in request_text(LoadRequest("q\x1b[2J", parallel=1))
