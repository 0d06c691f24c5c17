"""Folded text alone in an application."""

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from lmdeck.widgets.folded import Folded


class Host(App[None]):
    def __init__(self, folded: Folded) -> None:
        super().__init__()
        self.folded = folded

    def compose(self) -> ComposeResult:
        yield self.folded


async def shown(pilot: Pilot[None]) -> list[str]:
    await pilot.pause()
    strips = pilot.app.screen._compositor.render_strips()
    return [row for row in (strip.text.rstrip() for strip in strips) if row]


async def test_a_click_opens_it_and_it_goes_on_growing() -> None:
    folded = Folded("a [b]title[/b]")
    async with Host(folded).run_test(size=(30, 10)) as pilot:
        folded.append("one\ntwo")
        assert not folded.refresh_text()
        assert await shown(pilot) == ["▸ a [b]title[/b]"]
        await pilot.click(folded)
        assert await shown(pilot) == ["▾ a [b]title[/b]", "│ one", "│ two"]
        folded.append(" three\n")
        assert folded.refresh_text()
        assert await shown(pilot) == ["▾ a [b]title[/b]", "│ one", "│ two three"]
        folded.replace("other")
        assert await shown(pilot) == ["▾ a [b]title[/b]", "│ other"]
        folded.replace("")
        assert await shown(pilot) == ["▾ a [b]title[/b]"]
        await pilot.click(folded)
        assert await shown(pilot) == ["▸ a [b]title[/b]"]
