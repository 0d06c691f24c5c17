import json

import pytest

from lmdeck.backend.errors import BadReply, Forbidden, LoadFailed, NotFound, Refused, Unauthorized, Unreachable
from lmdeck.backend.refusal import answer

GUARDRAIL = "Model loading was stopped due to insufficient system resources. Under the current settings, …"


def error(status: int, body: object, *, has_token: bool = True) -> Refused | BadReply | Unreachable:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises((Refused, BadReply, Unreachable)) as caught:
        answer(status, raw, has_token=has_token)
    return caught.value


def test_a_good_answer_is_its_json():
    assert answer(200, b'{"models": []}', has_token=True) == {"models": []}
    assert answer(200, b'{"error": null}', has_token=True) == {"error": None}


def test_native_shape_keeps_the_servers_type_code_and_words():
    found = error(
        400, {"error": {"type": "invalid_request", "message": "no such [/option]", "code": "bad", "param": "x"}}
    )
    assert type(found) is Refused
    assert (found.status, found.kind, found.code) == (400, "invalid_request", "bad")
    assert found.problem.title == "400: invalid_request"
    assert found.problem.detail == "no such [/option]"


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (500, {"error": "plain words"}, Refused, "plain words"),
        (500, {"error": {"type": "model_load_failed", "message": "Failed to load"}}, LoadFailed, "Failed to load"),
        (400, {"error": {"type": "unknown", "message": GUARDRAIL}}, LoadFailed, GUARDRAIL),
        (404, {"error": {"type": "model_not_found", "message": "Model x not found"}}, NotFound, "Model x not found"),
        (
            200,
            {"error": "Unexpected endpoint or method. (GET /x)"},
            NotFound,
            "Unexpected endpoint or method. (GET /x)",
        ),
        (200, {"error": {"message": "odd", "type": 7, "code": None}}, Refused, "odd"),
        (403, {"error": {"message": "no"}}, Forbidden, "no"),
        (422, {"detail": "from a proxy"}, Refused, "from a proxy"),
        (429, {"message": "slow down"}, Refused, "slow down"),
        (500, {"error": {}}, Refused, ""),
        (500, [], Refused, ""),
        (404, b"", NotFound, ""),
        (400, b"Bad Request: words", Refused, "Bad Request: words"),
        (401, b"<html>login</html>", Unauthorized, ""),
        (400, {"error": {"message": "x", "code": "invalid_api_key"}}, Unauthorized, "x"),
    ],
)
def test_every_shape_of_a_refusal(status, body, kind, detail):
    found = error(status, body)
    assert type(found) is kind
    assert found.detail == detail


def test_a_refused_token_and_a_missing_one_differ_in_the_next_step_only():
    body = {"error": {"message": "Malformed token", "type": "invalid_request", "code": "invalid_api_key"}}
    with_token, without = error(401, body), error(401, body, has_token=False)
    assert with_token.problem.title == without.problem.title == "401: token not accepted"
    assert with_token.problem.next_step != without.problem.next_step
    assert "wants a token" in without.problem.next_step


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html><head><title>Router\n login</title>", "HTTP 200 with a web page instead of JSON: Router login"),
        (404, b"<!doctype html>", "HTTP 404 with a web page instead of JSON"),
        (200, b'{"models": [', "HTTP 200 with incomplete JSON"),
        (500, b'{"error": ', "HTTP 500 with incomplete JSON"),
        (200, b"", "HTTP 200 with an empty answer"),
        (200, b"hello", "HTTP 200 without JSON: hello"),
        (302, b"", "HTTP 302: a redirect, which is not followed"),
    ],
)
def test_what_is_no_answer_is_a_bad_reply(status, body, words):
    found = error(status, body)
    assert type(found) is BadReply
    assert found.detail == words


def test_a_gateways_page_means_that_the_server_behind_it_is_down():
    found = error(502, b"<html>Bad Gateway</html>")
    assert type(found) is Unreachable
    assert found.problem.title == "down: HTTP 502 from a proxy in between"


def test_the_servers_words_are_made_safe_and_bounded():
    found = error(500, {"error": {"message": "\x1b[2J" + "x" * 100_000, "type": "a\nb\x07"}})
    assert found.detail.startswith("␛[2Jxxx")
    assert len(found.detail) < 10_000
    assert found.problem.title == "500: a b␇"
