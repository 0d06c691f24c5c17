"""Which panes fit on the screen: a pure function of its size, the pane in focus and zoom."""

PANES = ("loaded", "available", "gpu", "log", "chat")
TITLES = ("Loaded", "Available", "GPU", "Log", "Chat")

_LEFT = frozenset({"loaded", "available", "log"})
WIDE, TALL = 120, 30


def visible_panes(width: int, height: int, current: str, zoomed: bool) -> frozenset[str]:
    """The ids of the panes to show.

    From 120×30 all five; narrower, the left column or one pane of the right column; lower, one pane. A zoomed
    pane is alone at any size.
    """
    if zoomed or height < TALL:
        return frozenset({current})
    if width >= WIDE:
        return frozenset(PANES)
    return _LEFT if current in _LEFT else frozenset({current})
