"""The Log pane alone: following, pausing, filtering, and what is painted."""

from collections.abc import Callable

import pytest

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import DeckNote, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.problem import Problem
from lmdeck.widgets.filter_bar import FilterBar
from lmdeck.widgets.log_pane import LogPane
from lmdeck.widgets.log_store import LogStore
from lmdeck.widgets.pane import Pane


def numbered(start, stop):
    return [RuntimeLine(float(number), f"line {number}") for number in range(start, stop)]


@pytest.fixture
def pane():
    return LogPane(id="log")


@pytest.fixture
def shown(lines) -> Callable[[LogPane], list[str]]:
    """The messages in sight, without time and origin; the cursor's line in brackets."""

    def read(pane):
        rows = [(line[0], line[21:]) for line in lines(pane.tail) if line.strip()]
        return [f"[{text}]" if mark in "▌▏" else text for mark, text in rows]

    return read


async def until(pilot, condition):
    """Waits until it is so."""
    for _ in range(500):
        if condition():
            break
        await pilot.pause(0.01)
    assert condition()


async def extend(pilot, pane, entries):
    """Takes the entries in and waits for their frame."""
    pane.extend(entries)
    await until(pilot, lambda: pane.tail.painted)


async def test_follows_the_end(host, pane, shown):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 2))
        assert shown(pane) == ["line 0", "line 1"]
        await extend(pilot, pane, numbered(2, 50))
        assert shown(pane) == ["line 47", "line 48", "line 49"]
        assert pane.border_title == "Log  model ✓  server ✓  runtime ✓   follow"


async def test_scrolling_up_lets_go_and_the_end_key_comes_back(host, pane, shown):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 50))
        pane.focus_content()
        await pilot.press("k")
        assert shown(pane) == ["line 47", "[line 48]", "line 49"]
        assert pane.border_title == "Log  model ✓  server ✓  runtime ✓"
        await extend(pilot, pane, numbered(50, 62))
        assert shown(pane) == ["line 47", "[line 48]", "line 49"]
        assert pane.border_subtitle == "+12 new"
        await pilot.press("end")
        assert shown(pane) == ["line 59", "line 60", "line 61"]
        assert not pane.border_subtitle
        assert pane.border_title.endswith("follow")
        await pilot.press("g")
        assert shown(pane) == ["[line 0]", "line 1", "line 2"]
        await pilot.press("f")
        assert shown(pane)[-1] == "line 61"


async def test_the_wheel_lets_go_and_follows_again_at_the_end(host, pane, shown):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 50))
        pane.tail.scroll_relative(y=-10, animate=False)
        await pilot.pause()
        assert shown(pane) == ["line 37", "line 38", "[line 39]"]
        pane.tail.scroll_relative(y=3, animate=False)
        await pilot.pause()
        assert shown(pane) == ["[line 40]", "line 41", "line 42"]
        pane.tail.scroll_relative(y=20, animate=False)
        await pilot.pause()
        assert shown(pane) == ["line 47", "line 48", "line 49"]
        assert pane.tail.following


async def test_moving_beyond_the_last_line_follows_again(host, pane):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 50))
        pane.focus_content()
        await pilot.press("k", "j")
        assert not pane.tail.following
        await pilot.press("j")
        assert pane.tail.following


async def test_pause_freezes_and_nothing_is_lost(host, pane, shown):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 50))
        pane.focus_content()
        await pilot.press("space")
        assert pane.border_title.endswith("paused")
        await extend(pilot, pane, numbered(50, 53))
        assert shown(pane) == ["line 47", "line 48", "line 49"]
        assert pane.border_subtitle == "+3 new"
        await pilot.press("space")
        assert shown(pane) == ["line 50", "line 51", "line 52"]
        assert not pane.border_subtitle


async def test_what_is_read_stays_while_old_entries_are_let_go(host, shown):
    pane = LogPane(store=LogStore(entries=40))
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 44))
        pane.focus_content()
        await pilot.press("k", "k", "k", "k")
        before = shown(pane)
        await extend(pilot, pane, numbered(44, 60))
        assert pane.tail.total < 60
        assert shown(pane) == before
        await extend(pilot, pane, numbered(60, 200))
        assert shown(pane)[0].startswith("[line 1")


async def test_sources_are_toggled(host, pane, shown):
    async with host(pane).run_test(size=(60, 6)) as pilot:
        await extend(pilot, pane, [ServerLine(0, "http"), RuntimeLine(1, "slot"), DeckNote(2, "note")])
        pane.focus_content()
        await pilot.press("o")
        assert shown(pane) == ["http", "note"]
        assert pane.border_title == "Log  model ✓  server ✓  runtime –   follow"
        await pilot.press("s")
        assert shown(pane) == ["note"]
        await pilot.press("o", "s", "m")
        assert shown(pane) == ["http", "slot", "note"]


