"""The smallest Textual app with a list and a focus to move: what every figure is a ratio of."""

from textual.app import App, ComposeResult
from textual.widgets import OptionList, Static


class Floor(App[None]):
    """A line of text and two lists."""

    BINDINGS = [("q", "quit", "Quit")]

    def compose(self) -> ComposeResult:
        yield Static("ready")
        yield OptionList(*(f"row {number}" for number in range(50)))
        yield OptionList("other")


if __name__ == "__main__":
    Floor().run()
