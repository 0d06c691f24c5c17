"""One turn of a conversation on the screen."""

from __future__ import annotations

from dataclasses import replace

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from lmdeck.model.chat import ChatEnded, ChatStats, MessageDelta, ReasoningDelta
from lmdeck.model.conversation import ShownTurn, Turn
from lmdeck.model.text import clean, one_line
from lmdeck.model.units import size
from lmdeck.widgets.answer import Answer
from lmdeck.widgets.ground import ground


class TurnView(Vertical):
    """What the two kinds have in common: an id, and the mark of the selected one."""

    DEFAULT_CSS = """
    TurnView {
        height: auto;
        padding-left: 1;
        & > .head { height: auto; color: $text-muted; }
    }
    """

    def __init__(self, turn_id: str, count: int, *children: Widget) -> None:
        super().__init__(*children)
        self.turn_id = turn_id
        self.count = count
        """How many turns stand in this one's place."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return ground(super().render_lines, crop)

    @property
    def text(self) -> str:
        """What was said."""
        raise NotImplementedError

    def place(self, shown: ShownTurn, named: bool) -> None:
        """Its number among those in its place; `named`: answers say who gave them."""
        raise NotImplementedError


class UserTurn(TurnView):
    """What the user said, with the names of what went with it."""

    DEFAULT_CSS = """
    UserTurn > .said { height: auto; color: $text-accent; text-style: bold; }
    """

    def __init__(self, shown: ShownTurn, hidden: bool) -> None:
        self._said, self._head = Static(classes="said", markup=False), Static(classes="head", markup=False)
        super().__init__(shown.turn.id, shown.count, self._said, self._head)
        self._shown, self._hidden = shown, hidden
        self._say()
        attached = [f"+ {each.name} ({size(each.size_bytes)})" for each in shown.turn.attachments]
        self._head.update(Content("\n".join(one_line(each, 200) for each in attached)))
        self._head.display = bool(attached)

    @property
    def text(self) -> str:
        return self._shown.turn.text

    def place(self, shown: ShownTurn, named: bool) -> None:
        self.count, self._shown = shown.count, shown
        self._say()

    def hide(self, hidden: bool) -> None:
        """The words, or how many there are."""
        self._hidden = hidden
        self._say()

    def _say(self) -> None:
        words = f"({len(self.text)} characters hidden)" if self._hidden else clean(self.text)
        self._said.update(Content(" ".join(filter(None, [branch_mark(self._shown), ">", words]))))


class AnswerTurn(TurnView):
    """An answer, under a line that tells which of several it is and, where models differ, whose."""

    def __init__(self, turn_id: str) -> None:
        self.answer = Answer()
        self._head = Static(classes="head", markup=False)
        self._head.display = False
        super().__init__(turn_id, 1, self._head, self.answer)

    @property
    def text(self) -> str:
        return self.answer.text

    def place(self, shown: ShownTurn, named: bool) -> None:
        self.count = shown.count
        words = [branch_mark(shown), one_line(shown.turn.instance_id, 100) if named else ""]
        self._head.update(Content("  ".join(filter(None, words))))
        self._head.display = any(words)

    def tell(self, turn: Turn) -> None:
        """Everything that was said, at once; it is mounted before."""
        if turn.reasoning:
            self.answer.feed(ReasoningDelta(turn.reasoning))
            self.answer.feed(ReasoningDelta("", done=True))
        for call in turn.tools:
            self.answer.feed(replace(call, state="called"))
            self.answer.feed(call)
        if turn.text:
            self.answer.feed(MessageDelta(turn.text))
        if turn.cut_off:
            self.answer.cut_off(turn.cut_off)
        else:
            self.answer.feed(ChatEnded(turn.stats or ChatStats()))


def branch_mark(shown: ShownTurn) -> str:
    """`‹2/3›` where several turns stand in one place."""
    return f"‹{shown.number}/{shown.count}›" if shown.count > 1 else ""
