"""What lies between and beside the children of a container."""

from collections.abc import Callable

from textual.geometry import Region
from textual.strip import Strip


def ground(render_lines: Callable[[Region], list[Strip]], crop: Region) -> list[Strip]:
    """The lines of a container that all look alike, of which `render_lines` draws one for all: most of them are covered
    by its children, and a container that scrolls or grows would draw them all anew each time."""
    return render_lines(Region(crop.x, crop.y, crop.width, 1)) * crop.height
