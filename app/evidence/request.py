"""The keys of a logged request body: bodies may be megabytes, cut off, or shortened in the middle."""

import json
import re

LONGEST_BODY = 65_536

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
# LM Studio prints bodies with two spaces of indent; no string holds a raw line end, so such a line is a key of its own.
_OWN_LINE = re.compile(
    r'^  "(\w{1,40})": ("(?:[^"\\]|\\.){0,500}"|-?\d{1,15}(?:\.\d{1,9})?|true|false),?$', re.MULTILINE
)
Fields = dict[str, object]


def top_level(body: str) -> Fields:
    """The top-level keys of a JSON object that can be read before it breaks off; later keys of a long, indented one
    too. Never raises."""
    found: Fields = {}
    head = body[:LONGEST_BODY]
    at = _after_space(head, 0)
    if not head.startswith("{", at):
        return found
    at += 1
    try:
        while head.startswith('"', at := _after_space(head, at)):
            key, at = _DECODER.raw_decode(head, at)
            at = _after_space(head, at)
            if not head.startswith(":", at):
                break
            value, at = _DECODER.raw_decode(head, _after_space(head, at + 1))
            at = _after_space(head, at)
            if not head.startswith((",", "}"), at):
                break  # a number that is cut off looks like a smaller one
            found[str(key)] = value
            at += 1
    except (ValueError, RecursionError):
        pass
    for key, raw in _OWN_LINE.findall(body[-4096:] if len(body) > 4096 else body):
        if key not in found:
            found[key] = _value(raw)
    return found


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _value(raw: str) -> object:
    try:
        value: object = json.loads(raw)
    except ValueError:
        return None
    return value


def text(value: object) -> str:
    """A string, bounded; anything else is empty."""
    return value[:300] if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """A whole number > 0, never true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else None


def flag(value: object) -> bool | None:
    """true or false."""
    return value if isinstance(value, bool) else None
