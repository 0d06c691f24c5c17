"""Completion in the chat's editor: looks at the word before the cursor and fills the list of suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual.message import Message

from lmdeck.model import slash
from lmdeck.model.slash import Completion, Offers
from lmdeck.widgets.chat_wishes import PathsWanted
from lmdeck.widgets.suggestions import Suggestions


class Editor(Protocol):
    """What is needed of the text area."""

    @property
    def text(self) -> str:
        """The whole text."""

    @property
    def cursor(self) -> int:
        """Where the cursor stands in it."""

    @property
    def has_focus(self) -> bool:
        """Whether somebody writes here."""

    def put(self, text: str, start: int = 0, end: int | None = None) -> None:
        """This text in place of a part, or of everything."""

    def post_message(self, message: Message) -> bool:
        """Tell the chat."""


class Completing:
    """Commands and their arguments come from `offers`; paths are asked for and arrive later."""

    def __init__(self, editor: Editor, suggestions: Suggestions) -> None:
        self.offers = Offers()
        self._editor, self._suggestions = editor, suggestions
        self._asked: str | None = None
        self._paths: Sequence[str] = ()
        self._closed_at: int | None = None

    def offer_paths(self, prefix: str, paths: Sequence[str]) -> None:
        """The paths that begin so, unless something else is written by now."""
        if prefix == self._asked:
            self._paths = paths
            self.look()

    def look(self) -> bool:
        """Bring the list up to date; answers whether there is one."""
        items, written = self._found() if self._editor.has_focus else ((), "")
        if not items or items[0].start != self._closed_at:
            self._closed_at = None
        whole = len(items) == 1 and items[0].text == written
        self._suggestions.offer(() if whole or self._closed_at is not None else items, bool(written.strip('/@"')))
        return bool(self._suggestions.items)

    def take(self, by_tab: bool = False) -> bool:
        """Write the chosen one, by Tab at least the first; False: there is nothing more to write."""
        if not self.look():
            return False
        item, text = self._suggestions.best, self._editor.text
        assert item is not None  # there is at least one
        if not by_tab and self._suggestions.chosen is None:
            return False
        written = text[item.start : item.end]
        same = (item,) if self._suggestions.moved else self._suggestions.items
        if not by_tab and any(each.text.strip() == written for each in same):
            return False
        self.put(item)
        return True

    def put(self, item: Completion) -> None:
        """Write this one."""
        self._editor.put(item.text, item.start, item.end)
        self.look()

    def close(self) -> bool:
        """Hide the list until another word is written; False: there was none."""
        if not self._suggestions.items:
            return False
        self._closed_at = self._suggestions.items[0].start
        self.look()
        return True

    def _found(self) -> tuple[Sequence[Completion], str]:
        """What there is for the word before the cursor, and that word."""
        text, cursor = self._editor.text, self._editor.cursor
        place = slash.path_at(text, cursor)
        if place is None:
            self._asked, self._paths = None, ()
            items = slash.complete(text, cursor, self.offers)
        else:
            if place.prefix != self._asked:
                self._asked = place.prefix
                self._editor.post_message(PathsWanted(place.prefix))
            items = slash.complete_path(place, [path for path in self._paths if path.startswith(place.prefix)])
        return items, text[items[0].start : cursor] if items else ""
