"""Whether an answer can be that of a prompt: by the clock, by its tokens, by what its request allowed."""

from __future__ import annotations

import math
from typing import NamedTuple

from lmdeck.exchanges.draft import SURE, Answer, Draft

SKEW_S = 0.05
"""How far two lines of one log may stand in the wrong order."""

_SLACK_S = 0.3
_SLACK = 0.03
_LONGEST_S = 86_400.0
_NEAR, _FAR, _KNOWN = math.log(1.5), math.log(8), 5


class Began(NamedTuple):
    """When the work on an answer began: Unix seconds, between two bounds that allow for late lines; `slack` is how
    much."""

    earliest: float
    latest: float
    slack: float

    def fits(self, draft: Draft) -> bool:
        """Whether it began when the prompt came."""
        return self.earliest <= _at(draft) <= self.latest

    def after(self, draft: Draft, margin: float = 0.0) -> bool:
        """Whether the prompt came earlier than that: it can only have waited for a slot."""
        return _at(draft) < self.earliest - margin

    def before(self, draft: Draft, margin: float = 0.0) -> bool:
        """Whether the work began before the prompt came, so that it is another's."""
        return _at(draft) > self.latest + margin


def began(answer: Answer) -> Began | None:
    """When the work on an answer began, from its end and its statistics or from its slot's launch; None where neither
    tells."""
    if answer.task is not None and answer.task.launched_at is not None:
        return Began(answer.task.launched_at - _SLACK_S, answer.task.launched_at + _SLACK_S, _SLACK_S)
    took = _took(answer)
    if took is None:
        return None
    shortest, longest = took
    slack = _SLACK_S + _SLACK * longest
    return Began(answer.at - longest - slack, answer.at - shortest + slack, slack)


def _took(answer: Answer) -> tuple[float, float] | None:
    """The seconds an answer took, at least and at most. MLX counts the generation alone as its total time."""
    stats = answer.stats
    first = stats.ttft_s or 0.0
    found = []
    if stats.tokens_per_second and stats.predicted_tokens and stats.ttft_s is not None:
        found = [first + (stats.predicted_tokens - 1) / stats.tokens_per_second]
        found.append(found[0] + min(1.0, 1 / stats.tokens_per_second))
    elif stats.total_time_s is not None:
        found = [stats.total_time_s, stats.total_time_s + first]
    elif stats.ttft_s is not None and stats.predicted_tokens is not None and stats.predicted_tokens <= 1:
        found = [first, first]
    if not found or not 0 <= found[0] <= found[1] <= _LONGEST_S:
        return None
    return found[0], found[1]


def possible(draft: Draft, answer: Answer, since: Began | None) -> bool:
    """Whether nothing speaks against an answer being that of a prompt."""
    if _at(draft) > answer.at + SKEW_S or (since is not None and since.before(draft)):
        return False
    return _tokens_fit(draft, answer) and _request_allows(draft, answer)


def _tokens_fit(draft: Draft, answer: Answer) -> bool:
    """No tokenizer makes more than four tokens of a character, or one of 64. Pictures are tokens without characters; a
    prompt that is too long may have been cut."""
    tokens = answer.stats.prompt_tokens
    if not tokens or draft.input is None:
        return True
    prompt = draft.input.text
    if tokens > 64 + 4 * len(prompt):
        return (draft.asked is not None and draft.asked.has_images) or "image" in prompt or "media" in prompt
    return tokens >= 1_000 or len(prompt) <= 2_000 + 64 * tokens


def _request_allows(draft: Draft, answer: Answer) -> bool:
    """What the request's parameters, where they are surely its own, say about its answer."""
    asked, stats, sent = draft.asked, answer.stats, answer.generated if answer.sent is SURE else None
    if asked is None or draft.requested.certainty != "certain":
        return True
    if sent is not None and (asked.streams or (sent.kind is not None and sent.kind != asked.kind)):
        return False
    if stats.stop_reason == "toolCalls" and not asked.has_tools:
        return False
    if asked.limit is None or stats.predicted_tokens is None:
        return True
    short = stats.stop_reason == "maxPredictedTokensReached" and stats.predicted_tokens < asked.limit - 1
    return stats.predicted_tokens <= asked.limit + 1 and not short


def _at(draft: Draft) -> float:
    return draft.input.at if draft.input is not None else draft.at


class Pace:
    """The characters to a token that an instance's prompts have: code, prose and other scripts differ by some times,
    so it excludes only what is far off, and once it is known."""

    def __init__(self) -> None:
        self._log = math.log(4.0)
        self._known = 0

    def learn(self, draft: Draft, tokens: int | None) -> None:
        """A prompt and its count of tokens."""
        if draft.input is not None and draft.input.text and tokens:
            self._known += 1
            self._log += 0.2 * (math.log(len(draft.input.text) / tokens) - self._log)

    def misfit(self, draft: Draft, tokens: int | None) -> float:
        """How far a prompt's length is from so many tokens, as a logarithm: 0 fits best."""
        if draft.input is None or not draft.input.text or not tokens:
            return 0.0
        return abs(math.log(len(draft.input.text) / tokens) - self._log)

    def only(self, drafts: list[Draft], tokens: int | None) -> Draft | None:
        """The one prompt that can have so many tokens, where all others are far off."""
        if self._known < _KNOWN or not tokens or any(each.asked and each.asked.has_images for each in drafts):
            return None
        near = [draft for draft in drafts if self.misfit(draft, tokens) < _FAR]
        return near[0] if len(near) == 1 and self.misfit(near[0], tokens) < _NEAR else None
