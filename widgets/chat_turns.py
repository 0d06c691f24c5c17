"""The turns of a conversation: which are on the screen, and what of them is in sight."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Static

from lmdeck.model.conversation import ShownTurn, Turn
from lmdeck.widgets.answer import Answer
from lmdeck.widgets.chat_turn import AnswerTurn, TurnView, UserTurn
from lmdeck.widgets.ground import ground

_BATCH_TURNS, _BATCH_CHARACTERS = 24, 40_000
"""So much of a long conversation is on the screen at first, and comes with each look at what was before."""


class _Earlier(Static):
    """How many turns are not on the screen yet; a click brings more."""

    class Clicked(Message):
        """More are wanted."""

    def on_click(self, event: events.Click) -> None:
        """Ask for them."""
        event.stop()
        self.post_message(self.Clicked())


class TurnList(VerticalScroll, inherit_bindings=False):
    """Shows a path of turns, of which one may be selected. It stays at the end as an answer grows, until the user
    scrolls up."""

    DEFAULT_CSS = """
    TurnList {
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > _Earlier { height: 1; color: $text-muted; padding-left: 1; }
        &:focus > TurnView.-selected { padding-left: 0; border-left: thick $primary; }
        &:ansi:focus > TurnView.-selected { border-left: thick ansi_default; }
    }
    """

    selected: reactive[str | None] = reactive(None, init=False, repaint=False)
    """The id of the turn that the keyboard acts on."""

    def __init__(self, hide_prompts: bool = False) -> None:
        super().__init__()
        self._hidden = hide_prompts
        self._path: tuple[ShownTurn, ...] = ()
        self._first = 0
        self._views: dict[str, TurnView] = {}
        self._earlier = _Earlier(markup=False)
        self._at_end = True

    @property
    def path(self) -> Sequence[ShownTurn]:
        """The turns of the conversation, also those above what is on the screen."""
        return self._path

    @property
    def current(self) -> TurnView | None:
        """The selected turn's view."""
        return self._views.get(self.selected or "")

    @property
    def first_shown(self) -> int:
        """The place in the path of the first turn that is on the screen."""
        return self._first

    def answer_turn(self, turn_id: str | None = None) -> AnswerTurn | None:
        """The answer of this id, or the last one."""
        views = [self._views.get(turn_id)] if turn_id else [*reversed(self._views.values())]
        return next((view for view in views if isinstance(view, AnswerTurn)), None)

    def show(self, turns: Sequence[ShownTurn]) -> None:
        """Show this path. A turn that stays keeps its view; on another branch the selection stays in its place."""
        before, path = _ids(self._path), tuple(turns)
        same = next((n for n, pair in enumerate(zip(before, _ids(path), strict=False)) if pair[0] != pair[1]), None)
        kept = min(len(before), len(path)) if same is None else same
        self._path = path
        if kept < max(len(before), len(path)):
            self._replace(before, kept)
        self._place()

    def begin(self, shown: ShownTurn, answer_id: str) -> Answer:
        """The user's turn behind its parent, in place of what followed that, and an empty answer to it."""
        turn, ids = shown.turn, _ids(self._path)
        kept = len(ids) if turn.parent else 0
        for known, more in ((turn.parent, 1), (turn.id, 0)):
            if known in ids:
                kept = ids.index(known) + more
        self.show((*self._path[:kept], shown))
        self._path = (*self._path, ShownTurn(Turn(answer_id, turn.id, "assistant", "", turn.at)))
        view = self._views[answer_id] = AnswerTurn(answer_id)
        self.mount(view)
        self._go_to_end()
        return view.answer

    def hide(self, hidden: bool) -> None:
        """Cover the user's own words, or show them."""
        self._hidden = hidden
        for view in self._views.values():
            if isinstance(view, UserTurn):
                view.hide(hidden)

    # What is on the screen

    def _replace(self, before: Sequence[str], kept: int) -> None:
        """Show the path from its turn number `kept` on in place of what was there before."""
        place = before.index(self.selected) if self.selected in before else len(before)
        if kept <= self._first or len(self._path) - kept > _BATCH_TURNS:
            kept, self._first = 0, self._start_of_batch(len(self._path))
        self.remove_children([view for each in before[kept:] if (view := self._views.pop(each, None))])
        self._mount(self._path[max(kept, self._first) :])
        if self._path and self.has_focus:
            self.selected = self._path[min(place, len(self._path) - 1)].turn.id
            self.call_after_refresh(self.scroll_to_current)
        else:
            self.selected = None
            self.anchor(False)
            self._go_to_end()

    def _start_of_batch(self, end: int) -> int:
        first, room = end, _BATCH_CHARACTERS
        while first > 0 and end - first < _BATCH_TURNS and room > 0:
            first -= 1
            room -= len(self._path[first].turn.text)
        return first

    def _mount(self, turns: Sequence[ShownTurn], before: TurnView | None = None) -> None:
        views = {each.turn.id: self._view(each) for each in turns}
        self._views = {**views, **self._views} if before else {**self._views, **views}
        self.mount(*views.values(), before=before)
        for each in turns:
            if isinstance(view := views[each.turn.id], AnswerTurn):
                view.tell(each.turn)

    def _view(self, shown: ShownTurn) -> TurnView:
        return UserTurn(shown, self._hidden) if shown.turn.role == "user" else AnswerTurn(shown.turn.id)

    def _place(self) -> None:
        """Everything's number among its siblings; answers are named where several models gave them."""
        named = len({each.turn.instance_id for each in self._path if each.turn.instance_id}) > 1
        for shown in self._path[self._first :]:
            self._views[shown.turn.id].place(shown, named)
        if self._first and self._earlier.parent is None:
            self.mount(self._earlier, before=0)
        self._earlier.display = self._first > 0
        self._earlier.update(Content(f"↑ {self._first} earlier turns"))
        self.refresh_bindings()

    def show_earlier(self, everything: bool = False) -> None:
        """More of what was before, without moving what is in sight."""
        if not self._first:
            return
        last, self._first = self._first, 0 if everything else self._start_of_batch(self._first)
        below = self.virtual_size.height - self.scroll_y
        self._mount(self._path[self._first : last], before=next(iter(self._views.values())))
        self._place()
        self.stay_here()
        self.call_after_refresh(lambda: self.scroll_to(y=self.virtual_size.height - below, animate=False))

    # What is in sight

    def render_lines(self, crop: Region) -> list[Strip]:
        return ground(super().render_lines, crop)

    def stay_here(self) -> None:
        """Do not follow a growing answer."""
        self._at_end = False
        self.release_anchor()

    def _go_to_end(self) -> None:
        self._at_end = True
        self.call_after_refresh(self._follow, again=True)

    def _follow(self, again: bool = False) -> None:
        """Not before there is something to scroll: an anchor would move a short conversation to the bottom."""
        if self._at_end and self.max_scroll_y > 0 and (again or not self.is_anchored):
            self.anchor()

    def scroll_to_current(self) -> None:
        """Bring the selected turn into sight, its beginning if it is larger."""
        if (view := self.current) is not None:
            self.stay_here()
            self.scroll_to_widget(view, animate=False, top=view.outer_size.height > self.size.height)

    def watch_selected(self, before: str | None, turn_id: str | None) -> None:
        """Mark it."""
        for each in (before, turn_id):
            if (view := self._views.get(each or "")) is not None:
                view.set_class(each == turn_id, "-selected")
        self.refresh_bindings()

    def on_answer_drawn(self, event: Answer.Drawn) -> None:
        """Stay at the end as it grows."""
        event.stop()
        self._follow()

    def on_mouse_scroll_up(self) -> None:
        """At the top there may be more."""
        if self.scroll_y <= 0:
            self.show_earlier()

    @on(_Earlier.Clicked)
    def _more_wanted(self, event: _Earlier.Clicked) -> None:
        event.stop()
        self.show_earlier()


def _ids(path: Sequence[ShownTurn]) -> list[str]:
    return [each.turn.id for each in path]
