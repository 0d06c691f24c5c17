"""The statistics page: figures, curves and days as they come, and what it asks for."""

import pytest
from dialog_host import DialogHost, dialog_open

from lmdeck.model.statistics import WINDOWS, Day, Series, Spread, Summary
from lmdeck.screens.statistics_screen import StatisticsScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
ROOMY = (160, 45)
SUMMARIES = (
    Summary(
        "", 430, 1234567, 234567, Spread(430, 41.26, 63.0, False), Spread(430, 0.312, 1.204),
        {"eosFound": 400, "toolCalls": 12, "strange\x1b": 15}, 3, 17, 4,
    ),
    Summary("coder[red]", 230, 1034567, 134567, Spread(), Spread(), {}, 0, 0, 2),
)  # fmt: skip
SERIES = Series(15.0, tuple(map(float, range(60))), (None, *[0.3] * 58, None), (1, 2, 3) * 20)
DAYS = (Day("2026-11-24", "coder[red]", 50, 900000, 100000, 2), Day("2026-11-23", "coder[red]", 40, 200000, 50000, 0))


def opened(size):
    return dialog_open(StatisticsScreen(windows=tuple(WINDOWS), window="15 m"), size)


def asked(host: DialogHost, kind: type) -> list[object]:
    return [next(iter(vars(one)[name] for name in ("window", "span", "kind") if name in vars(one)))
            for one in host.asked if type(one) is kind]  # fmt: skip


async def fill(host, pilot, summaries=SUMMARIES, series=SERIES, days=DAYS, span=7):
    host.dialog.show(summaries, series)
    host.dialog.show_days(days, span)
    await pilot.pause()


@SIZES
async def test_models_charts_and_days_are_shown(size):
    async with opened(size) as (host, pilot):
        assert "Counting …" in host.words()
        await fill(host, pilot)
        words = host.words()
        assert "all models 430 1234567 234567 ~41.3 ~63.0 0.31 1.20 3 17 4" in words
        assert "coder[red] 230 1034567 134567 – – – – 0 0 2" in words
        assert "all models: 400 × the model ended its answer (eosFound), 15 × strange␛, 12 ×" in words
        assert "CUT: ended at a limit" in words
        assert "J JSON C CSV M Markdown Esc close" in words
        await pilot.press("2")
        await pilot.pause()
        words = host.words()
        assert "tok/s now 59.0 most 59.0" in words
        assert "TTFT s now – most 0.30" in words
        assert "in flight now 3 most 3" in words
        await pilot.press("3")
        await pilot.pause()
        words = host.words()
        assert "2026-11-24 coder[red] 50 900000 100000 2 ████████████████" in words
        assert "2026-11-23 coder[red] 40 200000 50000 0 ████░" in words


async def test_one_section_at_a_time_where_there_is_little_room():
    async with opened((80, 24)) as (host, pilot):
        await fill(host, pilot)
        assert "now 59.0" not in host.words()
        await pilot.press("tab")
        await pilot.pause()
        assert "now 59.0" in host.words()
        assert "Window 1 m [15 m] 1 h session" in host.words()
        assert "all models" not in host.words()
        await pilot.press("tab")
        await pilot.pause()
        assert "2026-11-24" in host.words()
        assert "Window" not in host.words()
        await pilot.press("tab")
        await pilot.pause()
        assert "all models" in host.words()
        await pilot.resize_terminal(*ROOMY)
        await pilot.pause()
        words = host.words()
        assert "all models" in words
        assert "now 59.0" in words
        assert "2026-11-24" in words


async def test_it_asks_for_its_data_and_for_other_data():
    async with opened((80, 24)) as (host, pilot):
        screen = StatisticsScreen
        assert asked(host, screen.WindowChosen) == ["15 m"]
        assert asked(host, screen.DaysChosen) == [7]
        await pilot.press("w", "w", "w", "W", "d", "d", "d")
        assert asked(host, screen.WindowChosen) == ["15 m", "1 h", "session", "1 m", "session"]
        assert asked(host, screen.DaysChosen) == [7, 30, 90, 7]
        assert "[session]" in host.words()
        await pilot.press("J", "C", "M")
        assert asked(host, screen.ExportRequested) == ["jsonl", "csv", "markdown"]
        await pilot.press("escape")
        assert host.screen is not host.dialog


@SIZES
async def test_nothing_is_said_in_words(size):
    async with opened(size) as (host, pilot):
        await fill(host, pilot, (Summary(""),), Series(1.0), ())
        words = host.words()
        assert "No requests in this window." in words
        await pilot.press("2")
        await pilot.pause()
        words = host.words()
        assert "Nothing was generated in this window." in words
        assert "No first token in this window." in words
        await pilot.press("3")
        await pilot.pause()
        assert "The store has nothing of the last 7 days." in host.words()
        await fill(host, pilot)
        assert "The store has nothing" not in host.words()


async def test_days_that_are_no_longer_wanted_are_not_shown():
    async with opened(ROOMY) as (host, pilot):
        await fill(host, pilot)
        await pilot.press("d")
        host.dialog.show_days((Day("2026-10-01", "old", 1, 1, 1, 0),), 7)
        await pilot.pause()
        assert "2026-10-01" not in host.words()
        host.dialog.show_days((Day("2026-10-01", "old", 1, 1, 1, 0),), 30)
        await pilot.pause()
        assert "2026-10-01" in host.words()


async def test_the_current_model_tells_its_stop_reasons():
    async with opened((80, 24)) as (host, pilot):
        await fill(host, pilot)
        await pilot.press("down")
        await pilot.pause()
        assert "coder[red]: no stop reason told" in host.words()
        assert "400 ×" not in host.words()
