"""How much was asked of the models, how fast they answered, and what went wrong: now, and day by day."""

from collections.abc import Sequence
from typing import Final, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from lmdeck.model.statistics import Day, Series, Summary
from lmdeck.screens.choices import choices
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Intent
from lmdeck.screens.statistics_columns import (
    DAY_COLUMNS,
    LEGEND,
    SUMMARY_COLUMNS,
    DayRow,
    model_name,
    reasons,
    tokens,
)
from lmdeck.widgets.chart import Chart
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.line import Line, Span, wrap
from lmdeck.widgets.painting import Painting
from lmdeck.widgets.table import Table

Days = Literal[7, 30, 90]
Format = Literal["jsonl", "csv", "markdown"]
SPANS: Final[tuple[Days, ...]] = (7, 30, 90)
SECTIONS: Final = ("Models", "Charts", "Days")
ROOMY: Final = (110, 36)
"""From this size on all sections stand on the screen at once."""


class StatisticsScreen(Dialog[None]):
    """Asks for its data when it opens (`WindowChosen`, `DaysChosen`), and whenever others are wanted; `show` and
    `show_days` bring them, as often as there is something new."""

    BINDING_GROUP_TITLE = "Statistics"
    BINDINGS = [
        *(
            Binding(
                f"{number}", f"open({number - 1})", title, show=False, id=f"statistics.{title.lower()}", tooltip=title
            )
            for number, title in enumerate(SECTIONS, 1)
        ),
        Binding("tab", "turn(1)", "Next section", show=False, id="statistics.next", tooltip="The next section"),
        Binding(
            "shift+tab", "turn(-1)", "Section before", show=False, id="statistics.before", tooltip="The one before"
        ),
        Binding("w", "window(1)", "Window", id="statistics.window", tooltip="The next window of time"),
        Binding(
            "W", "window(-1)", "Window before", show=False, id="statistics.window_before", tooltip="The one before"
        ),
        Binding("d", "days", "Days", id="statistics.days_span", tooltip="7, 30 or 90 days"),
        Binding("J", "export('jsonl')", "JSON Lines", id="statistics.jsonl", tooltip="Export as JSON Lines"),
        Binding("C", "export('csv')", "CSV", id="statistics.csv", tooltip="Export the statistics as CSV"),
        Binding("M", "export('markdown')", "Markdown", id="statistics.markdown", tooltip="Export as Markdown"),
        Binding("escape,q", "close", "Close", id="statistics.close", tooltip="Back to the deck"),
    ]
    DEFAULT_CSS = """
    StatisticsScreen {
        #window, #span { height: 1; }
        #models, #charts, #days { height: 1fr; display: none; }
        #charts { scrollbar-size-vertical: 1; }
        #about { margin: 1 0 0 0; }
        .-here { display: block !important; }
        .-roomy #models, .-roomy #days { display: block; }
        .-roomy #charts { display: block; layout: horizontal; height: 13; margin: 1 0; }
        .-roomy Chart { margin: 0 2 0 0; }
        Table { height: 1fr; background: $surface; }
    }
    """

    class WindowChosen(Intent):
        """Summaries and curves of this window of time are wanted."""

        def __init__(self, window: str) -> None:
            super().__init__()
            self.window = window

    class DaysChosen(Intent):
        """The days of this span, up to today, are wanted from the store."""

        def __init__(self, span: Days) -> None:
            super().__init__()
            self.span = span

    class ExportRequested(Intent):
        """The exchanges are wanted in a file."""

        def __init__(self, kind: Format) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, *, windows: tuple[str, ...], window: str) -> None:
        super().__init__()
        self._windows, self._window = windows, windows.index(window)
        self._section, self._span = 0, SPANS[0]
        self._summaries = Table(SUMMARY_COLUMNS, key=lambda summary: summary.instance_id, id="summaries")
        self._days = Table(DAY_COLUMNS, key=lambda row: f"{row.day.date} {row.day.instance_id}", id="day-rows")
        self._about = Painting(id="about")
        self._speed = Chart("tok/s", empty="Nothing was generated in this window.")
        self._ttft = Chart("TTFT s", empty="No first token in this window.", decimals=2, color="accent")
        self._in_flight = Chart("in flight", empty="No requests in this window.", decimals=0, color="success")

    def compose(self) -> ComposeResult:
        """Title and window, models, charts, days, the keys."""
        with Vertical(classes="dialog dialog-page", id="page"):
            yield Static(classes="dialog-title", id="title")
            yield Static(id="window")
            with Vertical(id="models"):
                yield self._summaries
                yield self._about
            with VerticalScroll(id="charts"):
                yield from (self._speed, self._ttft, self._in_flight)
            with Vertical(id="days"):
                yield Static(id="span")
                yield self._days
            yield Static(
                "1-3 section  w window  d days  export J JSON C CSV M Markdown  Esc close",
                classes="dialog-keys",
                markup=False,
            )

    def on_mount(self) -> None:
        """Ask for everything."""
        self._summaries.show_words([Paragraph("Counting …", "muted")])
        self._days.show_words([Paragraph("Reading the store …", "muted")])
        self._about.show(self._about_lines)
        self._open(0)
        self.post_message(self.WindowChosen(self._windows[self._window]))
        self.post_message(self.DaysChosen(self._span))

    # Data

    def show(self, summaries: tuple[Summary, ...], series: Series) -> None:
        """The window's statistics, all models first, and its curves."""
        asked = any(summary.requests for summary in summaries)
        self._summaries.show_words([] if asked else [Paragraph("No requests in this window.", "muted")])
        self._summaries.set_rows(summaries if asked else ())
        self._about.show(self._about_lines)
        self._speed.show(series.tokens_per_second, series.step_s)
        self._ttft.show(series.ttft, series.step_s)
        self._in_flight.show(series.in_flight, series.step_s)

    def show_days(self, days: tuple[Day, ...], span: int) -> None:
        """The totals of these days; those of a span that is no longer wanted are not shown."""
        if span == self._span:
            most = max(map(tokens, days), default=0)
            words = f"The store has nothing of the last {span} days."
            self._days.show_words([] if days else [Paragraph(words, "muted")])
            self._days.set_rows([DayRow(day, most) for day in days])

    @on(Table.Highlighted)
    def _tell_about(self) -> None:
        self._about.show(self._about_lines)

    def _about_lines(self, cells: int) -> Sequence[Line]:
        """Why the answers of the current line ended, and what the columns mean."""
        lines = list[Line]()
        if (summary := self._summaries.current) is not None:
            told = wrap(f"{model_name(summary)}: {reasons(summary.stop_reasons)}", cells)
            lines += [(Span(line),) for line in told[:4]]
        return [*lines, *((Span(line, "muted"),) for line in wrap(LEGEND, cells))]

    # Sections

    def on_resize(self, event: events.Resize) -> None:
        """All at once where there is room."""
        roomy = event.size.width >= ROOMY[0] and event.size.height >= ROOMY[1]
        self.query_one("#page").set_class(roomy, "-roomy")
        self._tell()

    def _open(self, section: int) -> None:
        self._section = section
        for index, title in enumerate(SECTIONS):
            self.query_one(f"#{title.lower()}").set_class(index == section, "-here")
        first: Widget = (self._summaries, self.query_one("#charts"), self._days)[section]
        self.set_focus(first)
        self._tell()

    def _tell(self) -> None:
        """Title, window and span."""
        sections = choices([f"{number} {title}" for number, title in enumerate(SECTIONS, 1)], self._section)
        self.query_one("#title", Static).update(Content.assemble("Statistics  ", sections))
        window = self.query_one("#window", Static)
        window.update(Content.assemble("Window  ", choices(self._windows, self._window)))
        window.display = self._section < 2 or self.query_one("#page").has_class("-roomy")
        spans = choices([str(span) for span in SPANS], SPANS.index(self._span))
        self.query_one("#span", Static).update(Content.assemble("Tokens by day, last ", spans, "days"))

    def action_open(self, section: int) -> None:
        """To this section."""
        self._open(section)

    def action_turn(self, sections: int) -> None:
        """To the next section, or the one before; round at the ends."""
        self._open((self._section + sections) % len(SECTIONS))

    # What is wanted

    def action_window(self, windows: int) -> None:
        """Another window of time."""
        self._window = (self._window + windows) % len(self._windows)
        self._tell()
        self.post_message(self.WindowChosen(self._windows[self._window]))

    def action_days(self) -> None:
        """Another span of days."""
        self._span = SPANS[(SPANS.index(self._span) + 1) % len(SPANS)]
        self._tell()
        self.post_message(self.DaysChosen(self._span))

    def action_export(self, kind: Format) -> None:
        """Into a file."""
        self.post_message(self.ExportRequested(kind))

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
