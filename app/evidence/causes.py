"""The real cause behind a load that failed with a generic message, found among the runtime's last lines.

The wording is llama.cpp's (checked against b11549 and published logs of LM Studio, from 2024 to 2026) and mlx-engine's.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lmdeck.evidence.cause_rules import RULES, Rule
from lmdeck.evidence.lines import plain_lines, quoted
from lmdeck.model.units import size

MOST_ENTRIES = 5_000
"""Log entries looked at, the last ones."""
_SIZE_NEAR = 4
"""A size is told with the failure or within so many lines after it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a load failed: `words` in plain words, `line` the log line that says so (cleaned, bounded), `next_step` what
    can be done."""

    words: str
    line: str
    next_step: str = ""


# What may hold a cause; nearly all lines of a healthy load do not.
_TROUBLE = re.compile(
    r"fail|error|Error|ERROR|memory|unable|unknown|nsupported|corrupt|missing|mismatch|invalid|magic|version|ASSERT|ABORT"
    r"|abort|cannot|can't|not |insufficient|wrong|CUBLAS|CL_|Library"
)
# The failure was survived, or another load begins: what came before does not explain a later failure.
_RECOVERED = re.compile(
    r"retrying without pipeline parallelism|\bn_slots = |loading model '|llama_model_loader: loaded meta data"
)
_HARMLESS = re.compile(r"pinned memory", re.IGNORECASE)
_WANTED = re.compile(
    r"allocating (?P<mib>\d+(?:\.\d+)?) MiB(?: on device (?P<device>\d+))?|buffer,? of size (?P<bytes>\d+)(?![\d.])"
    r"|(?:allocation of size|attempted to allocate|Attempting to allocate|allocate|malloc) (?P<other>\d+)(?! ?MB|[\d.])"
    r"|size =\s*(?P<metal>\d+(?:\.\d+)?) MiB|allocate (?P<old>\d+(?:\.\d+)?) MB"
)


def find_cause(lines: Iterable[str]) -> Cause | None:
    """The cause among runtime log lines, oldest first; None when they hold none. The most specific wins, among equals
    the earliest, since failures cause more failures."""
    best: tuple[int, Rule, Cause] | None = None
    waits = 0
    for line in _plain(lines):
        if _RECOVERED.search(line):
            best, waits = None, 0
            continue
        if best is not None and waits > 0:
            waits -= 1
            if (wanted := _wanted(line)) is not None:
                best, waits = (best[0], best[1], _with_size(best[2], wanted)), 0
        if _TROUBLE.search(line) is None or (found := _match(line, best[0] if best else 99)) is None:
            continue
        rule, cause = found
        wanted = _wanted(line) if rule.wants_size else None
        waits = _SIZE_NEAR if rule.wants_size and wanted is None else 0
        best = (rule.rank, rule, _with_size(cause, wanted) if wanted else cause)
    if best is None:
        return None
    cause = best[2]
    return cause if cause.words.endswith(".") else replace(cause, words=f"{cause.words}.")


def _plain(lines: Iterable[str]) -> Iterable[str]:
    """The lines one by one; what follows a warning about pinned memory, which only costs speed, is left out."""
    skip = False
    for entry in deque(lines, MOST_ENTRIES):
        for line in plain_lines(entry):
            harmless = _HARMLESS.search(line.text) is not None
            if not (harmless or (skip and "ErrorOutOf" in line.text)):
                yield line.text
            skip = harmless


def _match(line: str, better_than: int) -> tuple[Rule, Cause] | None:
    """The first rule of a rank better than that which the line fits."""
    for rule in RULES:
        if rule.rank < better_than and (found := rule.pattern.search(line)):
            words = rule.words if isinstance(rule.words, str) else rule.words(found)
            return rule, Cause(words, quoted(line), rule.next_step)
    return None


def _wanted(line: str) -> str | None:
    """The memory that was wanted, in words."""
    if (found := _WANTED.search(line)) is None:
        return None
    mib = found["mib"] or found["metal"] or found["old"]
    amount = float(mib) * 2**20 if mib else float(found["bytes"] or found["other"])
    on = f" on device {found['device']}" if found["device"] else ""
    return f"{size(round(amount))}{on}" if 0 < amount < 2**60 else None


def _with_size(cause: Cause, wanted: str) -> Cause:
    return replace(cause, words=f"{cause.words}: {wanted} could not be allocated.")