async def test_filter_counts_finds_and_clears(host, pane, shown, lines):
    async with host(pane).run_test(size=(60, 8)) as pilot:
        await extend(pilot, pane, numbered(0, 100))
        pane.focus_content()
        await pilot.press("slash", *'"LINE 4', "enter")
        assert pane.border_subtitle == '“"LINE 4” 11 of 100'
        assert shown(pane)[-1] == "line 49"
        await extend(pilot, pane, numbered(400, 402))
        assert shown(pane)[-1] == "line 401"
        assert [entry.text for entry in pane.shown()][-3:] == ["line 49", "line 400", "line 401"]
        await pilot.press("escape", "N")
        assert shown(pane)[-1] == "line 401"
        await pilot.press("N")
        assert pane.current.text == "line 49"
        await pilot.press("N", "n", "n")
        assert pane.current.text == "line 400"
        await pilot.press("slash", *"absent")
        assert lines(pane.tail)[0] == " nothing matches “absent”"


async def test_hits_go_round_and_it_is_said(host, pane):
    async with host(pane).run_test(size=(90, 8)) as pilot:
        await extend(pilot, pane, [*numbered(0, 5000), RuntimeLine(5000, "hit a"), *numbered(5001, 9000)])
        await extend(pilot, pane, [RuntimeLine(9000, "hit b"), *numbered(9001, 9100)])
        pane.focus_content()
        await pilot.press("slash", *"hit", "escape")
        for key, text, notice in [
            ("N", "hit b", None),
            ("N", "hit a", None),
            ("N", "hit b", "search goes on at the bottom"),
            ("n", "hit a", "search goes on at the top"),
            ("n", "hit b", None),
        ]:
            await pilot.press(key)
            await until(pilot, lambda text=text: pane.current.text == text)
            await until(pilot, lambda notice=notice: (str(pane.border_subtitle or "") or None) == notice)
        await pilot.press("n", "j")
        await until(pilot, lambda: not pane.border_subtitle)
        await pilot.press("slash", *"absent", "escape", "n")
        await until(pilot, lambda: pane.border_subtitle == "no hit")


async def test_a_bad_filter_is_explained_and_the_last_good_one_stays(host, pane, shown):
    def bar():
        return pane.query_one(FilterBar).render_line(0).text

    async with host(pane).run_test(size=(60, 8)) as pilot:
        await extend(pilot, pane, [*numbered(0, 20), PredictionOutput(99, "m", "", PredictionStats("x", 12.0))])
        pane.focus_content()
        await pilot.press("slash", *"tps<")
        assert "✗ tps is compared with a number: tps>20" in bar()
        assert pane.filter_text == "tps"
        await pilot.press(*"20")
        assert "✗" not in bar()
        assert pane.tail.line_count() == 1
        await pilot.press("x", "enter")
        assert pane.screen.focused is pane.query_one(FilterBar)
        assert "✗ tps is" in bar()
        assert (pane.tail.line_count(), pane.filter_text) == (1, "tps<20")
        await pilot.press("backspace")
        assert "✗" not in bar()
        await pilot.press("enter")
        assert pane.border_subtitle == "“tps<20” 1 of 21"


async def test_hits_are_highlighted(host, pane):
    def reversed_text():
        strip = pane.tail.render_line(0)
        return [segment.text for segment in strip if segment.style and segment.style.reverse]

    async with host(pane).run_test(size=(90, 5)) as pilot:
        await extend(pilot, pane, [RuntimeLine(1, "slot 12 of 34 RELEASED")])
        pane.apply_filter(r"re:\d\d\b released -xyz source:r")
        assert reversed_text()[-3:] == ["12", "34", "RELEASED"]
        pane.apply_filter("level:info")
        assert not reversed_text()


async def test_a_long_log_is_searched_in_slices(host, pane, lines, monkeypatch):
    monkeypatch.setattr("lmdeck.widgets.log_tail.SLICE_S", 0.0)
    async with host(pane).run_test(size=(60, 8)) as pilot:
        await extend(pilot, pane, numbered(0, 6000))
        pane.focus_content()
        pane.apply_filter("9")
        assert 0 < pane.tail.line_count() < 300
        await until(pilot, lambda: pane.tail.line_count() > 300)
        assert pane.border_subtitle.endswith("of 6000 …")
        assert not pane.tail.painted
        pane.apply_filter("absent")
        assert lines(pane.tail)[0] == " searching …"
        pane.apply_filter("line")
        await until(pilot, lambda: pane.tail.painted)
        assert pane.filter_count() == "6000 of 6000"


async def test_streams_are_merged_and_the_cursor_stays(host, pane, shown):
    async with host(pane).run_test(size=(60, 6)) as pilot:
        await extend(pilot, pane, numbered(0, 9))
        await extend(pilot, pane, [RuntimeLine(7.5, "late")])
        assert shown(pane) == ["line 6", "line 7", "late", "line 8"]
        pane.focus_content()
        await pilot.press("k")
        await extend(pilot, pane, [RuntimeLine(7.2, "later"), RuntimeLine(7.3, "still later")])
        assert "[late]" in shown(pane)
        assert pane.border_subtitle == "+2 new"
        pane.apply_filter("late")
        await extend(pilot, pane, [RuntimeLine(7.1, "latest"), RuntimeLine(8.5, "last")])
        assert shown(pane) == ["latest", "later", "still later", "[late]"]
        pane.backfill([RuntimeLine(-100, "long ago"), RuntimeLine(-99, "of late")])
        await until(pilot, lambda: pane.tail.painted)
        await pilot.press("g")
        assert shown(pane)[0] == "[of late]"


