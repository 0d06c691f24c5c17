"""Words in a row, one of them chosen."""

from collections.abc import Sequence

from textual.content import Content


def choices(names: Sequence[str], chosen: int) -> Content:
    """` 1 m  [15 m]  1 h `: the chosen one in brackets, so that no colour is needed to see it."""
    return Content.assemble(
        *((f"[{name}] ", "bold") if index == chosen else f" {name}  " for index, name in enumerate(names))
    )
