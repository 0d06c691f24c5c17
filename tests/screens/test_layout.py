"""Which panes fit."""

import pytest

from lmdeck.screens.layout import PANES, visible_panes


@pytest.mark.parametrize(
    ("width", "height", "current", "zoomed", "shown"),
    [
        (160, 45, "loaded", False, set(PANES)),
        (120, 30, "chat", False, set(PANES)),
        (119, 45, "available", False, {"loaded", "available", "log"}),
        (119, 45, "chat", False, {"chat"}),
        (119, 45, "gpu", False, {"gpu"}),
        (160, 29, "log", False, {"log"}),
        (80, 24, "loaded", False, {"loaded"}),
        (300, 100, "gpu", True, {"gpu"}),
        (1, 1, "chat", False, {"chat"}),
    ],
)
def test_visible_panes(width: int, height: int, current: str, zoomed: bool, shown: set[str]) -> None:
    assert visible_panes(width, height, current, zoomed) == shown
