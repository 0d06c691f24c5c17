"""Markdown's code fences around text that may hold some itself."""

import re

_RUN = re.compile("`{3,}")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def fenced(text: str, language: str = "") -> str:
    """The text as a block of code that nothing in it closes."""
    fence = "`" * (max((len(run) for run in _RUN.findall(text)), default=2) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def closed(text: str) -> str:
    """The text with its last block of code closed, so that what follows is not taken for code."""
    opened = ""
    for line in text.splitlines():
        if (found := _FENCE.match(line)) is None:
            continue
        fence, rest = found.groups()
        if not opened:
            opened = "" if "`" in rest and fence[0] == "`" else fence
        elif fence.startswith(opened) and not rest.strip():
            opened = ""
    return f"{text.rstrip()}\n{opened}" if opened else text.rstrip()
