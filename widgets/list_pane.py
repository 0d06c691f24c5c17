"""What the Loaded and Available panes have in common: a table of rows, and words for when there are none."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar, Generic

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from lmdeck.widgets.column import Row
from lmdeck.widgets.filter_pane import FilterPane
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.pane import Clock, problem_words
from lmdeck.widgets.table import Table


class ListPane(FilterPane, Generic[Row]):
    """A pane of rows; `rows` is None until the first answer of the server."""

    LOADING: ClassVar[Paragraph] = Paragraph("loading …", "muted")
    EMPTY: ClassVar[Sequence[Paragraph]] = ()
    GUARDED: ClassVar[frozenset[str]] = frozenset()
    """The actions that change the server: greyed while `read_only`."""
    BY_ROW: ClassVar[tuple[str, ...]] = ("copy",)
    """The actions that some rows do not allow."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy id", show=False, id="list.copy", tooltip="Copy the identifier of this line"),
    ]

    rows: reactive[Sequence[Row] | None] = reactive(None, repaint=False, init=False, always_update=True)
    """The rows to show. None: not known yet. Setting equal rows again draws nothing."""

    read_only: reactive[bool] = reactive(False, repaint=False, init=False)
    """The server is only looked at: whatever would change it is greyed."""

    def __init__(self, table: Table[Row], *, id: str | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(table, id=id, clock=clock)
        self.table = table
        self._able: list[bool | None] = []

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.table.current

    def watch_rows(self, before: Sequence[Row] | None, rows: Sequence[Row] | None) -> None:
        if rows is before and rows is not None:
            return
        self.table.set_rows(rows or ())
        self.problem_changed()
        self._refresh_abilities()

    def watch_read_only(self) -> None:
        self.refresh_frame()
        self.refresh_bindings()

    def on_mount(self) -> None:
        self.problem_changed()

    def problem_changed(self) -> None:
        if self.rows:
            nothing = Paragraph(f"nothing contains “{self.filter_text}”"), Paragraph("Esc clears the filter", "accent")
            self.put_words(() if self.table.shown else nothing)
        elif self.problem:
            self.put_words(problem_words(self.problem))
        else:
            self.put_words((self.LOADING,) if self.rows is None else self.EMPTY)
        self.refresh_frame()

    def title_addendum(self) -> str:
        return "" if self.rows is None else str(len(self.rows))

    def hints(self) -> Iterator[str]:
        if self.rows and self.problem:
            yield f"✗ {self.problem.title}"
        yield from super().hints()
        if self.table.sorting:
            yield f"sort {self.table.sorting}"
        if self.read_only:
            yield "read-only"

    @property
    def filter_text(self) -> str:
        return self.table.filter_text

    def apply_filter(self, text: str) -> None:
        self.table.filter_text = text
        self.problem_changed()

    def filter_count(self) -> str:
        return f"{len(self.table.shown)} of {self.table.total}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in self.GUARDED and self.read_only:
            return None
        return super().check_action(action, parameters)

    @on(Table.Arranged)
    def _arranged(self, event: Table.Arranged) -> None:
        event.stop()
        self.refresh_frame()

    @on(Table.Highlighted)
    def _moved(self, event: Table.Highlighted) -> None:
        event.stop()
        self._refresh_abilities()

    def _refresh_abilities(self) -> None:
        """Redraw the footer, but only when the current row allows something else than the last: it is costly."""
        able = [self.check_action(action, ()) for action in self.BY_ROW]
        if able != self._able:
            self._able = able
            self.refresh_bindings()
