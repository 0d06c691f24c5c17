"""What the doctor finds: one part of the set-up, how it is, and what to do about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Health = Literal["ok", "unknown", "warn", "fail"]

MARKS: Final[Mapping[Health, str]] = {"ok": "✓", "unknown": "?", "warn": "!", "fail": "✗"}
"""What stands before a finding, from the best to the worst."""

_COUNTED: Final[Mapping[Health, str]] = {"ok": "ok", "unknown": "unknown", "warn": "to look at", "fail": "failed"}

PART_CELLS: Final = 13
"""The longest name of a part."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one `part` is. `words` are one sentence, with words of the server or of `lms` in them; `next_step` says how
    to mend it, and is empty where nothing is to be done. `unknown`: it could not be looked at, or does not apply."""

    part: str
    state: Health
    words: str
    next_step: str = ""


def worst(findings: Iterable[Finding]) -> Health:
    """The worst state; `ok` without any."""
    order = list(MARKS)
    return max((finding.state for finding in findings), key=order.index, default="ok")


def verdict(findings: Iterable[Finding]) -> str:
    """All of them on one line, the bad ones by name: `12 ok, 1 to look at (lms), 1 failed (token)`."""
    told, found = list[str](), list(findings)
    for state, words in _COUNTED.items():
        if parts := [finding.part for finding in found if finding.state == state]:
            named = f" ({', '.join(parts)})" if state in ("warn", "fail") else ""
            told.append(f"{len(parts)} {words}{named}")
    return ", ".join(told)


def report(finding: Finding) -> list[str]:
    """A finding as lines of plain text: mark, part and words; below them what to do."""
    lines = [f"{MARKS[finding.state]} {finding.part:<{PART_CELLS}} {finding.words}"]
    if finding.next_step:
        lines.append(f"{'':<{PART_CELLS + 2}} → {finding.next_step}")
    return lines
