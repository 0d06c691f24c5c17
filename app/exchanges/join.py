"""The three logs of one connection joined to exchanges: no request id is needed, and none is made up."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from lmdeck.exchanges.book import Book
from lmdeck.exchanges.desk import Desk
from lmdeck.exchanges.draft import Answer, Draft, Join, guess
from lmdeck.exchanges.lane import Lane
from lmdeck.exchanges.reading import Asked, Generated, Over, Refused, read
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import (
    DeckNote,
    LogEntry,
    PredictionInput,
    PredictionOutput,
    RuntimeLine,
    ServerLine,
    Unreadable,
)

_NEAR_S = 2.0
_OLD_S = 60.0
_MAY_BE_OLD = "it may have ended one that began before the logs were followed"
_MANY_FIT = "several requests were under way, and the log does not tell which one this ended"
_BROKEN = re.compile(r"log stream \(model\) (?:ended|is back)")
_SHORTEST_END = 20
_TOKENS_OFF = 2
_MOST_LANES, _MOST_EMBEDDING = 512, 1_024


class Joiner:
    """Feeds on log entries, in about the order of their times, and tells the exchanges that changed.

    A join is certain by content or where only one fits, likely where clock, tokens or model exclude the others, and a
    guess, with the doubt in words, where more than one fits; later lines may still change it. Memory is bounded: the
    oldest finished exchanges are forgotten (see `book`).

    `since` is the Unix time from which the logs are followed: what began before was not seen, so the first answers are
    joined with more care. Without it nothing is taken to be under way at the first entry.
    """

    def __init__(self, since: float = float("-inf")) -> None:
        self._since = since
        self._book = Book()
        self._lanes: dict[str, Lane] = {}
        self._desk = Desk(self._book, self._lanes.__contains__)
        self._pending: deque[Generated] = deque(maxlen=64)
        self._errors: deque[Refused] = deque(maxlen=16)
        self._embedding: dict[int, Draft] = {}
        self._hears_model = False

    @property
    def running(self) -> int:
        """Requests under way."""
        return self._book.running

    @property
    def held(self) -> tuple[int, int]:
        """Finished exchanges that are kept, and the bytes of their texts."""
        return self._book.held

    def feed(self, entries: Sequence[LogEntry]) -> list[Exchange]:
        """Take a batch; the exchanges that it changed, each once and as it is now, in order of number. An entry object
        that is fed again changes nothing."""
        for entry in entries:
            if self._book.knows(entry):
                continue
            self._book.now = entry.at
            match entry:
                case RuntimeLine():
                    self._runtime(entry)
                case PredictionInput():
                    self._hears_model = True
                    self._lane(entry.instance_id).begin(self._desk.prompt(entry))
                case PredictionOutput():
                    self._hears_model = True
                    self._output(entry)
                case ServerLine():
                    self._server(entry)
                case Unreadable(source="model"):
                    self._interrupted(entry.at)
                case DeckNote() if _BROKEN.match(entry.text):
                    self._hears_model = False
                    self._interrupted(entry.at)
        self._sent_without_output()
        return self._book.flush()

    def exchange_of(self, entry: LogEntry) -> Exchange | None:
        """The exchange that this very entry object is part of, while it is kept."""
        return self._book.exchange_of(entry)

    def _lane(self, instance_id: str) -> Lane:
        lane = self._lanes.get(instance_id)
        if lane is None:
            if len(self._lanes) >= _MOST_LANES:
                idle = (name for name, lane in self._lanes.items() if not lane.busy)
                del self._lanes[next(idle, next(iter(self._lanes)))]
            lane = self._lanes[instance_id] = Lane(self._book, instance_id, self._since)
        return lane

    def _interrupted(self, at: float) -> None:
        for lane in self._lanes.values():
            lane.interrupted(at)

    def _runtime(self, entry: RuntimeLine) -> None:
        lane = self._lanes.get(entry.instance_id) if entry.instance_id else self._busy_lane()
        if lane is not None:
            lane.hear(entry)

    def _busy_lane(self) -> Lane | None:
        """The lane of lines that name no instance, where only one can be meant."""
        busy = [lane for lane in self._lanes.values() if lane.busy] if len(self._lanes) < 64 else []
        return busy[0] if len(busy) == 1 else None

    def _output(self, entry: PredictionOutput) -> None:
        lane = self._lane(entry.instance_id)
        answer = lane.end(entry)
        if answer.failed:
            near = [each for each in self._errors if abs(each.line.at - entry.at) <= _NEAR_S]
            named = [each for each in near if each.model in ("", entry.instance_id)]
            if named:
                self._errors.remove(named[-1])
                answer.error = named[-1].words
        for sent in self._pending:
            if sent.model in ("", entry.instance_id) and _same_answer(sent, answer):
                self._attach(sent, [answer], lane)
                self._pending.remove(sent)
                return

    def _server(self, entry: ServerLine) -> None:
        said = read(entry)
        if isinstance(said, Asked):
            draft = self._desk.ask(said)
            if said.kind == "embedding":
                self._embed(draft)
        elif isinstance(said, Generated):
            self._generated(said)
        elif isinstance(said, Refused):
            self._refused(said)
        elif isinstance(said, Over):
            self._over(said)
        elif " | task " in entry.text[:200] or "eval time =" in entry.text[:200]:
            line = RuntimeLine(entry.at, entry.text, entry.level, source="server")
            self._runtime(line)

    def _embed(self, draft: Draft) -> None:
        self._embedding[draft.number] = draft
        if len(self._embedding) > _MOST_EMBEDDING:
            del self._embedding[next(iter(self._embedding))]

    def _generated(self, sent: Generated) -> None:
        """The server's answer: it names no request either, but it has the words of an output."""
        lanes = [self._lanes[sent.model]] if sent.model in self._lanes else list(self._lanes.values())
        for lane in lanes:
            free = (answer for answer in lane.recent if answer.generated is None)
            like = [answer for answer in free if _same_answer(sent, answer)]
            if like:
                self._attach(sent, like, lane)
                return
        self._pending.append(sent)

    def _attach(self, sent: Generated, like: list[Answer], lane: Lane) -> None:
        counted = [answer for answer in like if _tokens_apart(sent, answer) == 0] or like
        for answer in counted[: max(1, len(sent.texts))]:
            answer.generated = sent
            unsure = (
                _tokens_apart(sent, answer) is None
                and len(answer.output.text) < _SHORTEST_END
                and lane.crowded(answer.at)
            )
            if unsure or len(counted) > max(1, len(sent.texts)):
                answer.sent = guess("the server's answer has the words of other answers too")
            lane.learn(answer)
            if answer.holder is not None:
                self._book.touch(answer.holder, sent.line)

    def _sent_without_output(self) -> None:
        """Without the model log, the server's answer is all there is of one."""
        while self._pending and not self._hears_model:
            sent = self._pending.popleft()
            fitting = [
                draft
                for draft in self._unprompted(sent.model)
                if draft.asked is not None and not draft.asked.streams and sent.kind in (None, draft.asked.kind)
            ]
            if fitting:
                fitting[0].sent = sent
                self._finish(fitting, sent.line.at)
                self._book.touch(fitting[0], sent.line)

    def _over(self, over: Over) -> None:
        """A request has ended that is not named; with a prompt, its output will tell more."""
        if over.how == "embedded":
            fitting = [draft for draft in self._embedding.values() if draft.running and _named(draft, over.model)]
        else:
            fitting = [draft for draft in self._unprompted(over.model) if draft.asked is not None]
            if over.how == "streamed":
                fitting = [] if self._hears_model else [d for d in fitting if d.asked is not None and d.asked.streams]
            elif self._hears_model and (len(fitting) > 1 or self.running > len(fitting)):
                fitting = []
        if fitting:
            error = "the client left" if over.how == "gone" else ""
            self._finish(fitting, over.at, error, named=bool(over.model))

    def _refused(self, refused: Refused) -> None:
        """An error: of an answer that failed just now, or of a request that never got a prompt."""
        lanes = [self._lanes[refused.model]] if refused.model in self._lanes else list(self._lanes.values())
        for answer in (answer for lane in lanes for answer in reversed(lane.recent)):
            if answer.failed and not answer.error and abs(answer.at - refused.line.at) <= _NEAR_S:
                answer.error = refused.words
                if answer.holder is not None:
                    self._book.touch(answer.holder)
                return
        known = refused.model if refused.model in self._lanes else ""
        waiting = [*self._unprompted(known), *(draft for draft in self._embedding.values() if draft.running)]
        named = [each for each in waiting if each.asked and each.asked.model and each.asked.model in refused.named]
        fitting = named or [draft for draft in waiting if refused.line.at - draft.at <= _NEAR_S]
        if fitting:
            fitting.sort(key=lambda draft: -draft.number)
            self._finish(fitting, refused.line.at, refused.words, named=bool(named))
        else:
            self._errors.append(refused)

    def _unprompted(self, model: str) -> list[Draft]:
        """Requests without a prompt, oldest first, that may be for `model`."""
        return [
            draft
            for draft in self._desk.waiting.values()
            if draft.input is None and draft.running and _named(draft, model)
        ]

    def _finish(self, fitting: list[Draft], at: float, error: str = "", *, named: bool = False) -> None:
        """End the first of the requests that a line may mean; `named` if it names its model."""
        draft = fitting[0]
        self._embedding.pop(draft.number, None)
        draft.ended_at, draft.error = at, error
        if len(fitting) > 1 or draft.tainted:
            draft.answered = guess(_MANY_FIT)
        else:
            draft.answered = guess(_MAY_BE_OLD) if not named and at - self._since < _OLD_S else Join("likely")
        for other in fitting[1:]:
            other.tainted = True
        self._book.touch(draft)


