"""Answers that several prompts may have, until evidence about one settles it and thereby others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from lmdeck.exchanges.book import Book
from lmdeck.exchanges.draft import SURE, Answer, Draft, Join, guess
from lmdeck.exchanges.evidence import Began, Pace, began, possible

LIKELY = Join("likely")

MOST_RIVALS = 24
"""Prompts under way at once, up to which answers are reasoned about."""

_MOST_OPEN = 1_024
_MOST_UNSETTLED = 16
_MOST_TAINTED = 4_096
_LATE_S = 5.0
_TOGETHER_S = 0.25
_ABANDONED_S = 3_600.0
_MANY = "{} prompts were under way, and the log does not tell which of them this answers"
_UNSEEN = "its prompt was not seen"


@dataclass(eq=False, slots=True)
class Unsettled:
    """An answer that several prompts may have: shown with one of them, settled when all others are excluded. `unseen`:
    its prompt may be none of them."""

    answer: Answer
    since: Began | None
    rivals: list[Draft]
    unseen: bool = False


class Knot:
    """The open prompts of one instance and its unsettled answers. `strange_at` is when an answer last came whose prompt
    may not have been seen: for some time others may come."""

    def __init__(self, book: Book, instance_id: str, since: float) -> None:
        self._book, self._instance_id = book, instance_id
        self.open: dict[int, Draft] = {}
        self.pace = Pace()
        self.strange_at = since
        self._unsettled: list[Unsettled] = []
        self._tainted: set[int] = set()
        self._murk = 0

    def begin(self, draft: Draft) -> None:
        """A prompt has come."""
        if not self.open and not self._unsettled:
            self._tainted.clear()
        for oldest in list(islice(self.open.values(), 1)):
            if len(self.open) >= _MOST_OPEN or (oldest.silent and draft.at - oldest.heard > _ABANDONED_S):
                del self.open[oldest.number]
        self.open[draft.number] = draft
        for recent in islice(reversed(self.open.values()), MOST_RIVALS):
            if draft.at - recent.at > _TOGETHER_S:
                break
            recent.crowd = max(recent.crowd, len(self.open))  # prompts of one moment come in any order

    def alive(self) -> list[Draft]:
        """The prompts that an answer may be of: the open ones, and those whose answer may be one of theirs."""
        reach = set(self.open.values())
        if not reach or not self._unsettled:
            return list(self.open.values())
        grown = True
        while grown:
            size = len(reach)
            for each in self._unsettled:
                if not reach.isdisjoint(each.rivals):
                    reach.update(each.rivals)
            grown = len(reach) > size
        return sorted(reach, key=lambda draft: draft.number)

    def is_tainted(self, draft: Draft) -> bool:
        """Whether an earlier guess may have been this prompt's answer."""
        return draft.number <= self._murk or draft.number in self._tainted

    def settle(self, draft: Draft, answer: Answer, join: Join) -> None:
        """Join for good, and see what that leaves for the others."""
        robbed = draft.answer if draft.answer is not answer else None
        if answer.holder is not draft:
            self._free(answer)
        self._unsettled = [each for each in self._unsettled if each.answer is not answer]
        self._give(draft, answer, join)
        self._tainted.discard(draft.number)
        if join.certainty != "guess":
            self.pace.learn(draft, answer.stats.prompt_tokens)
        for each in list(self._unsettled):
            if draft in each.rivals:
                each.rivals.remove(draft)
        for each in list(self._unsettled):
            if each not in self._unsettled:
                continue
            if not each.rivals:
                self._unsettled.remove(each)
                each.answer.holder = None
                self.orphan(each.answer)
            elif self._is_sure(each):
                self.settle(each.rivals[0], each.answer, LIKELY)
            elif each.answer is robbed:
                each.answer.holder = None
                self._place(each)

    def hold(self, unsettled: Unsettled) -> None:
        """An answer that cannot be settled yet."""
        self._unsettled.append(unsettled)
        self._place(unsettled)

    def pick(self, answer: Answer, since: Began | None) -> None:
        """With so many prompts under way, nothing is settled: the answer goes to the best of the oldest, for good."""
        self._unsettled = []
        self._murk, self.strange_at = max(self.open), answer.at
        oldest = [draft for draft in islice(self.open.values(), MOST_RIVALS) if possible(draft, answer, since)]
        if not oldest:
            self.orphan(answer)
            return
        best = min(oldest, key=lambda draft: self._misfit(draft, answer, since))
        self._give(best, answer, guess(_MANY.format(len(self.open))))

    def orphan(self, answer: Answer) -> None:
        """An answer without its prompt is an exchange of its own."""
        self.strange_at = answer.at
        is_certain = not self.open and not self._unsettled
        draft = self._book.new(answer.at, self._instance_id)
        self._give(draft, answer, Join("certain" if is_certain else "likely", _UNSEEN))

    def learn(self, answer: Answer) -> None:
        """More is known of an answer: it may settle now."""
        found = next((each for each in self._unsettled if each.answer is answer), None)
        if found is None:
            return
        found.since = began(answer)
        found.rivals = [draft for draft in found.rivals if possible(draft, answer, found.since)] or found.rivals
        if self._is_sure(found):
            self.settle(found.rivals[0], answer, LIKELY)
        elif answer.holder not in found.rivals:
            self._place(found)

    def tidy(self, now: float) -> None:
        """Let go of what no evidence will settle any more; what it leaves in doubt stays so."""
        if not self._unsettled:
            return
        reach = set(self.alive())
        keep = [
            each for each in self._unsettled if now - each.answer.at <= _LATE_S or not reach.isdisjoint(each.rivals)
        ]
        for each in keep[:-_MOST_UNSETTLED]:
            keep.remove(each)
            self._leave(each, keep)
        self._unsettled = keep
        if len(self._tainted) > _MOST_TAINTED:
            self._tainted.intersection_update([draft.number for draft in self.alive()])

    def _leave(self, unsettled: Unsettled, others: list[Unsettled]) -> None:
        """One too many: it stays a guess, and so does whatever follows from it."""
        holder, self.strange_at = unsettled.answer.holder, unsettled.answer.at
        self._tainted.update(draft.number for draft in unsettled.rivals if draft is not holder)
        for each in others:
            if holder is not None and holder in each.rivals:
                each.rivals.remove(holder)
                self._tainted.update(draft.number for draft in each.rivals)

    def _give(self, draft: Draft, answer: Answer, join: Join) -> None:
        answer.holder = draft
        draft.answer, draft.answered, draft.silent = answer, join, False
        draft.ended_at, draft.heard = answer.at, max(draft.heard, answer.at)
        draft.error = draft.error if answer.failed else ""
        self.open.pop(draft.number, None)
        self._book.touch(draft, answer.output)

    def _free(self, answer: Answer) -> None:
        """Take an answer from the prompt it was shown with, which is open again unless it has another by now."""
        draft, answer.holder = answer.holder, None
        if draft is not None and draft.answer is answer:
            draft.answer, draft.answered, draft.ended_at = None, SURE, None
            self.open[draft.number] = draft
            self._book.touch(draft)

    def _is_sure(self, unsettled: Unsettled) -> bool:
        """Whether one prompt is left, and it must be that."""
        rivals = unsettled.rivals
        return len(rivals) == 1 and not unsettled.unseen and not self.is_tainted(rivals[0])

    def _misfit(self, draft: Draft, answer: Answer, since: Began | None) -> tuple[bool, float, int]:
        """How badly a prompt fits an answer by clock, length and age, to order those that are possible."""
        is_late = since is not None and not since.fits(draft)
        return is_late, self.pace.misfit(draft, answer.stats.prompt_tokens), draft.number

    def _place(self, unsettled: Unsettled) -> None:
        """Show an unsettled answer with the best prompt that is free, moving other unsettled ones if need be."""
        answer = unsettled.answer
        self._free(answer)
        if not self._assign(unsettled, set()):
            self._unsettled.remove(unsettled)
            self.orphan(answer)

    def _assign(self, unsettled: Unsettled, tried: set[int]) -> bool:
        since, holders = unsettled.since, {id(each.answer.holder): each for each in self._unsettled}
        answer = unsettled.answer
        order = sorted(unsettled.rivals, key=lambda draft: self._misfit(draft, answer, since))
        order.sort(key=lambda draft: id(draft) in holders)
        for draft in order:
            if draft.number in tried:
                continue
            tried.add(draft.number)
            owner = holders.get(id(draft))
            if owner is None or self._assign(owner, tried):
                self._give(draft, answer, guess(_MANY.format(len(unsettled.rivals))))
                return True
        return False
