"""The chat's panel in a host app."""

import pytest
from textual import events

from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.chat import Tools
from lmdeck.model.chat_settings import ChatSettings
from lmdeck.model.conversation import ChatPreset, Conversation
from lmdeck.model.endpoints import CHAT_COMPLETIONS, NATIVE
from lmdeck.screens.chat_panel import ChatPanel
from lmdeck.screens.chat_rows import LinesInput, ParameterRow
from lmdeck.widgets.choice import Choice
from lmdeck.widgets.tick import Tick

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
MODEL = Model(
    "qwen/[b]coder", max_context_length=262144, capabilities=Capabilities(tools=True, reasoning=("off", "low", "high"))
)
TOOLS = (Tools("mcp/[red]playwright", "mcp/playwright"), Tools("search", server_url="http://127.0.0.1:9000/mcp"))
PRESETS = (
    ChatPreset("parameters", "night", {"top_k": 5, "stop": ["END"]}),
    ChatPreset("parameters", "day", {"temperature": 0.9}),
    ChatPreset("system prompt", "pirate", system_prompt="Arr.\nBe brief."),
)


def text(deck, name: str) -> str:
    return deck.dialog.query_one(f"#row-{name}", ParameterRow).text


async def focus(deck, name: str) -> None:
    deck.dialog.query_one(f"#{name}").focus()
    await deck.until(lambda: deck.dialog.focused.id == name)


async def accepted(deck, *keys: str) -> ChatSettings:
    await deck.press(*keys, "enter")
    await deck.until(lambda: deck.app.results, "accepted")
    return deck.app.results[0]


@SIZES
async def test_it_answers_exactly_what_is_set(stage, size):
    async with stage(ChatPanel(ChatSettings(), model=MODEL, tools=TOOLS), size) as deck:
        await deck.see("Chat settings   qwen/[b]coder")
        await deck.see("state on the server · images · tools (plugins, MCP)")
        await deck.see("Sends no parameters: the server's defaults hold")
        await deck.press("down", "down")
        await deck.type("Be brief.")
        await deck.press("ctrl+j")
        await deck.type("Always")
        await focus(deck, "temperature")
        await deck.see("temperature: 0: always the likeliest token.")
        await deck.type("0.7")
        await deck.see("Sends temperature")
        await focus(deck, "reasoning")
        await deck.press("right", "right")
        await focus(deck, "tools-1")
        await deck.see("Space ticks it")
        settings = await accepted(deck, "space")
        assert settings == ChatSettings(
            NATIVE.path, {"temperature": 0.7, "reasoning": "low"}, "Be brief.\nAlways", ("search",), "kept"
        )


async def test_nothing_changed_is_nothing_lost_and_escape_answers_nothing(stage):
    start = ChatSettings(
        CHAT_COMPLETIONS.path,
        {
            "temperature": 0.2,
            "stop": ["a b", "[x"],
            "logit_bias": {"5": -100},
            "logprobs": True,
            "context_length": 8192,
            "reasoning": "max",
            "unheard of": [1],
        },
        "System",
        ("search", "gone"),
        "nowhere",
    )
    async with stage(ChatPanel(start, model=MODEL, tools=TOOLS, busy=True)) as deck:
        assert await accepted(deck) == start
    async with stage(ChatPanel(start, model=MODEL)) as deck:
        await focus(deck, "temperature")
        await deck.type("1")
        await deck.press("escape")
        await deck.until(lambda: deck.app.results == [None])


@SIZES
async def test_what_is_wrong_says_so_and_is_not_accepted(stage, size):
    async with stage(ChatPanel(ChatSettings(), model=MODEL), size) as deck:
        await focus(deck, "temperature")
        await deck.type("1.5")
        await deck.see("✗ temperature: a number from 0 to 1, not 1.5")
        await focus(deck, "keeping")
        await deck.press("enter")
        await deck.until(lambda: deck.dialog.focused.id == "temperature")
        assert not deck.app.results
        await deck.press("end", "backspace", "backspace")
        await deck.until(lambda: "✗" not in deck.text())
        assert (await accepted(deck)).parameters == {"temperature": 1}


async def test_another_endpoint_takes_others_and_says_what_is_not_sent(stage):
    start = ChatSettings(parameters={"context_length": 16384})
    async with stage(ChatPanel(start, model=MODEL, tools=TOOLS)) as deck:
        await deck.see("reloads the model where it has another context length")
        assert "frequency_penalty" not in deck.text()
        assert "Format" not in deck.text()
        await deck.press("right")
        await deck.see("‹ openai  /v1/chat/completions ›")
        await deck.see("not sent: /v1/chat/completions does not take it")
        await deck.see("frequency_penalty server default · a number from -2 to 2")
        await deck.see("Format")
        await deck.until(lambda: deck.dialog.query_one("#tools-note").region.height)
        await focus(deck, "temperature")
        await deck.type("1.5")
        await deck.see("Sends temperature · not sent: context_length")
        await focus(deck, "endpoint")
        await deck.press("left")
        await deck.see("not sent: a number from 0 to 1, not 1.5")
        settings = await accepted(deck)
        assert settings.endpoint == NATIVE.path
        assert settings.parameters == {"temperature": 1.5, "context_length": 16384}


