"""A live curve over time, with its axes. The only file that names the plotting library; it comes with the screen."""

from collections.abc import Iterator, Sequence

from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.theme import Theme
from textual.widgets import Static
from textual_plotext import PlotextPlot

from lmdeck.model.units import elapsed

Values = Sequence[float | None]


class Chart(Vertical):
    """One series, oldest first; None leaves a gap. The title tells the newest and the highest value, and words stand
    where there is nothing to draw."""

    DEFAULT_CSS = """
    Chart {
        height: 1fr; width: 1fr; min-height: 6;
        & > .chart-title { height: 1; }
        & > .chart-words { height: auto; color: $text-muted; padding: 0 1; }
        & > PlotextPlot { color: $foreground-muted; }
    }
    """

    def __init__(self, title: str, *, empty: str, decimals: int = 1, color: str = "primary") -> None:
        """`empty`: the words for a series without values; `color`: one of the theme's variables."""
        super().__init__()
        self._title, self._empty, self._decimals, self._color = title, empty, decimals, color
        self._values: Values = ()
        self._step = 1.0
        self._plot = PlotextPlot()

    def compose(self) -> ComposeResult:
        """Title, and the curve or words."""
        yield Static(self._title, classes="chart-title", markup=False)
        yield Static(self._empty, classes="chart-words", markup=False)
        yield self._plot

    def on_mount(self) -> None:
        """The colours follow the theme."""
        self._plot.theme = "clear"  # only the curve has a colour of its own
        self.app.theme_changed_signal.subscribe(self, self._recolor)
        self._draw()

    def show(self, values: Values, step_s: float) -> None:
        """Show this series, one value a step of so many seconds."""
        if (values, step_s) != (self._values, self._step):
            self._values, self._step = values, step_s
            if self.is_mounted:
                self._draw()

    def _recolor(self, _: Theme) -> None:
        self._draw()

    def _draw(self) -> None:
        known = [value for value in self._values if value is not None]
        self._plot.display = bool(known)
        self.query_one(".chart-words").display = not known
        self.query_one(".chart-title", Static).update(self._heading(known))
        if known:
            self._curve(known)

    def _heading(self, known: Sequence[float]) -> str:
        if not known:
            return self._title
        newest = self._values[-1]
        now = f"{newest:.{self._decimals}f}" if newest is not None else "–"
        return f"{self._title}   now {now}   most {max(known):.{self._decimals}f}"

    def _curve(self, known: Sequence[float]) -> None:
        plot, last, top = self._plot.plt, len(self._values) - 1, ceiling(max(known))
        plot.clear_data()
        for places, heights in _stretches(self._values):
            plot.plot(places, heights, marker="braille", color=self._line_color())
        plot.ylim(0, top)
        ticks = [0, top] if not self._decimals and top % 2 else [0, top / 2, top]
        plot.yticks(ticks, [f"{tick:g}" for tick in ticks])
        plot.xlim(0, max(last, 1))
        plot.xticks([0, max(last, 1)], [f"{elapsed(last * self._step)} ago" if last else "", "now"])
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        self._plot.refresh()

    def _line_color(self) -> str | tuple[int, int, int]:
        """The terminal's own where its colours are used, or none at all."""
        if self.app.native_ansi_color:
            return "default"
        return Color.parse(self.app.theme_variables[self._color]).rgb


def ceiling(value: float) -> float:
    """The next 1, 2, 3, 4, 6 or 8 with zeros: where an axis can end."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 0.001
    while True:
        for step in (1, 2, 3, 4, 6, 8):
            if value <= step * power * (1 + 1e-9):
                return step * power
        power *= 10


def _stretches(values: Values) -> Iterator[tuple[list[int], list[float]]]:
    """The series without its gaps, in parts."""
    places, heights = list[int](), list[float]()
    for place, value in enumerate((*values, None)):
        if value is not None:
            places.append(place)
            heights.append(value)
        elif places:
            yield places, heights
            places, heights = [], []