def _named(draft: Draft, model: str) -> bool:
    asked = draft.asked
    return asked is not None and (not model or not asked.model or model.startswith(asked.model))


def _same_answer(sent: Generated, answer: Answer) -> bool:
    """Whether the server sent this output: its words, before which reasoning may stand in the model log, and as many
    tokens; without words (a tool's call) the tokens alone."""
    apart = _tokens_apart(sent, answer)
    if abs(sent.line.at - answer.at) > _NEAR_S:
        return False
    texts = [text for each in sent.texts if (text := each.strip())]
    said = answer.output.text.strip()
    if not texts:
        return apart == 0
    if apart and (apart > _TOKENS_OFF or len(said) < _SHORTEST_END):
        return False
    return any(text == said or (len(text) >= _SHORTEST_END and said.endswith(text)) for text in texts)


def _tokens_apart(sent: Generated, answer: Answer) -> int | None:
    """How far the token counts of both are apart; None where one does not tell."""
    pairs = (
        (sent.stats.prompt_tokens, answer.stats.prompt_tokens),
        (sent.stats.predicted_tokens, answer.stats.predicted_tokens),
    )
    apart = [abs(one - other) for one, other in pairs if one is not None and other is not None]
    return max(apart) if apart and len(sent.texts) <= 1 else None
