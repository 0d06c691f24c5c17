"""A growing text alone in an application: what is drawn anew, selection, themes, other widths."""

import pytest
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Offset, Region
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from lmdeck.widgets import prose as module
from lmdeck.widgets.prose import Prose


class Host(App[None]):
    CSS = "VerticalScroll { scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"

    def __init__(self, prose: Prose) -> None:
        super().__init__()
        self.prose = prose

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield self.prose


def shown(prose: Prose) -> list[str]:
    return [strip.text.rstrip() for strip in prose.render_lines(Region(0, 0, prose.size.width, prose.size.height))]


async def add(pilot: Pilot[None], prose: Prose, text: str) -> bool:
    prose.feed(text)
    drawn = prose.redraw()
    await pilot.pause()
    return drawn


async def test_it_grows_and_is_wrapped_anew_for_another_width() -> None:
    prose = Prose()
    prose.feed("# Title\n\nfour words in a ")
    async with Host(prose).run_test(size=(20, 12)) as pilot:
        assert shown(prose) == ["Title", "", "four words in a"]
        assert await add(pilot, prose, "row\n\n- it")
        assert shown(prose) == ["Title", "", "four words in a row", "", "• it"]
        assert not await add(pilot, prose, "")
        await pilot.resize_terminal(12, 12)
        await pilot.pause()
        assert shown(prose) == ["Title", "", "four words", "in a row", "", "• it"]
        prose.clear()
        await add(pilot, prose, "new")
        assert shown(prose) == ["new"]


async def test_the_screen_is_laid_out_only_when_there_are_more_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    prose = Prose()
    prose.feed("first paragraph\n\nsecond")
    async with Host(prose).run_test(size=(40, 12)) as pilot:
        asked = list[tuple[tuple[Region, ...], bool]]()
        monkeypatch.setattr(prose, "refresh", lambda *regions, layout=False: asked.append((regions, layout)))
        await add(pilot, prose, " one")
        await add(pilot, prose, "\n")
        await add(pilot, prose, "\nthird")
        await add(pilot, prose, "")
    assert asked == [((Region(6, 2, 33, 1),), False), ((), True)]


async def test_rows_that_stay_the_same_are_not_made_again() -> None:
    prose = Prose()
    prose.feed("first\n\nsecond")
    async with Host(prose).run_test(size=(40, 12)) as pilot:
        first, _, second = prose.render_lines(Region(0, 0, 39, 3))
        await add(pilot, prose, " and third")
        again, _, longer = prose.render_lines(Region(0, 0, 39, 3))
        assert again is first
        assert longer.text != second.text


async def test_a_selection_is_copied_as_it_was_before_it_was_wrapped() -> None:
    prose = Prose()
    prose.feed("some words that are wrapped\n\n```\n    x = 1\n```\n")
    async with Host(prose).run_test(size=(16, 12)) as pilot:
        assert shown(prose) == ["some words that", "are wrapped", "", "      x = 1"]
        plain = prose.render_line(1)
        await pilot.mouse_down(prose, offset=(5, 0))
        await pilot.hover(prose, offset=(12, 3))
        await pilot.mouse_up(prose, offset=(12, 3))
        await pilot.pause()
        assert pilot.app.screen.get_selected_text() == "words that are wrapped\n\n    x = 1"
        marked = prose.render_line(1)
        assert marked.text == plain.text
        assert [segment.style for segment in marked] != [segment.style for segment in plain]
        pilot.app.screen.clear_selection()
        assert [segment.style for segment in prose.render_line(1)] == [segment.style for segment in plain]


async def test_a_selection_of_blank_lines_at_the_end_is_one() -> None:
    prose = Prose()
    prose.feed("```\na\n\n\n```")
    async with Host(prose).run_test(size=(16, 12)) as pilot:
        pilot.app.screen.selections = {prose: Selection(Offset(0, 2), Offset(0, 2))}
        assert pilot.app.screen.get_selected_text() == ""
        pilot.app.screen.selections = {prose: Selection(Offset(0, 0), Offset(0, 2))}
        assert pilot.app.screen.get_selected_text() == "a"


async def test_it_can_be_painted_after_it_was_taken_away() -> None:
    prose = Prose()
    prose.feed("words")
    async with Host(prose).run_test(size=(16, 12)):
        await prose.remove()
        assert len(prose.render_lines(Region(0, 0, 16, 1))) == 1


async def test_many_rows_are_kept_no_longer_than_they_may_be_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_STRIPS", 4)
    prose = Prose()
    prose.feed("a  \n" * 20)
    async with Host(prose).run_test(size=(40, 12)):
        rows = [prose.render_line(y) for y in range(6)]
        assert prose.render_line(2) is rows[2]
        again = [prose.render_line(y) for y in (7, 8, 9)]
        assert [prose.render_line(y) for y in (7, 8, 9)] == again
        assert prose.render_line(2) is rows[2]
        assert prose.render_line(3) is not rows[3]


async def test_colours_follow_the_theme() -> None:
    prose = Prose()
    prose.feed("# Title\n\n`code`")
    async with Host(prose).run_test(size=(40, 12)) as pilot:
        before = [segment.style for segment in prose.render_line(0)]
        pilot.app.theme = "textual-light"
        await pilot.pause()
        assert [segment.style for segment in prose.render_line(0)] != before


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
async def test_without_colours_there_are_none(theme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    prose = Prose()
    prose.feed("# Title\n\n[a](http://b.c) `code`\n\n```python\ndef f(): 'x'\n```\n\n> quote")
    app = Host(prose)
    app.theme = theme
    async with app.run_test(size=(40, 12)):
        for strip in prose.render_lines(Region(0, 0, 39, prose.size.height)):
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert colour is None or colour.is_default or len(set(colour.get_truecolor())) == 1


async def test_plain_text_has_a_line_beside_it() -> None:
    prose = Prose(markdown=False)
    prose.feed("*a*\n[b]c[/b] \x1b[2J and words that are wrapped")
    async with Host(prose).run_test(size=(20, 12)):
        assert shown(prose) == ["│ *a*", "│ [b]c[/b] ␛[2J and", "│ words that are", "│ wrapped"]
        copied, _ = prose.get_selection(SELECT_ALL) or ("", "")
        assert copied == "*a*\n[b]c[/b] ␛[2J and words that are wrapped"
