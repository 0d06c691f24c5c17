"""The server's requests and the prompts that were made of them: joined by what was said."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from lmdeck.exchanges.book import PATIENCE_S, Book
from lmdeck.exchanges.conversation import AS_FAR_AS_KNOWN, NOT, Level, level
from lmdeck.exchanges.draft import SURE, Draft, Join, guess
from lmdeck.exchanges.reading import Asked
from lmdeck.model.log import PredictionInput

SKEW_S = 0.1
"""How much later than its prompt a request's line may be dated: they come from two logs."""

_MOST_WAITING = 256
_RECENT = 16
_AT_ONCE_S, _PROMPT_S = 0.25, 5.0
_AGAIN_S = 60.0
_NO_WORDS_TO_COMPARE = "the request's words are not in the log"
_TWINS = "requests with the same words came together"
_CUT_OFF = "the log has only a part of the request"
_PARTLY = "the prompt does not end with the request's words"

_LIKELIER = Join("likely")

Told = int
_OTHER, _UNKNOWN, _SAME = -1, 0, 1


class Match(NamedTuple):
    """How well a request fits a prompt; the greatest is the best."""

    level: Level
    told: Told
    draft: Draft

    @property
    def rank(self) -> tuple[Level, Told]:
        """What decides between requests."""
        return self.level, self.told

    @property
    def words(self) -> int:
        """How much of the prompt the request tells: the likelier one among equals."""
        asked = self.draft.asked
        return max((len(said.pieces) for said in asked.said), default=0) if asked else 0


