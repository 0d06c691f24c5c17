"""The Log pane alone: following, pausing, filtering, and what is painted."""

from collections.abc import Callable

import pytest

from lmdeck.model.log import DeckNote, PredictionInput, RuntimeLine, ServerLine
from lmdeck.model.problem import Problem
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


async def extend(pilot, pane, entries):
    """Takes the entries in and waits for their frame."""
    pane.extend(entries)
    tail = pane.tail
    for _ in range(200):
        if tail.painted:
            break
        await pilot.pause(0.01)
    assert tail.painted


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
        await pilot.press("slash", *"LINE 4", "enter")
        assert pane.border_subtitle == "“LINE 4” 11 of 100"
        assert shown(pane)[-1] == "line 49"
        await extend(pilot, pane, numbered(400, 402))
        assert shown(pane)[-1] == "line 401"
        await pilot.press("escape", "N")
        assert shown(pane)[-1] == "line 401"
        await pilot.press("N")
        assert pane.current.text == "line 49"
        await pilot.press("N", "n", "n")
        assert pane.current.text == "line 400"
        await pilot.press("slash", *"absent")
        assert lines(pane.tail)[0] == " nothing contains “absent”"


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
