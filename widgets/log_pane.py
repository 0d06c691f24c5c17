"""The Log pane: what is asked and answered, as it comes."""

import time
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from lmdeck.model.log import SOURCES, LogEntry
from lmdeck.widgets.filter_pane import FilterPane
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.log_store import LogStore
from lmdeck.widgets.log_tail import LogTail
from lmdeck.widgets.log_view import LogView
from lmdeck.widgets.pane import Clock, problem_words


class LogPane(FilterPane):
    """One line an event of the three sources and of the deck."""

    TITLE = "Log"
    BINDING_GROUP_TITLE = "Log"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", "Follow", id="log.follow", tooltip="Go to the end and stay there"),
        Binding("space", "pause", "Pause", id="log.pause", tooltip="Freeze the view; entries are kept meanwhile"),
        Binding("m", "source('model')", "Model", show=False, id="log.model", tooltip="Show or hide model lines"),
        Binding("s", "source('server')", "Server", show=False, id="log.server", tooltip="Show or hide server lines"),
        Binding("o", "source('runtime')", "Runtime", show=False, id="log.runtime", tooltip="Show or hide engine lines"),
        Binding("n", "find(1)", "Next hit", show=False, id="log.next", tooltip="The next line with the filter's text"),
        Binding("N", "find(-1)", "Previous hit", show=False, id="log.previous", tooltip="The hit before"),
        Binding("y", "copy", "Copy", show=False, id="log.copy", tooltip="Copy the text of this entry"),
    ]

    hide_prompts: reactive[bool] = reactive(False, repaint=False, init=False)
    """Prompts and answers are left out of the lines."""

    class EntryChosen(Message):
        """Everything about this entry is wanted."""

        def __init__(self, entry: LogEntry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, *, store: LogStore | None = None, id: str | None = None, clock: Clock = time.monotonic) -> None:
        tail = LogTail(store)
        super().__init__(tail, id=id, clock=clock)
        self.tail = tail

    def extend(self, entries: Sequence[LogEntry]) -> None:
        """Keep these entries and show them with the next frame."""
        self.tail.extend(entries)

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
            nothing = Paragraph(f"nothing contains “{self.filter_text}”"), Paragraph("Esc clears the filter", "accent")
            self.put_words(nothing if self.filter_text and not self.tail.line_count() else ())
        elif self.problem:
            self.put_words(problem_words(self.problem))
        else:
            words = "no events yet", "requests, answers and engine lines show up here as they come"
            self.put_words([Paragraph(words[0]), Paragraph(words[1], "muted")])
        self.refresh_frame()

    def title_addendum(self) -> str:
        marks = "  ".join(f"{source} {'✓' if source in self.tail.sources else '–'}" for source in SOURCES)
        state = "paused" if self.tail.paused else "follow" if self.tail.following else ""
        return f" {marks}   {state}".rstrip()

    def hints(self) -> Iterator[str]:
        if new := self.tail.new_lines:
            yield f"+{new} new"
        if self.tail.total and self.problem:
            yield f"✗ {self.problem.title}"
        yield from super().hints()

    @property
    def filter_text(self) -> str:
        return self.tail.filter_text

    def apply_filter(self, text: str) -> None:
        self.tail.choose(self.tail.sources, text)
        self.problem_changed()

    def filter_count(self) -> str:
        return f"{self.tail.line_count()} of {self.tail.total}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "find" and not self.tail.search_text:
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
        self.tail.choose(self.tail.sources ^ {source}, self.filter_text)

    def action_find(self, step: int) -> None:
        """To the next (1) or previous (-1) hit."""
        self.tail.find(step)

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
