"""All checks in a row against the demo server, and that no token is in what they say."""

from dataclasses import replace

from deck import settings_for

from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.connect import open_sources
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.finding import Finding

PARTS = (
    "lmdeck",
    "configuration",
    "history",
    "server",
    "token",
    "API v1",
    "API v0",
    "OpenAI API",
    "Anthropic API",
    "lms",
    "lms ps",
    "log stream",
    "models folder",
    "GPU",
    "terminal",
    "characters",
    "colours",
)


async def findings(settings: Settings) -> dict[str, Finding]:
    async with open_sources(settings) as sources:
        return {finding.part: finding async for finding in sources.checkup()}


async def test_a_whole_set_up_is_sound(scripted_server: DemoEndpoint) -> None:
    found = await findings(settings_for(scripted_server))
    assert tuple(found) == PARTS
    server_side = PARTS[PARTS.index("server") : PARTS.index("models folder")]
    assert {part: found[part].words for part in server_side if found[part].state != "ok"} == {}
    assert found["API v1"].words == "models, load, unload, download, download status, chat"
    assert found["lms"].words == f"{scripted_server.lms}, version lmdeck-demo"


async def test_nothing_is_asked_without_a_token_that_is_accepted_and_it_is_never_said(
    scripted_server: DemoEndpoint,
) -> None:
    secret = "sk-lm-WRONGWRO:NGWRONGWRONGWRONGWRO"
    found = await findings(replace(settings_for(scripted_server), token=Token(secret)))
    assert found["token"].state == "fail"
    for part in ("API v1", "API v0", "OpenAI API", "Anthropic API", "lms ps", "log stream"):
        assert (found[part].state, found[part].words) == ("unknown", "not looked at: token comes first")
    assert secret not in repr(found)


async def test_a_word_that_repeats_the_token_is_masked(scripted_server: DemoEndpoint) -> None:
    token = Token("lmdeck-demo")  # as `lms version` says, too
    found = await findings(replace(settings_for(scripted_server), token=token))
    assert found["lms"].words.endswith("version ***")


async def test_a_server_that_is_down_leaves_the_rest_to_be_looked_at(scripted_server: DemoEndpoint) -> None:
    found = await findings(replace(settings_for(scripted_server), url="http://127.0.0.1:9"))
    assert found["server"].state == "fail"
    assert found["token"].words == "not looked at: server comes first"
    assert found["lms"].state == "ok"
    assert found["lms ps"].state == found["log stream"].state == "unknown"


async def test_an_lms_that_was_named_must_be_there(scripted_server: DemoEndpoint) -> None:
    found = await findings(replace(settings_for(scripted_server), lms="/nowhere/lms"))
    assert found["lms"].state == "fail"
    assert "/nowhere/lms" in found["lms"].words
    assert found["lms ps"].words == "not looked at: lms comes first"
