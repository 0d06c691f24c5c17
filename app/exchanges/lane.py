"""One instance's prompts and answers. An answer names no prompt: with several under way, evidence decides, or none."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lmdeck.exchanges.book import PATIENCE_S, Book
from lmdeck.exchanges.draft import SURE, Answer, Draft, Join, guess
from lmdeck.exchanges.evidence import Began, began, possible
from lmdeck.exchanges.slots import Task, Tasks
from lmdeck.model.log import PredictionOutput, RuntimeLine

MOST_OPEN = 256
_MOST_UNSETTLED = 16
_RECENT = 32
_MISFIT_S = 1.0
_NEVER = float("-inf")

_LIKELY = Join("likely")
_UNSEEN = "its prompt was not seen"
_GAP = "the log was interrupted: the answer may be another's"
_MISFIT = "its times do not fit the prompt's"


@dataclass(eq=False, slots=True)
class Unsettled:
    """An answer that several prompts may have: shown with one of them, settled when all others are excluded."""

    answer: Answer
    since: Began | None
    rivals: list[Draft]


class Lane:
    """The prompts of one instance that have no answer yet, and the answers that are not sure."""

    def __init__(self, book: Book, instance_id: str) -> None:
        self._book, self.instance_id = book, instance_id
        self.tasks = Tasks()
        self.recent: deque[Answer] = deque(maxlen=_RECENT)
        self._open: dict[int, Draft] = {}
        self._unsettled: list[Unsettled] = []
        self._ends: deque[float] = deque(maxlen=64)
        self._tainted: set[int] = set()
        self._broken_at = self._strange_at = self._first_at = _NEVER

    @property
    def busy(self) -> bool:
        """Whether prompts are under way."""
        return bool(self._open)

    @property
    def sole(self) -> Draft | None:
        """The one prompt under way; None where there is none or there are several."""
        return next(iter(self._open.values())) if len(self._open) == 1 else None

    def interrupted(self, at: float) -> None:
        """The model log broke off: prompts and answers may have been missed."""
        self._broken_at = self._strange_at = at

    def begin(self, draft: Draft) -> None:
        """A prompt has come."""
        self._see(draft.at)
        self._open[draft.number] = draft
        if len(self._open) > MOST_OPEN:
            self._open.pop(next(iter(self._open)))

    def end(self, output: PredictionOutput) -> Answer:
        """An answer has come: join it."""
        self._see(output.at)
        answer = Answer(output)
        answer.task = self.tasks.claim(answer.stats, output.at)
        self._decide(answer, began(answer))
        self._ends.append(output.at)
        self.recent.append(answer)
        return answer

    def _see(self, at: float) -> None:
        """From the first line on: whatever was under way before it was not seen."""
        if self._first_at == _NEVER:
            self._first_at = self._strange_at = at

    def hear(self, line: RuntimeLine) -> None:
        """A line of the engine: it belongs to the one prompt under way, or to the task that it names."""
        task = self.tasks.feed(line)
        draft = self.sole
        if draft is not None and not draft.silent:
            draft.lines.append(line)
            if task is not None:
                draft.slot = task.slot
            self._book.touch(draft, line)
        if task is not None and task.predicted_tokens is not None:
            self._claim(task)

    def learn(self, answer: Answer) -> None:
        """More is known of an answer: it may settle now."""
        found = next((each for each in self._unsettled if each.answer is answer), None)
        if found is None:
            return
        found.since = began(answer)
        found.rivals = [draft for draft in found.rivals if possible(draft, answer, found.since)] or found.rivals
        if len(found.rivals) == 1 and found.rivals[0].number not in self._tainted:
            self._settle(found.rivals[0], answer, _LIKELY)
        elif answer.holder not in found.rivals:
            self._place(found)

    def _claim(self, task: Task) -> None:
        """A task whose answer came before its last lines."""
        for answer in self.recent:
            if answer.task is None and task.answers(answer.stats, answer.at):
                answer.task = self.tasks.claim(answer.stats, answer.at)
                if answer.holder is not None:
                    self._book.touch(answer.holder)
                self.learn(answer)
                return

    def _decide(self, answer: Answer, since: Began | None) -> None:
        self._drop_settled(answer.at)
        alive = self._alive()
        if len(alive) == 1:
            join = self._alone(alive[0], answer, since)
            if join is None:
                self._orphan(answer)
            else:
                self._settle(alive[0], answer, join)
            return
        rivals = [draft for draft in alive if possible(draft, answer, since)]
        only = self._only(rivals, since) if since or answer.at - self._broken_at > PATIENCE_S else None
        if not rivals:
            self._orphan(answer)
        elif only is not None and only.number not in self._tainted:
            self._settle(only, answer, _LIKELY)
        elif len(rivals) == 1:
            self._settle(rivals[0], answer, guess(_GAP))
        else:
            unsettled = Unsettled(answer, since, rivals)
            self._unsettled.append(unsettled)
            self._place(unsettled)

    def _alone(self, draft: Draft, answer: Answer, since: Began | None) -> Join | None:
        """How sure the join with the only prompt under way is; None if the answer must be another's, whose prompt was
        not seen."""
        if draft.number in self._tainted:
            return guess("an earlier answer may have been this prompt's")
        strange = answer.at - self._strange_at < PATIENCE_S
        if since is None:
            if answer.at - self._broken_at < PATIENCE_S or (strange and self._strange_at > self._first_at):
                return guess(_GAP)
            return _LIKELY if strange else SURE
        if since.before(draft):
            self._strange_at = answer.at
            return None if since.before(draft, _MISFIT_S) else guess(_MISFIT)
        freed = self._freed(since)
        if strange and freed:
            return guess(_GAP)
        if since.fits(draft) and not freed:
            self._strange_at = _NEVER  # a slot was free: nothing unseen was waiting
        if since.after(draft) and draft.at <= self._broken_at:
            return guess(_GAP)
        return SURE if possible(draft, answer, since) else guess("its numbers do not fit the request's")

    def _only(self, rivals: list[Draft], since: Began | None) -> Draft | None:
        """The one prompt an answer can be of: the others are excluded, or would have had to wait for a slot when none
        was freed."""
        strange = since is not None and since.latest - self._strange_at < PATIENCE_S and self._freed(since)
        if len(rivals) == 1 and not strange:
            return rivals[0]
        if since is None or self._freed(since):
            return None
        fitting = [draft for draft in rivals if since.fits(draft)]
        waited = all(since.after(draft, since.slack) for draft in rivals if draft not in fitting)
        return fitting[0] if len(fitting) == 1 and waited else None

    def _freed(self, since: Began) -> bool:
        """Whether a slot became free when the work began, so that a waiting prompt may have got it."""
        return any(since.earliest <= end <= since.latest for end in self._ends)

    def _alive(self) -> list[Draft]:
        """The prompts that an answer may be of: the open ones, and those whose answer may be one of theirs."""
        reach = set(self._open.values())
        if not reach:
            return []
        grown = True
        while grown:
            linked = [each for each in self._unsettled if not reach.isdisjoint(each.rivals)]
            size = len(reach)
            reach.update(draft for each in linked for draft in each.rivals)
            grown = len(reach) > size
        return sorted(reach, key=lambda draft: draft.number)

    def _give(self, draft: Draft, answer: Answer, join: Join) -> None:
        answer.holder = draft
        draft.answer, draft.answered, draft.silent = answer, join, False
        draft.ended_at, draft.heard, draft.error = answer.at, max(draft.heard, answer.at), ""
        self._open.pop(draft.number, None)
        self._book.touch(draft, answer.output)

    def _free(self, answer: Answer) -> None:
        """Take an answer from the prompt it was shown with, which is open again unless it has another by now."""
        draft, answer.holder = answer.holder, None
        if draft is not None and draft.answer is answer:
            draft.answer, draft.answered, draft.ended_at = None, SURE, None
            self._open[draft.number] = draft
            self._book.touch(draft)

    def _settle(self, draft: Draft, answer: Answer, join: Join) -> None:
        """Join for good, and see what that leaves for the others."""
        robbed = draft.answer if draft.answer is not answer else None
        if answer.holder is not draft:
            self._free(answer)
        self._unsettled = [each for each in self._unsettled if each.answer is not answer]
        self._give(draft, answer, join)
        self._tainted.discard(draft.number)
        for each in list(self._unsettled):
            if draft in each.rivals:
                each.rivals.remove(draft)
        for each in list(self._unsettled):
            if each not in self._unsettled:
                continue
            if not each.rivals:
                self._unsettled.remove(each)
                each.answer.holder = None
                self._orphan(each.answer)
            elif len(each.rivals) == 1 and each.rivals[0].number not in self._tainted:
                self._settle(each.rivals[0], each.answer, _LIKELY)
            elif each.answer is robbed:
                each.answer.holder = None
                self._place(each)

    def _place(self, unsettled: Unsettled) -> None:
        """Show an unsettled answer with the best prompt that is free, moving other unsettled ones if need be."""
        answer = unsettled.answer
        self._free(answer)
        if not self._assign(unsettled, set()):
            self._unsettled.remove(unsettled)
            self._orphan(answer)

    def _assign(self, unsettled: Unsettled, tried: set[int]) -> bool:
        since, holders = unsettled.since, {id(each.answer.holder): each for each in self._unsettled}
        order = sorted(unsettled.rivals, key=lambda draft: (since is not None and not since.fits(draft), draft.number))
        order.sort(key=lambda draft: id(draft) in holders)
        for draft in order:
            if draft.number in tried:
                continue
            tried.add(draft.number)
            owner = holders.get(id(draft))
            if owner is None or self._assign(owner, tried):
                words = f"{len(unsettled.rivals)} prompts were under way, and the log does not tell which this answers"
                self._give(draft, unsettled.answer, guess(words))
                return True
        return False

    def _orphan(self, answer: Answer) -> None:
        """An answer without its prompt is an exchange of its own."""
        self._strange_at = answer.at
        draft = self._book.new(answer.at, self.instance_id)
        self._give(draft, answer, Join(doubt=_UNSEEN))

    def _drop_settled(self, now: float) -> None:
        """Let go of what no evidence will settle any more; what it leaves in doubt stays so."""
        reach = set(self._alive())
        keep = []
        for each in self._unsettled:
            is_closed = reach.isdisjoint(each.rivals)
            if not (is_closed and now - each.answer.at > _MISFIT_S * 5):
                keep.append(each)
        for each in keep[:-_MOST_UNSETTLED]:
            keep.remove(each)
            self._leave(each, keep)
        self._unsettled = keep

    def _leave(self, unsettled: Unsettled, others: list[Unsettled]) -> None:
        """One too many: it stays a guess, and so does whatever follows from it."""
        holder = unsettled.answer.holder
        self._tainted.update(draft.number for draft in unsettled.rivals if draft is not holder)
        for each in others:
            if holder is not None and holder in each.rivals:
                each.rivals.remove(holder)
                self._tainted.update(draft.number for draft in each.rivals)
