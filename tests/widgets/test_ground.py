"""The lines of containers that all look alike."""

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip

from lmdeck.widgets.ground import ground


class Box(Vertical):
    DEFAULT_CSS = "Box { height: 6; padding-left: 2; border-left: thick $primary; background: $panel; }"


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Box()


async def test_one_line_is_drawn_and_looks_as_all_would() -> None:
    app = Host()
    async with app.run_test(size=(20, 10)):
        box, asked = app.query_one(Box), list[Region]()

        def lines(crop: Region) -> list[Strip]:
            asked.append(crop)
            return box.render_lines(crop)

        crop = Region(1, 2, 10, 4)
        assert ground(lines, crop) == box.render_lines(crop)
        assert [each.height for each in asked] == [1]
        assert ground(lines, Region(0, 0, 10, 0)) == []
