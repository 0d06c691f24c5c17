"""What the doctor says of servers: silent ones, foreign ones, those that want a token, old ones."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from lmdeck.backend import http
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.diagnosis.server import APIS, api_finding, server_finding, token_finding
from lmdeck.model.exchange import PROBE

SECRET = "sk-lm-12345678:abcdefghijklmnopqrst"
LOCAL, REMOTE = "http://127.0.0.1:1234", "http://gpubox:1234"
UNEXPECTED = {"error": "Unexpected endpoint or method. (GET /x)"}
SETTINGS = Settings(token_source="LM_API_TOKEN")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RETRY_AFTER_S", ())


def server(answer: Callable[[httpx.Request], httpx.Response], url: str = LOCAL, token: str = "") -> LMStudio:
    return LMStudio(url, Token(token) if token else None, httpx.MockTransport(answer))


def failing(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "url", "way_out"),
    [
        (httpx.ConnectError("refused"), LOCAL, "lms server start"),
        (httpx.ConnectError("refused"), REMOTE, "--bind 0.0.0.0"),
        (httpx.ConnectTimeout("slow"), REMOTE, "firewall"),
    ],
)
async def test_who_does_not_answer_gets_the_way_out_that_fits(error: Exception, url: str, way_out: str) -> None:
    finding = await server_finding(server(failing(error), url))
    assert finding.state == "fail"
    assert url in finding.words
    assert way_out in finding.next_step


async def test_somebody_else_on_the_port_is_no_lm_studio() -> None:
    finding = await server_finding(server(lambda _: httpx.Response(200, text="<html>")))
    assert finding.state == "fail"
    assert "not LM Studio" in finding.words
    assert "another program" in finding.next_step


async def test_the_greeting_is_told_with_its_time() -> None:
    finding = await server_finding(server(lambda _: httpx.Response(200, json={"lmstudio": True})))
    assert (finding.state, finding.next_step) == ("ok", "")
    assert finding.words.startswith(f"{LOCAL} is LM Studio, ")


def listing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"models": [{"key": "a"}, {"key": "b"}]})


def refusing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"error": {"code": "invalid_api_key", "message": "no"}})


async def test_tokens_are_told_with_where_they_come_from() -> None:
    finding = await token_finding(server(listing, token=SECRET), SETTINGS)
    assert (finding.state, finding.words) == ("ok", "from LM_API_TOKEN, accepted; 2 models are listed")
    finding = await token_finding(server(listing), replace(SETTINGS, token_source=None))
    assert finding.words.startswith("none, and none is wanted")
    finding = await token_finding(server(refusing, token=SECRET), SETTINGS)
    assert (finding.state, finding.words) == ("fail", "401: token not accepted (from LM_API_TOKEN)")
    finding = await token_finding(server(refusing), SETTINGS)
    assert (finding.state, finding.words) == ("fail", "401: token not accepted (none was given)")
    assert "LM_API_TOKEN" in finding.next_step


async def test_a_token_on_an_open_network_is_pointed_out() -> None:
    finding = await token_finding(server(listing, REMOTE, SECRET), SETTINGS)
    assert finding.state == "warn"
    assert "gpubox" in finding.words
    assert "https://" in finding.next_step
    assert (await token_finding(server(listing, "https://gpubox", SECRET), SETTINGS)).state == "ok"


async def test_missing_endpoints_are_named_with_what_to_do() -> None:
    def old(request: httpx.Request) -> httpx.Response:
        there = request.url.path in ("/v1/models", "/v1/chat/completions")
        return httpx.Response(400, json={"error": "wrong"}) if there else httpx.Response(200, json=UNEXPECTED)

    openai = next(api for api in APIS if api.part == "OpenAI API")
    finding = await api_finding(server(old), openai)
    assert (finding.state, finding.words) == ("warn", "models, chat; missing: completions, embeddings, responses")
    assert "Update LM Studio" in finding.next_step


async def test_an_endpoint_whose_answer_does_not_tell_is_unclear() -> None:
    def half(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='{"mod') if request.url.path == "/api/v0/models" else listing(request)

    old = next(api for api in APIS if api.part == "API v0")
    finding = await api_finding(server(half), old)
    assert finding.state == "unknown"
    assert "unclear: models (bad reply" in finding.words


def test_no_probe_could_be_carried_out() -> None:
    """Every body that is posted has a number where a model, an instance or a text must be."""
    posted = [endpoint for api in APIS for endpoint in api.endpoints if endpoint.wrong is not None]
    assert len(posted) == 12
    for endpoint in posted:
        assert endpoint.wrong
        wrong = dict(endpoint.wrong)
        assert wrong.pop(PROBE) is True
        assert set(wrong.values()) == {0}
        assert {"model", "instance_id"} & set(endpoint.wrong)
