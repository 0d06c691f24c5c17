"""Charts: the curve, its words, its colours; and that nothing else names the library."""

from pathlib import Path

import pytest
from textual.widgets import Static
from textual_plotext import PlotextPlot

from lmdeck.widgets.chart import Chart, ceiling

ROOT = Path(__file__).parents[2]


def text(app) -> str:
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def dots(app) -> int:
    return sum("\u2801" <= letter <= "\u28ff" for letter in text(app))


async def test_a_series_is_drawn_with_its_axes(host):
    chart = Chart("tok/s", empty="Nothing yet.")
    async with host(chart).run_test(size=(60, 12)) as pilot:
        assert "Nothing yet." in text(pilot.app)
        assert dots(pilot.app) == 0
        chart.show((10.0, 20.0, 35.0, 41.24), 15.0)
        await pilot.pause()
        shown = text(pilot.app)
        assert "tok/s   now 41.2   most 41.2" in shown
        assert "Nothing yet." not in shown
        assert "60┤" in shown
        assert "45.0 s ago" in shown
        assert "now" in shown.splitlines()[-1]
        assert dots(pilot.app) > 30
        chart.show((), 15.0)
        await pilot.pause()
        assert "Nothing yet." in text(pilot.app)
        assert dots(pilot.app) == 0


async def test_gaps_stay_open_and_an_unknown_newest_is_said(host):
    chart = Chart("TTFT s", empty="None.", decimals=2)
    async with host(chart).run_test(size=(60, 12)) as pilot:
        chart.show((0.3, *[None] * 20, 0.4, None), 1.0)
        await pilot.pause()
        assert "now –   most 0.40" in text(pilot.app)
        assert dots(pilot.app) == 2
        chart.show((None, None), 1.0)
        await pilot.pause()
        assert "None." in text(pilot.app)


async def test_the_curve_has_the_colour_of_the_theme(host):
    chart = Chart("in flight", empty="None.", decimals=0)
    async with host(chart).run_test(size=(60, 12)) as pilot:
        chart.show((0, 1, 2, 3), 1.0)
        for theme in ("textual-dark", "textual-light", "nord"):
            pilot.app.theme = theme
            await pilot.pause()
            plot = chart.query_one(PlotextPlot)
            wanted = tuple(pilot.app.get_theme(theme).primary.lower().lstrip("#"))
            styles = {str(span.style) for span in plot.render().spans}
            assert any("".join(wanted) in style for style in styles)
        assert "now 3   most 3" in text(pilot.app)


async def test_the_same_series_is_not_drawn_again(host, monkeypatch):
    chart = Chart("tok/s", empty="Nothing yet.")
    async with host(chart).run_test(size=(60, 12)) as pilot:
        chart.show((1.0, 2.0), 1.0)
        await pilot.pause()
        updates = []
        monkeypatch.setattr(chart.query_one(Static), "update", updates.append)
        chart.show((1.0, 2.0), 1.0)
        assert updates == []
        chart.show((1.0, 2.5), 1.0)
        assert len(updates) == 1


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (-1, 1), (0.31, 0.4), (1, 1), (7, 8), (9, 10), (41.3, 60), (812, 1000), (0.0004, 0.001)]
)
def test_axes_end_at_round_numbers(value, top):
    assert ceiling(value) == pytest.approx(top)


def test_only_the_chart_names_the_library():
    sources = [path for folder in ("app", "widgets", "styles") for path in (ROOT / folder).rglob("*.py")]
    naming = [path.name for path in sources if "plotext" in path.read_text(encoding="utf-8")]
    assert naming == ["chart.py"]
    users = [path.name for path in sources if "lmdeck.widgets.chart " in path.read_text(encoding="utf-8")]
    assert users == ["statistics_screen.py"]
