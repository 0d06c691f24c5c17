"""The one place where text from outside is made safe to show.

Everything that LM Studio, a model, a log or a driver says passes through `clean` before it reaches a
terminal, and is then drawn as plain text, never parsed as markup.
"""

import re

# C0 but tab and newline, DEL, C1, and lone surrogates: shown as a visible picture, never obeyed.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Bidirectional overrides and isolates, zero-width and other invisible marks, line and paragraph separators.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SAFE = re.compile(r"[\x20-\x7e]*\Z")


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def clean(text: str, limit: int = 1_000_000) -> str:
    """`text` without anything a terminal would obey: control characters become pictures (`␛`), invisible and
    bidirectional marks become `�`, tabs four spaces, CR LF a newline; cut after `limit` characters."""
    if len(text) > limit:
        text = text[:limit] + "…"
    if _SAFE.match(text):
        return text
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return _INVISIBLE.sub("\ufffd", _CONTROL.sub(_picture, text))


def one_line(text: str, limit: int = 500) -> str:
    """`clean` text on one line: runs of white space become one space, at most `limit` characters."""
    return " ".join(clean(text[: limit * 4]).split())[:limit]