async def test_reasoning_offers_what_the_model_allows(stage):
    async with stage(ChatPanel(ChatSettings(), model=MODEL)) as deck:
        assert deck.dialog.query_one("#reasoning", Choice).options == ("server default", "off", "low", "high")
    async with stage(ChatPanel(ChatSettings(), model=Model("plain"))) as deck:
        assert not deck.dialog.query_one("#row-reasoning").display
        assert "reasoning" not in deck.text()


@pytest.mark.parametrize(
    ("place", "words"),
    [({"busy": True}, "✗ the model is answering"), ({"read_only": True}, "✗ read-only: it would reload the model")],
)
async def test_no_other_context_length_where_the_model_cannot_be_reloaded(stage, place, words):
    async with stage(ChatPanel(ChatSettings(), model=MODEL, **place)) as deck:
        await focus(deck, "context_length")
        await deck.type("16k")
        await deck.see(words)
        await deck.press("enter")
        await deck.pilot.pause()
        assert not deck.app.results
        assert (await accepted(deck, "home", "ctrl+k")).parameters == {}


async def test_presets_fill_the_form_are_kept_and_forgotten(stage):
    panel = ChatPanel(ChatSettings(parameters={"temperature": 0.2}), model=MODEL, presets=PRESETS)
    async with stage(panel) as deck:
        await focus(deck, "parameters-choice")
        await deck.press("right")
        await deck.until(lambda: (text(deck, "temperature"), text(deck, "top_k")) == ("", "5"))
        await deck.see("Del forget it")
        await deck.press("delete")
        await deck.until(lambda: deck.app.got(ChatPanel.DropPreset))
        assert deck.app.got(ChatPanel.DropPreset)[0].preset == PRESETS[0]
        assert deck.dialog.query_one("#parameters-choice", Choice).options == ("as typed", "day")
        assert text(deck, "top_k") == "5"
        await focus(deck, "prompts-choice")
        await deck.press("right")
        await deck.until(lambda: deck.dialog.query_one("#system-prompt", LinesInput).text == "Arr.\nBe brief.")
        await focus(deck, "parameters-name")
        await deck.type("mine")
        await focus(deck, "prompts-name")
        await deck.type("short")
        settings = await accepted(deck)
        assert settings.parameters == {"top_k": 5, "stop": ["END"]}
        await deck.until(lambda: len(deck.app.got(ChatPanel.KeepPreset)) == 2)
        assert [keep.preset for keep in deck.app.got(ChatPanel.KeepPreset)] == [
            ChatPreset("parameters", "mine", {"top_k": 5, "stop": ["END"]}),
            ChatPreset("system prompt", "short", system_prompt="Arr.\nBe brief."),
        ]


async def test_tools_are_ticked_and_what_is_gone_is_told(stage):
    async with stage(ChatPanel(ChatSettings(integrations=("gone",)), model=MODEL, tools=TOOLS)) as deck:
        await deck.see("[ ] mcp/[red]playwright   plugin")
        await deck.see("[ ] search   http://127.0.0.1:9000/mcp")
        await deck.see("[✓] gone   not in the configuration: not sent")
        gone = deck.dialog.query(Tick).last()
        gone.focus()
        await deck.until(lambda: gone.has_focus)
        assert (await accepted(deck, "space")).integrations == ()
    async with stage(ChatPanel(ChatSettings(), model=MODEL)) as deck:
        await deck.see("None in the configuration")


async def test_keys_in_one_burst_reach_the_fields_they_are_meant_for(stage):
    async with stage(ChatPanel(ChatSettings(), model=MODEL)) as deck:
        keys = ("tab", "tab", "H", "i", "tab", "tab", "0", "backspace", "1", "tab", "0", ".", "5", "shift+tab", "end")
        for key in keys:
            deck.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await deck.until(lambda: (text(deck, "temperature"), text(deck, "top_p")) == ("1", "0.5"))
        await deck.until(lambda: deck.dialog.focused.id == "temperature")
        assert deck.dialog.query_one("#system-prompt", LinesInput).text == "Hi"


async def test_up_and_down_walk_through_fields_and_lines(stage):
    async with stage(ChatPanel(ChatSettings(system_prompt="a\nb"), model=MODEL)) as deck:
        walked = [deck.dialog.focused.id]
        for key in ("down", "down", "down", "down", "down", "up", "up", "up"):
            await deck.press(key)
            walked.append(deck.dialog.focused.id)
        there = ["endpoint", "keeping", "system-prompt", "system-prompt", "prompts-name", "temperature"]
        assert walked == [*there, "prompts-name", "system-prompt", "system-prompt"]


async def test_at_80_by_24_every_field_can_be_reached_and_the_keys_stay(stage):
    async with stage(ChatPanel(ChatSettings(), model=MODEL, presets=PRESETS, tools=TOOLS), (80, 24)) as deck:
        form = deck.dialog.query_one("PanelForm")
        fields = [field.id for field in deck.dialog.focus_chain]
        assert len(fields) > 15
        for name in fields:
            await focus(deck, name)
            await deck.until(lambda: form.region.contains_region(deck.dialog.focused.region), name)
            assert "Esc cancel" in deck.text()
            assert "Sends no parameters" in deck.text()


def test_settings_come_from_a_conversation_and_go_back():
    settings = ChatSettings("/v1/messages", {"top_k": 1}, "System", ("x",), "nowhere")
    conversation = settings.applied(Conversation("1", 0.0, 0.0, title="T", model="m"))
    assert (conversation.title, conversation.model) == ("T", "m")
    assert ChatSettings.of(conversation) == settings
