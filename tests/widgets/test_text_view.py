"""The text view: steady places, search, and nothing that a size could spoil."""

import time

import pytest

from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.paint.prompt import mark_tokens
from lmdeck.widgets.text_view import TextView

WORDS = " ".join(f"w{number}" for number in range(4000))


async def test_it_scrolls_by_keys_and_ends_where_the_text_ends(host, lines):
    view = TextView()
    async with host(view).run_test(size=(40, 10)) as pilot:
        view.show("\n".join(f"line {number}" for number in range(100)))
        pilot.app.screen.set_focus(view)
        await pilot.pause()
        assert lines(view)[0].strip() == "line 0"
        await pilot.press("j", "j", "down")
        assert lines(view)[0].strip() == "line 3"
        await pilot.press("G")
        assert lines(view)[-1].strip() == "line 99"
        await pilot.press("k", "pageup", "space", "g")
        assert lines(view)[0].strip() == "line 0"
        view.show("short")
        await pilot.pause()
        assert [line.strip() for line in lines(view)] == ["short"] + [""] * 9


@pytest.mark.parametrize("unit", ["word and ", "x", "漢字かな ", "a\n"])
async def test_going_up_shows_every_row_once(host, unit):
    """Above the place rows are only estimated: they are counted before they come into sight, and nothing jumps."""
    view = TextView()
    async with host(view).run_test(size=(50, 10)) as pilot:
        view.show(unit * 30_000)
        await pilot.pause()
        view.action_last()
        starts = [view.place]
        for _ in range(400):
            view.action_move(-1)
            starts.append(view.place)
        steps = [later - earlier for earlier, later in zip(starts[1:], starts[:-1], strict=True)]
        assert min(steps) > 0
        assert max(steps) <= 50
        for _ in range(400):
            view.action_move(1)
        assert view.place == starts[0]


async def test_the_place_survives_another_width(host, lines):
    view = TextView()
    async with host(view).run_test(size=(80, 10)) as pilot:
        view.show(WORDS)
        await pilot.pause()
        view.find("w2000")
        assert any("w2000" in line for line in lines(view))
        view.action_move(2)
        place = view.place
        await pilot.resize_terminal(33, 10)
        await pilot.pause()
        assert view.place <= place < view.place + 33
        assert max(map(len, lines(view))) <= 33


async def test_search_steps_round_and_counts(host, lines):
    view = TextView()
    async with host(view).run_test(size=(30, 6)) as pilot:
        view.show("Alpha\n" * 50 + "needle\n" + "beta\n" * 50 + "a NEEDLE here")
        await pilot.pause()
        view.find("needle")
        assert view.found == "1/2"
        assert any(line.startswith(("▏needle", "▌needle")) for line in lines(view))
        view.step(1)
        assert view.found == "2/2"
        assert "a NEEDLE here" in lines(view)[-1]
        strip = view.render_line(5)
        assert [segment.text for segment in strip if segment.style and segment.style.reverse] == ["NEEDLE"]
        view.step(1)
        assert view.found == "1/2"
        view.find("nothing like it")
        assert view.found == "0/0"
        view.step(1)
        view.find("")
        assert view.found == ""


async def test_a_hit_across_two_rows_is_marked_in_both(host):
    view = TextView()
    async with host(view).run_test(size=(12, 4)) as pilot:
        view.show("abcdefghijklmnopqrst")
        await pilot.pause()
        view.find("ijklm")
        marked = [[part.text for part in view.render_line(y) if part.style and part.style.reverse] for y in (0, 1)]
        assert marked == [["ij"], ["klm"]]


async def test_words_stand_where_there_is_no_text(host, lines):
    view = TextView()
    async with host(view).run_test(size=(30, 4)) as pilot:
        view.show("")
        view.show_words([Paragraph("No answer yet.")])
        await pilot.pause()
        assert lines(view)[0].strip() == "No answer yet."
        view.show("[red]text[/red]", mark_tokens, place=0)
        assert lines(view)[0].strip() == "[red]text[/red]"


@pytest.mark.parametrize("unit", ["word <|im_start|>user ", "x", "漢字 ", "\n"])
async def test_five_megabytes_open_at_once_and_scroll(host, unit):
    view = TextView()
    text = (unit * 5_000_000)[:5_000_000]
    async with host(view).run_test(size=(160, 45)) as pilot:

        def draw() -> None:
            for y in range(45):
                view.render_line(y)

        def timed(work) -> float:
            began = time.perf_counter()
            work()
            return time.perf_counter() - began

        scan = min(timed(lambda: sum(letter == "<" for letter in text)) for _ in range(3))
        assert min(timed(lambda: (view.show(text, mark_tokens), draw())) for _ in range(3)) < 0.4 * scan
        await pilot.pause()
        steps = sorted(timed(lambda: (view.action_page(1), draw())) for _ in range(40))
        assert steps[20] < 0.2 * scan
        assert timed(lambda: (view.action_last(), draw())) < scan
        assert view.place > 4_900_000
