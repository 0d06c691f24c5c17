"""The chat's own screens as pictures, over nothing."""

import time
from collections.abc import Callable

import pytest
from dialog_host import DialogHost
from textual.pilot import Pilot
from textual.screen import Screen

from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.chat import Tools
from lmdeck.model.chat_settings import ChatSettings
from lmdeck.model.conversation import ChatPreset, ConversationSummary
from lmdeck.screens.chat_panel import ChatPanel
from lmdeck.screens.conversations_screen import ConversationsScreen
from lmdeck.styles.themes import DARK

NOON = 1_795_780_800.0
MODEL = Model(
    "qwen/qwen3-coder-30b",
    max_context_length=262144,
    capabilities=Capabilities(tools=True, reasoning=("off", "low", "high")),
)
SETTINGS = ChatSettings(
    parameters={"temperature": 0.2, "seed": 42, "context_length": 16384},
    system_prompt="You are terse.\nAnswer in German.",
    integrations=("search", "gone"),
)
PRESETS = (ChatPreset("parameters", "night", {"top_k": 5}),)
TOOLS = (Tools("mcp/playwright", "mcp/playwright"), Tools("search", server_url="http://127.0.0.1:9000/mcp"))
TALKS = (
    ConversationSummary("a", "How do slots share the context?", NOON, MODEL.key, 14, pinned=True),
    ConversationSummary("b", "[bold]日本語\x1b[2J[/bold]\u202e", NOON - 9000, "ha-expert", 2),
    ConversationSummary("c", "", NOON - 90000, "", 3, snippet="… a slot holds one request, and the slots share …"),
)


class Host(DialogHost):
    """In the deck's colours."""

    def __init__(self, dialog: Screen[None]) -> None:
        super().__init__(dialog)
        self.register_theme(DARK)
        self.theme = DARK.name


def test_chat_panel(snap_compare: Callable[..., bool]) -> None:
    async def fill(pilot: Pilot[None]) -> None:
        await pilot.pause()
        pilot.app.screen.query_one("#top_p").focus()
        await pilot.press("7", *["shift+tab"] * 5)
        await pilot.pause()

    panel = ChatPanel(SETTINGS, model=MODEL, presets=PRESETS, tools=TOOLS)
    assert snap_compare(Host(panel), terminal_size=(160, 45), run_before=fill)


def test_conversations(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    screen = ConversationsScreen(current="b")

    async def fill(pilot: Pilot[None]) -> None:
        await pilot.pause()
        screen.show(TALKS)
        await pilot.press("down", "down")
        await pilot.pause()

    assert snap_compare(Host(screen), terminal_size=(160, 45), run_before=fill)
