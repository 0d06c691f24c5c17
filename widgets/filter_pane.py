"""A pane with one list that can be filtered with `/`."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.line_view import LineView
from lmdeck.widgets.paint.line import crop, plain, say
from lmdeck.widgets.pane import Clock, Pane


class FilterPane(Pane):
    """A pane around one list. Subclasses filter it, and count what is left."""

    FILTER_HELP: ClassVar[str] = "/ filter: Enter keeps, Esc clears"
    """What stands in the empty filter line."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="list.filter", tooltip="Show only lines with this text"),
        Binding("escape", "unfilter", "Clear filter", show=False, id="list.unfilter", tooltip="Show all lines again"),
    ]

    def __init__(self, view: LineView, *, id: str | None = None, clock: Clock) -> None:
        super().__init__(id=id, clock=clock)
        self._view = view
        self._bar: FilterBar | None = None

    # What a subclass says

    @property
    def filter_text(self) -> str:
        """The filter in force."""
        raise NotImplementedError

    def apply_filter(self, text: str) -> str | None:
        """Show only lines with this text; empty: all. Answers what is wrong with it, where the one before stays."""
        raise NotImplementedError

    def filter_count(self) -> str:
        """How many lines pass the filter, `3 of 7`."""
        raise NotImplementedError

    # The pane

    def compose(self) -> ComposeResult:
        yield self._view

    def words_view(self) -> LineView | None:
        return self._view

    def hints(self) -> Iterator[str]:
        if text := self.filter_text:
            yield f"“{plain(crop(say(text), 20))}” {self.filter_count()}"
        yield from super().hints()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "unfilter":
            return bool(self.filter_text)
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Open the filter line, or go back into it."""
        if self._bar is None:
            self._bar = FilterBar(self.filter_text, self.FILTER_HELP)
            self.mount(self._bar)
        self.screen.set_focus(self._bar)

    def action_unfilter(self) -> None:
        """Show everything again."""
        self._set_filter("")

    @on(FilterBar.Changed)
    def _narrow(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._set_filter(event.value)

    @on(FilterBar.Closed)
    def _close(self, event: FilterBar.Closed) -> None:
        event.stop()
        if not event.keep:
            self._set_filter("")
        if event.back:
            self.screen.set_focus(self._view)
        if self._bar is not None:
            self._bar.remove()
            self._bar = None

    def _set_filter(self, text: str) -> None:
        before = self.filter_text
        words = self.apply_filter(text) if text != before else None
        if self._bar is not None:
            self._bar.say(words or "")
        if text != before and not words:
            self.refresh_frame()
            if not (before and text):
                self.refresh_bindings()
