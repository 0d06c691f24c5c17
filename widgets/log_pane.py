"""The Log pane: what is asked and answered, as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from lmdeck.model.log import SOURCES, LogEntry
from lmdeck.widgets.filter_pane import FilterPane
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.log_index import ExchangeOf
from lmdeck.widgets.log_store import LogStore
from lmdeck.widgets.log_tail import LogTail
from lmdeck.widgets.log_view import LogView
from lmdeck.widgets.pane import Clock, problem_words

if TYPE_CHECKING:
    from lmdeck.model.exchange import Exchange
    from lmdeck.model.log_query import Query


class LogPane(FilterPane):
    """One line an event of the three sources and of the deck."""

    TITLE = "Log"
    FILTER_HELP = 'words  "a phrase"  -not  re:…  model:…  source:…  level:warn  stop:…  tps<20  ttft>2  since:10m'
    BINDING_GROUP_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", id="log.follow", tooltip="Go to the end and stay there"),
        Binding("space", "pause", "Pause", id="log.pause", tooltip="Freeze the view; entries are kept meanwhile"),
        Binding("m", "source('model')", "Model", show=False, id="log.model", tooltip="Show or hide model lines"),
        Binding("s", "source('server')", "Server", show=False, id="log.server", tooltip="Show or hide server lines"),
        Binding("o", "source('runtime')", "Runtime", show=False, id="log.runtime", tooltip="Show or hide engine lines"),
        Binding(
            "n",
            "find(1)",
            "Next hit",
            show=False,
            id="log.next",
            tooltip="The next line that the filter finds, and round again",
        ),
        Binding("N", "find(-1)", "Previous hit", show=False, id="log.previous", tooltip="The hit before this line"),
        Binding("H", "past", "History", show=False, id="log.past", tooltip="Search the requests of the history"),
        Binding("x", "export", "Export", show=False, id="log.export", tooltip="Write the shown requests to a file"),
        Binding("y", "copy", "Copy", show=False, id="log.copy", tooltip="Copy the text of this entry"),
    ]

    hide_prompts: reactive[bool] = reactive(False, repaint=False, init=False)
    """Prompts and answers are left out of the lines."""

    class ExportRequested(Message):
        """The lines that are shown are to be written."""

    class PastRequested(Message):
        """The requests of the history are wanted."""

    class EntryChosen(Message):
        """Everything about this entry is wanted."""

        def __init__(self, entry: LogEntry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(
        self,
        *,
        store: LogStore | None = None,
        id: str | None = None,
        clock: Clock = time.monotonic,
        now: Clock = time.time,
    ) -> None:
        tail = LogTail(store)
        super().__init__(tail, id=id, clock=clock)
        self.tail = tail
        self._now = now

    def extend(self, entries: Sequence[LogEntry]) -> None:
        """Keep these entries and show them with the next frame. Batches of the sources are merged by time, as long as
        none comes more than two seconds late."""
        self.tail.extend(entries)

    def backfill(self, entries: Iterable[LogEntry]) -> None:
        """Put these among what is there, by their times, however old they are."""
        self.tail.extend(entries, inf)

    def use_exchanges(self, exchange_of: ExchangeOf) -> None:
        """Ask here for the exchange that an entry is part of."""
        self.tail.use_exchanges(exchange_of)

    def exchanges_changed(self, exchanges: Iterable[Exchange]) -> None:
        """More is known of these exchanges; in time for the next frame."""
        self.tail.exchanges_changed(exchanges)

    @property
    def filter_query(self) -> Query | None:
        """The filter in force; None: everything is shown."""
        return self.tail.filter_query

    def shown(self) -> Iterator[LogEntry]:
        """The entries that sources and filter let through, oldest first, as far as they are found."""
        index, store = self.tail.index, self.tail.store
        return (store[index.number(line)] for line in range(len(index)))

    @property
    def current(self) -> LogEntry | None:
        """The entry under the cursor; the last one while following."""
        return self.tail.current

    def watch_hide_prompts(self, hide: bool) -> None:
        self.tail.hide_text(hide)

    def on_mount(self) -> None:
        self.problem_changed()

    def problem_changed(self) -> None:
        if self.tail.total:
            self.put_words(self._no_lines() if self.filter_text and not self.tail.line_count() else ())
        elif self.problem:
            self.put_words(problem_words(self.problem))
        else:
            words = "no events yet", "requests, answers and engine lines show up here as they come"
            self.put_words([Paragraph(words[0]), Paragraph(words[1], "muted")])
        self.refresh_frame()

    def _no_lines(self) -> Sequence[Paragraph]:
        if not self.tail.index.done:
            return (Paragraph("searching …", "muted"),)
        return Paragraph(f"nothing matches “{self.filter_text}”"), Paragraph("Esc clears the filter", "accent")

    def title_addendum(self) -> str:
        marks = "  ".join(f"{source} {'✓' if source in self.tail.sources else '–'}" for source in SOURCES)
        state = "paused" if self.tail.paused else "follow" if self.tail.following else ""
        return f" {marks}   {state}".rstrip()

    def hints(self) -> Iterator[str]:
        if new := self.tail.new_lines:
            yield f"+{new} new"
        if dropped := self.tail.dropped:
            yield f"{dropped} oldest dropped while paused"
        if self.tail.notice:
            yield self.tail.notice
        if self.tail.total and self.problem:
            yield f"✗ {self.problem.title}"
        if self.filter_query and (skipped := self.filter_query.skipped):
            yield f"✗ the pattern is too slow for {skipped} entries"
        yield from super().hints()

    def ticks(self) -> bool:
        return bool(self.filter_query) or super().ticks()  # the number of entries goes on

    @property
    def filter_text(self) -> str:
        return self.filter_query.text if self.filter_query else ""

    def apply_filter(self, text: str) -> str | None:
        # The first frame has no filter.
        from lmdeck.model.log_query import BadQuery, parse_query

        try:
            query = parse_query(text, self._now()) if text.strip() else None
        except BadQuery as error:
            return error.words
        self.tail.choose(self.tail.sources, query)
        self.problem_changed()
        return None

    def filter_count(self) -> str:
        return f"{self.tail.line_count()} of {self.tail.total}{'' if self.tail.index.done else ' …'}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "find" and self.tail.search is None:
            return None
        return super().check_action(action, parameters)

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.tail.follow()

    def action_pause(self) -> None:
        """Freeze the view, or let it go on."""
        self.tail.toggle_pause()

    def action_source(self, source: str) -> None:
        """Show or hide a source."""
        self.tail.choose(self.tail.sources ^ {source}, self.filter_query)

    def action_find(self, step: int) -> None:
        """To the next (1) or previous (-1) hit."""
        self.tail.find(step)

    def action_past(self) -> None:
        """Ask for the history."""
        self.post_message(self.PastRequested())

    def action_export(self) -> None:
        """Ask for the shown lines to be written."""
        self.post_message(self.ExportRequested())

    def action_copy(self) -> None:
        """Ask for the current entry's text to be copied."""
        if self.current is not None:
            self.post_message(self.CopyRequested(self.current.text))

    @on(LogView.Changed)
    def _changed(self, event: LogView.Changed) -> None:
        event.stop()
        self.problem_changed()

    @on(LogTail.Chosen)
    def _chosen(self, event: LogTail.Chosen) -> None:
        event.stop()
        self.post_message(self.EntryChosen(event.entry))
