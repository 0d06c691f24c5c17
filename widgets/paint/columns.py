"""How the columns of a table share its width."""

from collections.abc import Sequence
from typing import NamedTuple


class Space(NamedTuple):
    """A column's needs in cells. It grows from `least` to `most`; the highest `priority` number is dropped first."""

    least: int
    most: int
    priority: int = 0


def share(columns: Sequence[Space], cells: int) -> tuple[dict[int, int], int]:
    """Widths by column index, and the gap between columns (2, or 1 when it is tight).

    Columns that do not fit even at their least are left out, those with priority 0 never.
    """
    shown = dict(enumerate(columns))
    while True:
        gaps = len(shown) - 1
        least = sum(column.least for column in shown.values())
        optional = [index for index, column in shown.items() if column.priority]
        if least + gaps <= cells or not optional:
            break
        del shown[max(optional, key=lambda index: (shown[index].priority, index))]
    gap = 2 if least + 2 * gaps <= cells else 1
    return _grow(shown, cells - gap * gaps), gap


def _grow(shown: dict[int, Space], cells: int) -> dict[int, int]:
    widths = {index: column.least for index, column in shown.items()}
    spare = cells - sum(widths.values())
    while spare > 0 and (hungry := [index for index, column in shown.items() if widths[index] < column.most]):
        for index in hungry[:spare]:
            widths[index] += 1
        spare -= len(hungry[:spare])
    if spare < 0:  # narrower than the columns that must stay: the first one shrinks
        first = next(iter(widths))
        widths[first] = max(1, widths[first] + spare)
    return widths