class Desk:
    """Requests whose prompt has not come, and prompts whose request may still come. `knows` says whether an instance
    of that name has been seen."""

    def __init__(self, book: Book, knows: Callable[[str], bool]) -> None:
        self._book, self._knows = book, knows
        self.waiting: dict[int, Draft] = {}
        self._taken: deque[Draft] = deque(maxlen=_RECENT)
        self._unasked: deque[Draft] = deque(maxlen=_RECENT)
        self._tangled: dict[int, tuple[Asked, ...]] = {}

    def ask(self, asked: Asked) -> Draft:
        """A request has come; its prompt may have come before it."""
        if asked.kind != "embedding" and (early := self._early(asked)) is not None:
            return early
        draft = self._book.new(asked.line.at, asked.model)
        draft.asked = asked
        self._book.touch(draft, asked.line)
        if asked.kind != "embedding":
            self._wait(draft)
        return draft

    def prompt(self, entry: PredictionInput) -> Draft:
        """A prompt has come: the exchange of its request, or one of its own."""
        for other in self._near(entry):
            if other.requested.doubt == _NO_WORDS_TO_COMPARE:
                self._doubt(other)
        matches = self._matches(entry)
        best = max(matches, key=lambda match: match.rank, default=None)
        if best is None:
            return self._alone(entry)
        rivals = sorted((match for match in matches if match.rank == best.rank), key=lambda match: -match.words)
        join = self._join(best, rivals, matches, entry)
        draft = self._take(rivals[0].draft)
        for match in rivals[1:]:
            if draft.asked is not None:
                self._tangle(match.draft, draft.asked)
        return self._put(draft, entry, join)

    def drop(self, draft: Draft) -> None:
        """A request is over without a prompt."""
        self.waiting.pop(draft.number, None)
        self._tangled.pop(draft.number, None)

    def _wait(self, draft: Draft) -> None:
        self.waiting[draft.number] = draft
        while (oldest := next(iter(self.waiting.values()))) is not draft:
            if len(self.waiting) <= _MOST_WAITING and draft.at - oldest.at <= PATIENCE_S:
                break
            self.drop(oldest)

    def _matches(self, entry: PredictionInput) -> list[Match]:
        """The waiting requests that fit, oldest first."""
        matches, told = list[Match](), dict[str, Told]()
        for draft in self.waiting.values():
            model = draft.asked.model if draft.asked is not None else ""
            if (known := told.get(model)) is None:
                known = told[model] = self._told(model, entry.instance_id)
            if known != _OTHER and (match := self._match(draft, entry, known)) is not None:
                matches.append(match)
        return matches

    def _match(self, draft: Draft, entry: PredictionInput, told: Told) -> Match | None:
        asked = draft.asked
        # Its end may be told before its prompt: the lines come from two logs.
        if draft.ended_at is not None and entry.at - draft.ended_at > (_AGAIN_S if draft.again else SKEW_S):
            return None
        if asked is None or not -SKEW_S <= entry.at - asked.line.at <= PATIENCE_S:
            return None
        if asked.said:
            fits = level(asked.said, entry.text)
            return Match(fits, told, draft) if fits > NOT else None
        is_near = told == _SAME and entry.at - asked.line.at <= _PROMPT_S
        return Match(NOT, told, draft) if is_near and not draft.again else None

    def _told(self, model: str, instance_id: str) -> Told:
        """Whether a request names the instance (or the model it is a further copy of), another one, or none known."""
        if model and _is_copy(instance_id, model):
            return _SAME
        return _OTHER if self._knows(model) else _UNKNOWN

    def _join(self, best: Match, rivals: list[Match], matches: list[Match], entry: PredictionInput) -> Join:
        tangled = [asked for asked in self._tangled.get(best.draft.number, ()) if self._fits(asked, entry)]
        if len(rivals) > 1 or tangled:
            return guess(_TWINS if best.level else _NO_WORDS_TO_COMPARE)
        if best.level == NOT:
            asked = best.draft.asked
            at_once = asked is not None and entry.at - asked.line.at <= _AT_ONCE_S and not self._near(entry)
            return Join("likely" if at_once else "guess", _NO_WORDS_TO_COMPARE)
        if best.level < AS_FAR_AS_KNOWN:
            return guess(_PARTLY)
        if best.level == AS_FAR_AS_KNOWN:
            return Join("likely", _CUT_OFF)
        return _LIKELIER if any(match.level >= AS_FAR_AS_KNOWN for match in matches if match is not best) else SURE

    def _fits(self, asked: Asked, entry: PredictionInput) -> bool:
        return (
            entry.at >= asked.line.at - SKEW_S
            and self._told(asked.model, entry.instance_id) != _OTHER
            and (not asked.said or level(asked.said, entry.text) >= AS_FAR_AS_KNOWN)
        )

    def _take(self, draft: Draft) -> Draft:
        """The draft for a request's next prompt: its own, or a further one where several come of one request."""
        asked = draft.asked
        if asked is None or asked.times == 1:
            self.drop(draft)
            return draft
        used = draft.uses = draft.uses + 1
        if used >= asked.times:
            self.drop(draft)
        if not draft.again:
            draft.again = True
            return draft
        further = self._book.new(asked.line.at, draft.instance_id)
        further.asked = asked
        return further

    def _put(self, draft: Draft, entry: PredictionInput, join: Join) -> Draft:
        draft.input, draft.instance_id, draft.requested = entry, entry.instance_id, join
        draft.ended_at, draft.silent, draft.answered = None, False, SURE
        self._book.touch(draft, entry)
        if draft.asked is not None:
            self._taken.append(draft)
        return draft

    def _alone(self, entry: PredictionInput) -> Draft:
        """A prompt that no waiting request fits: from LM Studio's own window, or its request's line is still to come,
        or its twin has taken it."""
        draft = self._put(self._book.new(entry.at), entry, SURE)
        self._unasked.append(draft)
        for other in self._taken:
            if other.asked is None or other.input is None or _over(other, entry.at) or entry.at - other.input.at > 1.0:
                continue
            if self._fits(other.asked, entry):
                draft.requested = self._doubt(other)
        return draft

    def _early(self, asked: Asked) -> Draft | None:
        """The draft of a prompt that came before its request's line, or the request with a doubt if another one has
        taken a prompt that may be its own."""
        unasked = [draft for draft in self._unasked if draft.asked is None and self._may_be(asked, draft)]
        unasked = [draft for draft in unasked if asked.said or abs(draft.at - asked.line.at) <= SKEW_S]
        taken = [draft for draft in self._taken if not _over(draft, asked.line.at) and self._may_be(asked, draft)]
        twins = [draft for draft in taken if _level(asked, draft) == _level(draft.asked, draft)]
        for draft in twins:
            self._doubt(draft)
        worse = [draft for draft in taken if _level(asked, draft) > _level(draft.asked, draft)]
        if unasked:
            return self._adopt(unasked[0], asked, len(unasked) + len(twins) + len(worse) == 1)
        if worse and (freed := worse[0].asked) is not None:
            worse[0].asked, worse[0].requested = asked, _LIKELIER
            self._book.touch(worse[0], asked.line)
            self._tangle(self._fresh(freed), asked)
            return worse[0]
        if twins and (other := twins[0].asked) is not None:
            return self._tangle(self._fresh(asked), other)
        return None

    def _adopt(self, draft: Draft, asked: Asked, is_only: bool) -> Draft:
        """Give a prompt its request, which came after it."""
        alone = draft.input is not None and self._near(draft.input) == [draft]
        self._unasked.remove(draft)
        draft.asked, draft.at = asked, min(draft.at, asked.line.at)
        sure = SURE if asked.said else Join("likely" if alone else "guess", _NO_WORDS_TO_COMPARE)
        draft.requested = sure if is_only and not draft.requested.doubt else guess(_TWINS)
        self._taken.append(draft)
        self._book.touch(draft, asked.line)
        return draft

    def _near(self, entry: PredictionInput) -> list[Draft]:
        """The last prompts of the same instance that came in the same moment."""
        recent = ((draft, draft.input) for drafts in (self._taken, self._unasked) for draft in drafts)
        return [
            draft
            for draft, other in recent
            if other and other.instance_id == entry.instance_id and abs(other.at - entry.at) <= _AT_ONCE_S
        ]

    def _may_be(self, asked: Asked, draft: Draft) -> bool:
        return draft.input is not None and self._fits(asked, draft.input)

    def _fresh(self, asked: Asked) -> Draft:
        draft = self._book.new(asked.line.at, asked.model)
        draft.asked = asked
        self._book.touch(draft, asked.line)
        self._wait(draft)
        return draft

    def _doubt(self, draft: Draft) -> Join:
        draft.requested = guess(_TWINS)
        self._book.touch(draft)
        return draft.requested

    def _tangle(self, draft: Draft, other: Asked) -> Draft:
        """Remember that a waiting request may be over: another one that fits as well was taken for it."""
        self._tangled[draft.number] = (*self._tangled.get(draft.number, ()), other)[-8:]
        return draft


@lru_cache(1_024)
def _is_copy(instance_id: str, model: str) -> bool:
    """Whether an instance is of that name, or a further copy of it."""
    return re.fullmatch(re.escape(model) + r"(?::\d{1,4})?", instance_id) is not None


def _over(draft: Draft, at: float) -> bool:
    """Whether a draft had its answer by then."""
    return draft.answer is not None and draft.answer.at <= at


def _level(asked: Asked | None, draft: Draft) -> Level:
    return level(asked.said, draft.input.text) if asked is not None and draft.input is not None else NOT
