"""Prompts and answers as models get and give them: special tokens, turns and reasoning made visible."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from lmdeck.widgets.paint.text_rows import Mark, Marker

_TOKEN: Final = re.compile(
    r"<[|｜][^|｜<>\s]{1,60}[|｜]?>"  # <|im_start|>, <|eot_id|>, <｜User｜>, <|turn>
    r"|<[a-z_]{1,40}[|]>"  # <turn|>
    r"|</?(?:start_of_turn|end_of_turn|start_of_image|bos|eos|pad|unk|s|sop|eop|think|tools?|tool_call|tool_response)>"
    r"|<<\/?SYS>>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|ARGS|THINK|IMG|gMASK)\]"
)
_OPENS: Final = re.compile(
    r"<[|｜](?:im_start|start_header_id|start|start_of_role|START_OF_TURN_TOKEN|turn|im_user|im_assistant|im_system"
    r"|system|user|assistant|tool|observation|System|User|Assistant)[|｜]?>"
    r"|<start_of_turn>|<<SYS>>|\[INST\]|\[SYSTEM_PROMPT\]|\[AVAILABLE_TOOLS\]"
)
_CLOSES: Final = re.compile(r"\[/(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS)\]|<</SYS>>")
_REASONING: Final = (("<think>", "</think>"), ("[THINK]", "[/THINK]"))


class Run(NamedTuple):
    """A piece of a prompt: a special token of the template, or text between them. `opens`: a turn begins with it."""

    text: str
    token: bool = False
    opens: bool = False


def split_prompt(text: str) -> list[Run]:
    """The prompt's tokens and the text between them; joined they are the prompt again."""
    runs, at = list[Run](), 0
    for found in _TOKEN.finditer(text):
        if found.start() > at:
            runs.append(Run(text[at : found.start()]))
        runs.append(Run(found[0], token=True, opens=_OPENS.fullmatch(found[0]) is not None))
        at = found.end()
    return [*runs, Run(text[at:])] if at < len(text) else runs


def mark_tokens(text: str, start: int, end: int) -> Iterator[Mark]:
    """The special tokens in a part of a prompt; a turn begins a new row."""
    for found in _TOKEN.finditer(text, start, end):
        first, last = found.span()
        if first > 0 and _OPENS.fullmatch(found[0]):
            yield Mark(first, last, "accent", "before")
        elif _CLOSES.fullmatch(found[0]) and text[last : last + 1] not in ("", "\n"):
            yield Mark(first, last, "accent", "after")
        else:
            yield Mark(first, last, "accent")


def answer_marker(answer: str) -> Marker:
    """Marks for this answer: its reasoning is quieter than what is meant for the reader."""
    parts = list(_reasoning(answer))

    def marks(text: str, start: int, end: int) -> Iterator[Mark]:
        tokens = list(mark_tokens(text, start, end))
        for first, last in parts:
            at = max(first, start)
            inside = [mark for mark in tokens if at <= mark.start < last]
            for mark in inside:
                if mark.start > at:
                    yield Mark(at, mark.start, "muted")
                yield mark
                at = mark.end
            if at < (stop := min(last, end)):
                yield Mark(at, stop, "muted")
        yield from (mark for mark in tokens if not any(first <= mark.start < last for first, last in parts))

    return lambda text, start, end: sorted(marks(text, start, end))


def _reasoning(answer: str) -> Iterator[tuple[int, int]]:
    """From behind `<think>` to `</think>`, or to the end of an answer that was cut off while it reasoned. Many
    templates put the opening into the prompt, so that only the closing stands in the answer."""
    for opening, closing in _REASONING:
        at = 0
        while (first := answer.find(opening, at)) >= 0:
            last = answer.find(closing, first)
            at = len(answer) if last < 0 else last
            yield first + len(opening), at
        if not at and (last := answer.find(closing)) > 0:
            yield 0, last


def user_message(prompt: str) -> str:
    """What the user said in the last user turn of a prompt, by the tokens of its template; empty if none is found."""
    runs, message = split_prompt(prompt), ""
    for index, run in enumerate(runs):
        if run.opens:
            role, said = _turn(runs[index:])
            message = said if role == "user" and said else message
    return message


def _turn(runs: Sequence[Run]) -> tuple[str, str]:
    """Role and text of the turn that these runs begin with."""
    name = runs[0].text.strip("<|｜>[]").lower()
    if name == "inst":
        return "user", _said(runs[1:])
    if name in ("user", "assistant", "system", "tool", "observation"):
        return name, _said(runs[1:])
    if len(runs) < 2:
        return "", ""
    if runs[1].token:  # a token names the role, as in Command R
        return ("user" if "user" in runs[1].text.lower() else ""), _said(runs[2:])
    role, newline, rest = runs[1].text.lstrip().partition("\n")
    if newline:
        return role.strip().lower(), rest.strip() or _said(runs[2:])
    return role.strip().lower(), _said(runs[3:])  # behind the header's end


def _said(runs: Sequence[Run]) -> str:
    return runs[0].text.strip() if runs and not runs[0].token else ""
