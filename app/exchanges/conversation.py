"""What of a logged request's body must stand in the prompt that was made of it, and whether it does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lmdeck.evidence import request

Fields = dict[str, object]

LONGEST_DECODED = 8 * 2**20
"""Characters of a body that are decoded whole; of a longer one the first keys, the last ones and one text are read."""

CONVERSATION = frozenset({
    "messages", "input", "prompt", "system", "system_prompt", "instructions", "suffix", "prediction", "images",
})  # fmt: skip
"""Keys of a body that hold what was said: no parameters."""

_WHOLE = 4_000
_PIECE = 1_000
_MOST_TEXTS = 8
_MOST_PLACES = 16
_TELLING = 12
_WORDS_OF_TEMPLATES = frozenset({"user", "assistant", "system", "model", "human", "message", "start", "end", "inst"})
_TAIL = 300
_CUT = "<Truncated in logs>"
_SPOKEN = ("user", "system", "developer")
_DECODER = json.JSONDecoder()
# After what was said last, a template only closes the turn and opens the answer's.
_NEXT_TURN = re.compile(r"\buser\b|\bhuman\b|\[INST\]", re.IGNORECASE)
_LAST_TEXT = ('"content":', '"text":', '"input":', '"prompt":')
# Where a template begins what the user said: a line, or the end of a marker such as `[INST] ` or `<｜User｜>`.
_EDGE = ("\n", ">", "]", "|", "｜", ":")

Level = int
NOT, SOMEWHERE, AS_FAR_AS_KNOWN, AT_THE_END = 0, 1, 2, 3
"""How a conversation stands in a prompt: not at all; in part or further up; all that the log has of it; whole, with
what was said last at the end."""


@dataclass(frozen=True, slots=True)
class Said:
    """The pieces of one conversation in their order: each text whole or, where it is long, its beginning and its end.

    `last` counts the pieces of what was said last and `length` its characters; `whole` is False where the log broke it
    off, `edged` where it is a part of a message, which may begin anywhere, `spoken` where it is a tool's or the
    assistant's text, which templates rewrite.
    """

    pieces: tuple[str, ...]
    last: int
    length: int
    whole: bool = True
    edged: bool = True
    spoken: bool = True

    def level(self, prompt: str) -> Level:
        """How it stands in `prompt`; reads, never copies it."""
        before, last = self.pieces[: -self.last], self.pieces[-self.last :]
        end = prompt.rfind(last[-1])
        if end < 0:
            return NOT if self.spoken or not before or not _in_order(before, prompt, len(prompt)) else SOMEWHERE
        if not self.whole:
            return AS_FAR_AS_KNOWN if len(self.pieces[-1]) >= _TELLING else SOMEWHERE
        for _ in range(_MOST_PLACES):
            start = end + len(last[-1]) - self.length
            if len(prompt) - end - len(last[-1]) > _TAIL:
                break
            if (
                start >= 0
                and prompt.startswith(last[0], start)
                and self._is_last(prompt, start, end + len(last[-1]))
                and _in_order(before, prompt, start)
            ):
                return AT_THE_END
            end = prompt.rfind(last[-1], 0, end)  # short words stand in templates, too
            if end < 0:
                break
        return SOMEWHERE

    def _is_last(self, prompt: str, start: int, end: int) -> bool:
        """Whether what stands there can be the end of the conversation."""
        if self.edged and not _edge(prompt, start):
            return False
        return not prompt[end : end + 1].isalnum() and not _NEXT_TURN.search(prompt, end)


def level(conversations: tuple[Said, ...], prompt: str) -> Level:
    """The best that any of a request's conversations reaches."""
    if len(conversations) == 1:
        return conversations[0].level(prompt)
    return max((said.level(prompt) for said in conversations), default=NOT)


