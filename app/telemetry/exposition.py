"""Prometheus' text format, read: a line a sample."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LONGEST_LINE = 8_192

_LINE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)\s*(?:\{(?P<labels>.*)\}\s*|\s)\s*(?P<value>\S+)(?:\s+-?\d+)?", re.ASCII)
_LABEL = re.compile(r'\s*(?P<name>[A-Za-z_]\w*)\s*=\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*(?:,\s*|$)', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")


class Sample(NamedTuple):
    """One value of one series."""

    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str) -> Iterator[Sample]:
    """Every sample with a finite value. Comments, what is no sample and lines longer than LONGEST_LINE are left out."""
    for line in text.splitlines():
        if line.startswith("#") or len(line) > LONGEST_LINE or (found := _LINE.fullmatch(line.strip())) is None:
            continue
        labels, value = _labels(found["labels"] or ""), _number(found["value"])
        if labels is not None and value is not None:
            yield Sample(found["name"], labels, value)


def _labels(text: str) -> dict[str, str] | None:
    """The labels between the braces; None where something else stands there."""
    labels, at = dict[str, str](), 0
    while at < len(text):
        if (found := _LABEL.match(text, at)) is None:
            return None if text[at:].strip() else labels
        labels[found["name"]] = _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], found["value"])
        at = found.end()
    return labels


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
