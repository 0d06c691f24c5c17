"""The plain lines in a log entry: colours and the many prefixes of LM Studio and llama.cpp taken off.

```
0.00.386.463 I llama_context: …                                    llama.cpp since mid-2026
[42027] 0.00.094.919 I llama_context: …                            its router's children
[2026-04-17 18:32:17][DEBUG] …   2026-04-17 18:32:17 [DEBUG]⏎ …    LM Studio's server log
[DEBUG] mlx-llm-mac-arm64@1.10.1 (mlx-llm) qwen3.6 pid=6416 …      its runtime log as text
```
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lmdeck.model.text import one_line

LONGEST_ENTRY = 65_536
"""Characters of one entry that are looked at; what a log proves stands at its beginning."""
LONGEST_LINE = 2_000
MOST_LINES = 500

_ANSI = re.compile(r"\x1b(?:\[[0-9;:?]{0,20}[ -/]?[@-~]|[@-Z\\-_])")
_PREFIX = re.compile(
    r"""(?: \[\d{4}-\d\d-\d\d[^\]\n]{0,20}\]
          | \d{4}-\d\d-\d\d[ T][\d:.,]{5,15}
          | \[(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|trace|debug|info|warn|warning|error)\]
          | \[\d{1,7}\](?=\ \d+\.)
          | \d{1,6}\.\d\d\.\d{3}\.\d{3}\ [A-Z]\b
          | \S{1,120}@\S{1,60}\ \([\w.-]{1,40}\)\ (?P<model>\S{1,200})\ pid=(?P<pid>\d{1,9})\b
          | \[LM\ Studio\]
          | \s )*""",
    re.VERBOSE,
)
# What clients sent and models said is quoted in the log: it proves nothing, whatever it says.
_TRAFFIC = re.compile(
    r"(?:\[[^\]\n]{1,200}\]\s?)?(?:Received (?:request|[A-Z]+ request)|Generated |Accumulat|Returning |Streaming |"
    r"Formatted prompt|Prompt:|Sending |Last message)"
)


class Plain(NamedTuple):
    """One line without its prefix; `model` and `pid` are what the prefix says of it or of the entry's first line."""

    text: str
    model: str | None
    pid: int | None


def without_colours(text: str) -> str:
    """`text` without terminal escape sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def body(text: str) -> str:
    """The beginning of an entry, without colours and without the prefix of its first line; line ends are kept."""
    text = without_colours(text[:LONGEST_ENTRY])
    found = _PREFIX.match(text)
    return text[found.end() :] if found else text


def is_traffic(plain: str) -> bool:
    """Whether an entry (its `body`) quotes a request, a prompt or an answer."""
    return _TRAFFIC.match(plain) is not None


def plain_lines(text: str) -> Iterator[Plain]:
    """The lines of an entry that may prove something, at most MOST_LINES; none of one that quotes traffic."""
    text = without_colours(text[:LONGEST_ENTRY])
    model: str | None = None
    pid: int | None = None
    start = 0
    for number in range(MOST_LINES):
        prefix = _PREFIX.match(text, start)
        if prefix is not None:
            start = prefix.end()
            if (told := prefix["pid"]) is not None:
                model, pid = prefix["model"], int(told)
        if start >= len(text) or (number == 0 and _TRAFFIC.match(text, start)):
            return
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield Plain(text[start : min(end, start + LONGEST_LINE)].rstrip(), model, pid)
        start = end


def quoted(text: str, limit: int = 300) -> str:
    """A log line as evidence to show: without colours and prefixes, safe, on one line, at most `limit` characters."""
    return one_line(body(text[: limit * 8]), limit)
