"""Each widget alone in a small host app, and its lines as text."""

from collections.abc import Callable

import pytest
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from lmdeck.widgets.line_view import LineView


class Host(App[None]):
    """Shows one widget and keeps the messages that reach it."""

    CSS = "Pane { height: 1fr; }"

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    @on(Message)
    def keep(self, message: Message) -> None:
        self.seen.append(message)

    def got(self, kind: type[Message]) -> list[Message]:
        """The messages of this kind that came, oldest first."""
        return [message for message in self.seen if type(message) is kind]


@pytest.fixture
def host() -> Callable[[Widget], Host]:
    """Makes the host app for a widget."""
    return Host


@pytest.fixture
def lines() -> Callable[[LineView], list[str]]:
    """What a view shows, line by line."""
    return lambda view: [view.render_line(y).text.rstrip() for y in range(view.size.height)]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Callable[[LineView], list[int]]:
    """Watches a view; the list it answers fills with the lines that are painted from then on."""

    def watch(view: LineView) -> list[int]:
        ys: list[int] = []
        render = view.render_line
        monkeypatch.setattr(view, "render_line", lambda y: ys.append(y) or render(y))
        return ys

    return watch
