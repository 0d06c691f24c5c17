"""Takes secrets out of what LM Studio's log repeats: the headers that a request gave for an MCP server.

With verbose logging LM Studio writes whole request bodies into its log; the token of an MCP server is among them.
"""

import re
from typing import Final

MASK: Final = "…"

# A string or an object may be cut off by the end of the text.
_STRING = r'"(?:[^"\\]|\\.)*(?:"|\Z)'
_HEADERS = re.compile(rf'"headers"\s*:\s*\{{(?:[^{{}}"]|{_STRING})*(?:\}}|\Z)', re.DOTALL)
_VALUE = re.compile(rf"(:\s*){_STRING}", re.DOTALL)


def masked(text: str) -> str:
    """The text without the values in its `"headers": {…}` objects."""
    if '"headers"' not in text:
        return text
    return _HEADERS.sub(_without_values, text)


def _without_values(match: re.Match[str]) -> str:
    name, brace, values = match[0].partition("{")
    return name + brace + _VALUE.sub(rf'\1"{MASK}"', values)