def read_body(text: str, start: int) -> tuple[Fields, tuple[Said, ...], bool]:
    """The top-level keys of the body that begins at `start` of a log entry, its conversations, and whether it could be
    read to its end. Never raises."""
    if len(text) - start <= LONGEST_DECODED:
        try:
            body, _ = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            pass
        else:
            fields = body if isinstance(body, dict) else {}
            return fields, tuple(_conversations(fields)), True
    # The head and the tail in one short text: top_level reads both.
    fields = request.top_level(text[start : start + request.LONGEST_BODY] + text[max(start, len(text) - 4096) :])
    found = tuple(_conversations(fields)) or tuple(_last_text(text, start))
    return fields, found, False


def _in_order(pieces: tuple[str, ...], prompt: str, end: int) -> bool:
    at = 0
    for piece in pieces:
        found = prompt.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _edge(prompt: str, start: int) -> bool:
    before = prompt[max(0, start - 20) : start]
    return not before or before.endswith("\n") or before.rstrip(" \t\n").endswith(_EDGE)


def _conversations(fields: Fields) -> Iterator[Said]:
    system = [text for key in ("system", "system_prompt", "instructions") for text in _texts(fields.get(key))]
    prompt = fields.get("prompt")
    if isinstance(prompt, list):
        yield from (said for each in prompt[:64] for said in _said([], [("user", each)]))
        return
    given = next((fields[key] for key in ("messages", "input", "prompt") if key in fields), None)
    turns = given if isinstance(given, list) else [given]
    if turns and all(isinstance(turn, dict) and "role" not in turn for turn in turns):
        turns = [{"role": "user", "content": turns}]  # parts of one message
    yield from _said(system, [_turn(turn) for turn in turns])


def _turn(turn: object) -> tuple[str, object]:
    if not isinstance(turn, dict):
        return "user", turn
    role = turn.get("role")
    return role if isinstance(role, str) else "", turn.get("content")


def _said(system: list[str], turns: list[tuple[str, object]]) -> Iterator[Said]:
    texts = list(system)
    last: list[str] = []
    for number, (role, content) in enumerate(turns):
        if role in _SPOKEN or number == len(turns) - 1:
            last = _texts(content)
            texts += last
    if len(texts) > _MOST_TEXTS:
        texts = [texts[0], *texts[1 - _MOST_TEXTS :]]
    if texts:
        pieces = [piece for text in texts for piece in _pieces(text)]
        whole = texts[-1].lower() not in _WORDS_OF_TEMPLATES
        count, spoken = len(_pieces(texts[-1])), turns[-1][0] in _SPOKEN
        yield Said(tuple(pieces), count, len(texts[-1]), whole, edged=len(last) == 1, spoken=spoken)


def _texts(content: object) -> list[str]:
    """The texts of a message's content, without the white space that templates take off."""
    parts = content if isinstance(content, list) else [content]
    found = [part.get("text", part.get("content")) if isinstance(part, dict) else part for part in parts]
    return [piece for text in found if isinstance(text, str) for piece in _uncut(text) if piece]


def _uncut(text: str) -> list[str]:
    """A text, or what is left on both sides of where the log cut its middle out."""
    return [piece.strip(" .\n\t\r") for piece in text.split(_CUT)] if _CUT in text else [text.strip()]


def _pieces(text: str) -> list[str]:
    return [text] if len(text) <= _WHOLE else [text[:_PIECE], text[-_PIECE:]]


def _last_text(text: str, start: int) -> Iterator[Said]:
    """The beginning of the last text in a body that could not be decoded."""
    key, at = max((text.rfind(key, start), len(key)) for key in _LAST_TEXT)
    if key < 0:
        return
    opening = text.find('"', key + at, key + at + 4)
    raw = text[opening + 1 : opening + 1 + _WHOLE] if opening >= 0 else ""
    closing = re.search(r'(?<!\\)(?:\\\\)*"', raw)
    raw = raw[: closing.end() - 1] if closing else raw[: max(0, len(raw) - 12)].rsplit("\\", 1)[0]
    try:
        found = json.loads(f'"{raw}"', strict=False)
    except ValueError:
        return
    piece = found.strip()[:_PIECE]
    if piece and (closing or len(piece) >= _TELLING):
        yield Said((piece,), 1, len(piece), whole=False)
