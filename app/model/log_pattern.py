"""Regular expressions that cannot hold up whoever looks for them.

They run in `regex`, the engine with wheels everywhere that can be given a time limit: the standard library's holds the
event loop for minutes over patterns as plain as `e.*r.*z`, and the linear-time ones have no wheels for some systems. An
entry gets `PATTERN_S` and its first `PATTERN_CHARACTERS`; one that takes longer does not pass and is counted, and after
`GIVE_UP` of them the pattern looks at no further entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import regex

PATTERN_CHARACTERS: Final = 64 * 1024
PATTERN_S: Final = 0.01
GIVE_UP: Final = 100
LONGEST_PATTERN: Final = 500
HITS_S: Final = 0.002
"""What is highlighted is found in this time, or not at all; after a tenth of GIVE_UP failures nothing is any more."""

Hits = list[tuple[int, int]]
"""Where something is found in a text: start and end, in order."""


class Pattern:
    """A regular expression, any case, within limits of time and text; `^` and `$` are the ends of any line.

    `skipped` counts the entries that it took too long over.
    """

    def __init__(self, text: str) -> None:
        """Raises ValueError with the engine's words."""
        # Its tables take 20 ms to load, and most sessions look for plain words.
        import warnings

        import regex

        if len(text) > LONGEST_PATTERN:
            raise ValueError(f"longer than {LONGEST_PATTERN} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of what may once be a nested set
                self._compiled: regex.Pattern[str] = regex.compile(text, regex.IGNORECASE | regex.MULTILINE)
        except (regex.error, OverflowError, RecursionError) as error:
            raise ValueError(getattr(error, "msg", None) or str(error)) from None
        self.skipped = 0
        self._unmarked = 0

    def found(self, text: str) -> bool:
        """Whether it is found in the beginning of `text`; no, where that cannot be told in time."""
        if self.skipped >= GIVE_UP:
            self.skipped += 1
            return False
        try:
            return self._compiled.search(text, 0, PATTERN_CHARACTERS, timeout=PATTERN_S) is not None
        except TimeoutError:
            self.skipped += 1
            return False

    def hits(self, text: str) -> Hits:
        """Where it is found, start and end; as far as it can be told in time."""
        found: Hits = []
        if self._unmarked >= GIVE_UP // 10:
            return found
        try:
            for match in self._compiled.finditer(text, 0, PATTERN_CHARACTERS, timeout=HITS_S):
                if match.end() > match.start():
                    found.append(match.span())
        except TimeoutError:
            self._unmarked += 1
        return found
