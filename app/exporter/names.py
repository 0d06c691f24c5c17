"""Label values: few, short and clean, whatever a server's models are called."""

from typing import Final

from lmdeck.model.text import one_line

MOST_NAMES: Final = 100
OTHER, UNKNOWN = "other", "unknown"
_LONGEST = 120


def label(name: str) -> str:
    """A name as a label's value."""
    return one_line(name, _LONGEST) or UNKNOWN


class Names:
    """The first MOST_NAMES names that came, as values of one label; all others are OTHER."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        """The label's value for it."""
        value = label(name)
        if value not in self._known:
            if len(self._known) >= MOST_NAMES:
                return OTHER
            self._known.add(value)
        return value
