"""The chat pane alone in an application: what it posts, what it shows."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from lmdeck.model.chat import ChatStats
from lmdeck.model.conversation import ShownTurn, Turn
from lmdeck.widgets.chat_input import ChatInput
from lmdeck.widgets.chat_pane import ChatPane
from lmdeck.widgets.chat_wishes import ChatWish
from lmdeck.widgets.pane import Pane

STATS = ChatStats(12, 143, None, 41.3, 0.314)

Wish = TypeVar("Wish", bound=ChatWish)


class ChatHost(App[None]):
    """Keeps the wishes and the copied texts."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[ChatWish] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield ChatPane(id="chat")

    @on(ChatWish)
    def note(self, message: ChatWish) -> None:
        self.wishes.append(message)

    @on(Pane.CopyRequested)
    def copy(self, message: Pane.CopyRequested) -> None:
        self.copied.append(message.text)

    def got(self, kind: type[Wish]) -> list[Wish]:
        """The wishes of this kind, oldest first."""
        return [wish for wish in self.wishes if type(wish) is kind]

    @property
    def chat(self) -> ChatPane:
        return self.query_one(ChatPane)

    @property
    def editor(self) -> ChatInput:
        return self.query_one(ChatInput)


def user(id: str, parent: str | None = None, text: str = "Hello", number: int = 1, count: int = 1) -> ShownTurn:
    """What the user said."""
    return ShownTurn(Turn(id, parent, "user", text, 0.0), number, count)


def answer(
    id: str, parent: str, text: str = "An answer.", number: int = 1, count: int = 1, **rest: object
) -> ShownTurn:
    """A whole answer."""
    return ShownTurn(Turn(id, parent, "assistant", text, 0.0, stats=STATS, **rest), number, count)  # type: ignore[arg-type]


def talk(exchanges: int) -> list[ShownTurn]:
    """A conversation of so many prompts `q0` … with answers `a0` …"""
    path: list[ShownTurn] = []
    for number in range(exchanges):
        path.append(user(f"q{number}", f"a{number - 1}" if number else None, f"prompt number {number}"))
        path.append(answer(f"a{number}", f"q{number}", f"answer number {number}"))
    return path


def screen_text(app: App[None]) -> str:
    """Everything on the screen, as plain text."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[None], holds: Callable[[], object], what: str) -> None:
    """Wait until `holds()`; fails with the screen."""
    for _ in range(600):
        if holds():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"no {what}:\n{screen_text(pilot.app)}")


async def see(pilot: Pilot[None], *words: str) -> str:
    """Wait until all these words are on the screen; answers the screen."""
    await until(pilot, lambda: all(each in screen_text(pilot.app) for each in words), f"{words} on the screen")
    return screen_text(pilot.app)


async def miss(pilot: Pilot[None], words: str) -> str:
    """Wait until these words are not on the screen; answers the screen."""
    await until(pilot, lambda: words not in screen_text(pilot.app), f"end of {words!r}")
    return screen_text(pilot.app)


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Press the keys of a text."""
    names = {" ": "space", "/": "slash", "@": "at", "\n": "ctrl+j", ".": "full_stop"}
    await pilot.press(*(names.get(character, character) for character in text))


def ids(turns: Sequence[ShownTurn]) -> list[str]:
    """The turns' ids."""
    return [each.turn.id for each in turns]
