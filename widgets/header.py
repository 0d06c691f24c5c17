"""The first line of the screen: which server, how it answers, what it runs."""

from textual.app import RenderResult
from textual.reactive import reactive
from textual.widget import Widget

from lmdeck.model.server import ServerStatus
from lmdeck.widgets.paint.header import header_line


class Header(Widget):
    """One line about the server, and the time of day; repaints only when one of them changed."""

    DEFAULT_CSS = """
    Header { dock: top; height: 1; width: 1fr; background: $panel; color: $foreground; padding: 0 1; }
    """

    status: reactive[ServerStatus] = reactive(ServerStatus(""))
    """The server's facts."""
    clock: reactive[str] = reactive("")
    """The local time, as `23:14`."""

    def render(self) -> RenderResult:
        """The line at the current width."""
        return header_line(self.status, self.content_size.width, self.clock)