async def test_a_pause_freezes_even_what_comes_late_and_says_what_is_dropped(host, shown):
    pane = LogPane(store=LogStore(entries=40))
    async with host(pane).run_test(size=(90, 5)) as pilot:
        await extend(pilot, pane, numbered(0, 20))
        pane.focus_content()
        await pilot.press("space")
        before = shown(pane)
        await extend(pilot, pane, [RuntimeLine(18.5, "late"), *numbered(20, 119)])
        assert shown(pane) == before
        assert pane.border_subtitle == "+100 new"
        await extend(pilot, pane, numbered(119, 200))
        dropped = pane.tail.store.first
        assert dropped > 0
        assert pane.border_subtitle == f"+{200 - dropped + 1} new · {dropped} oldest dropped while paused"
        await pilot.press("space")
        assert shown(pane)[-1] == "line 199"
        assert not pane.border_subtitle


async def test_an_exchange_marks_and_filters_its_lines(host, pane, shown, lines):
    asked, answer = PredictionInput(1, "m", "hi"), PredictionOutput(3, "m", "ho", PredictionStats(ttft_s=3))
    known = {}
    pane.use_exchanges(lambda entry: known.get(id(entry)))
    async with host(pane).run_test(size=(60, 6)) as pilot:
        await extend(pilot, pane, [asked, RuntimeLine(2, "x"), answer])
        pane.apply_filter("ttft>2")
        assert pane.tail.line_count() == 1
        exchange = Exchange(1, "m", 1, input=asked, output=answer, stats=answer.stats, certainty="guess")
        known.update({id(asked): exchange, id(answer): exchange})
        pane.exchanges_changed([exchange])
        await until(pilot, lambda: pane.tail.painted)
        assert [line[9:13] for line in lines(pane.tail)[:2]] == [" →?m", " ←?m"]


async def test_choosing_and_copying(host, pane):
    app = host(pane)
    async with app.run_test(size=(60, 5)) as pilot:
        pane.focus_content()
        await pilot.press("enter", "y")
        assert not app.got(LogPane.EntryChosen)
        await extend(pilot, pane, numbered(0, 9))
        await pilot.press("enter", "k", "enter", "y")
        await pilot.pause()
        assert [message.entry.text for message in app.got(LogPane.EntryChosen)] == ["line 8", "line 7"]
        assert [message.text for message in app.got(Pane.CopyRequested)] == ["line 7"]
        await pilot.click(pane.tail, offset=(5, 0), times=2)
        assert app.got(LogPane.EntryChosen)[-1].entry.text == "line 6"


async def test_prompts_can_be_hidden(host, pane, lines):
    async with host(pane).run_test(size=(80, 5)) as pilot:
        await extend(pilot, pane, [PredictionInput(0, "m", "secret words")])
        assert "secret words" in lines(pane.tail)[0]
        pane.hide_prompts = True
        assert "secret" not in "".join(lines(pane.tail))


async def test_hostile_text_and_words(host, pane, lines):
    async with host(pane).run_test(size=(80, 5)) as pilot:
        await pilot.pause()
        assert lines(pane.tail)[0] == " no events yet"
        pane.show_problem(Problem("no lms", "not on PATH"))
        assert lines(pane.tail)[0] == " ✗ no lms"
        await extend(pilot, pane, [RuntimeLine(0, "\x1b[2J[bold]x[/]")])
        await pilot.pause()
        assert lines(pane.tail)[0].endswith("␛[2J[bold]x[/]")
        assert pane.border_subtitle == "✗ no lms"


async def test_a_burst_is_painted_once_a_frame(host, pane, painted):
    async with host(pane).run_test(size=(60, 12)) as pilot:
        await extend(pilot, pane, numbered(0, 1))
        ys = painted(pane.tail)
        for number in range(1, 200):
            pane.extend(numbered(number, number + 1))
        await extend(pilot, pane, [])
        await pilot.pause()
        assert 0 < len(ys) <= 3 * 12
        assert pane.tail.total == 200


async def test_entries_that_came_before_the_pane_was_mounted(host, pane, shown):
    pane.extend(numbered(0, 3))
    async with host(pane).run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        assert shown(pane) == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize("size", [(20, 3), (300, 100)])
async def test_any_size(host, pane, size):
    async with host(pane).run_test(size=size) as pilot:
        await extend(pilot, pane, numbered(0, 500))
        pane.focus_content()
        await pilot.press("g", "pagedown", "space", "slash", "1", "enter", "n", "escape", "f")
        await pilot.resize_terminal(20, 3)
        await pilot.resize_terminal(90, 30)
        await pilot.pause()
        assert pane.tail.following
