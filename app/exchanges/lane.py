"""One instance's prompts and answers. An answer names no prompt: with several under way, evidence decides, or none."""

from __future__ import annotations

from collections import deque

from lmdeck.exchanges.book import PATIENCE_S, Book
from lmdeck.exchanges.draft import SURE, Answer, Draft, Join, guess
from lmdeck.exchanges.evidence import SKEW_S, Began, began, possible
from lmdeck.exchanges.knot import LIKELY, MOST_RIVALS, Knot, Unsettled
from lmdeck.exchanges.slots import Task, Tasks
from lmdeck.model.log import PredictionOutput, RuntimeLine

_RECENT = 32
_MISFIT_S = 1.0
_NEVER = float("-inf")

_GAP = "the log was interrupted: the answer may be another's"
_MISFIT = "its times do not fit the prompt's"


class Lane:
    """The prompts of one instance that have no answer yet, and the answers that are not sure. Whatever was under way
    before `since` was not seen."""

    def __init__(self, book: Book, instance_id: str, since: float) -> None:
        self._book = book
        self._knot = Knot(book, instance_id, since)
        self._tasks = Tasks()
        self._ends: deque[float] = deque(maxlen=64)
        self._broken_at = since
        self.recent: deque[Answer] = deque(maxlen=_RECENT)

    def crowded(self, at: float) -> bool:
        """Whether other answers than those seen may come at that time."""
        return bool(self._knot.open) or at - self._knot.strange_at < PATIENCE_S

    @property
    def busy(self) -> bool:
        """Whether prompts are under way."""
        return bool(self._knot.open)

    def interrupted(self, at: float) -> None:
        """The model log broke off: prompts and answers may have been missed."""
        self._broken_at = self._knot.strange_at = at

    def begin(self, draft: Draft) -> None:
        """A prompt has come."""
        self._knot.begin(draft)

    def end(self, output: PredictionOutput) -> Answer:
        """An answer has come: join it."""
        answer = Answer(output)
        answer.task = self._tasks.claim(answer.stats, output.at)
        self._decide(answer, began(answer))
        self._ends.append(output.at)
        self.recent.append(answer)
        return answer

    def learn(self, answer: Answer) -> None:
        """More is known of an answer: it may settle now."""
        self._knot.learn(answer)

    def hear(self, line: RuntimeLine) -> None:
        """A line of the engine: it belongs to the task that it names, or to the one prompt under way."""
        task = self._tasks.feed(line)
        draft = next(iter(self._knot.open.values())) if len(self._knot.open) == 1 else None
        if draft is not None and not draft.silent and (task is None or _launched_for(task, draft)):
            draft.slot = draft.slot if task is None else task.slot
            self._book.hear(draft, line)
        if task is not None and task.predicted_tokens is not None:
            self._claim(task)

    def _claim(self, task: Task) -> None:
        """A task whose answer came before its last lines."""
        for answer in self.recent:
            if answer.task is None and task.answers(answer.stats, answer.at):
                answer.task = self._tasks.claim(answer.stats, answer.at)
                if answer.holder is not None:
                    self._book.touch(answer.holder)
                self._knot.learn(answer)
                return

    def _decide(self, answer: Answer, since: Began | None) -> None:
        if len(self._knot.open) > MOST_RIVALS:
            self._knot.pick(answer, since)
            return
        self._knot.tidy(answer.at)
        alive = self._knot.alive()
        if len(alive) == 1:
            join = self._alone(alive[0], answer, since)
            if join is None:
                self._knot.orphan(answer)
            else:
                self._knot.settle(alive[0], answer, join)
            return
        rivals = [draft for draft in alive if possible(draft, answer, since)]
        unseen = answer.at - self._knot.strange_at < PATIENCE_S and (since is None or self._freed(since))
        only = None if unseen else self._only(rivals, since, answer.stats.prompt_tokens)
        if not rivals:
            self._knot.orphan(answer)
        elif only is not None and not self._knot.is_tainted(only):
            self._knot.settle(only, answer, LIKELY)
        else:
            self._knot.hold(Unsettled(answer, since, rivals, unseen))

    def _alone(self, draft: Draft, answer: Answer, since: Began | None) -> Join | None:
        """How sure the join with the only prompt under way is; None if the answer must be another's, whose prompt was
        not seen."""
        if self._knot.is_tainted(draft):
            return guess("an earlier answer may have been this prompt's")
        strange = answer.at - self._knot.strange_at < PATIENCE_S
        if since is None:
            return guess(_GAP) if strange else SURE
        if since.before(draft):
            self._knot.strange_at = answer.at
            return None if since.before(draft, _MISFIT_S) else guess(_MISFIT)
        freed = self._freed(since)
        if strange and freed:
            return guess(_GAP)
        if since.fits(draft) and not freed:
            self._knot.strange_at = _NEVER  # a slot was free: nothing unseen was waiting
        if since.after(draft) and draft.at <= self._broken_at:
            return guess(_GAP)
        return SURE if possible(draft, answer, since) else guess("its numbers do not fit the request's")

    def _only(self, rivals: list[Draft], since: Began | None, tokens: int | None) -> Draft | None:
        """The one prompt an answer can be of: the others are excluded, would have had to wait for a slot when none was
        taken or none was freed, or are of quite another length."""
        if len(rivals) == 1:
            return rivals[0]
        if since is not None:
            freed = self._freed(since)
            fitting = [draft for draft in rivals if since.fits(draft)]
            excluded = [
                draft
                for draft in rivals
                if since.after(draft, since.slack) and not (freed and draft.crowd > self._tasks.parallel)
            ]
            if len(fitting) == 1 and len(excluded) == len(rivals) - 1:
                return fitting[0]
        return self._knot.pace.only(rivals, tokens)

    def _freed(self, since: Began) -> bool:
        """Whether a slot became free when the work began, or may have: so that a waiting prompt may have got it."""
        return since.earliest <= self._broken_at or any(since.earliest <= end <= since.latest for end in self._ends)


def _launched_for(task: Task, draft: Draft) -> bool:
    """Whether a task may be that of the one prompt under way: it was launched since that came."""
    return draft.input is not None and task.launched_at is not None and task.launched_at >= draft.input.at - SKEW_S
