"""The frame that the five panes share: title, hints, and what stands there when there is nothing to list."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.timer import Timer

from lmdeck.model.problem import Problem
from lmdeck.widgets.line_view import LineView, Paragraph
from lmdeck.widgets.paint.line import safe

Clock = Callable[[], float]
"""Monotonic seconds; another one is given in tests."""


class Pane(Vertical):
    """A framed part of the dashboard. The frame is heavy while the focus is inside, so that it shows without colours.

    Its title is `TITLE` and what `title_addendum` adds (`Loaded 2`), its subtitle the `hints`.
    """

    TITLE: ClassVar[str] = ""
    DEFAULT_CSS = """
    Pane {
        border: solid $foreground 30%;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $foreground-muted;
        &:focus-within { border: heavy $primary; border-title-color: $text-primary; }
        &.-stale { border-title-style: none; border-title-color: $foreground-muted; }
        &.-stale LineView { text-opacity: 60%; }
        & > .pane--words { display: none; }
        &.-words > * { display: none; }
        &.-words > .pane--words { display: block; }
        &:ansi { border: solid ansi_default; }
        &:ansi:focus-within { border: heavy ansi_default; border-title-color: ansi_default; }
    }
    """

    class CopyRequested(Message):
        """This text is wanted in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(id=id)
        self.clock = clock
        self.problem: Problem | None = None
        self.stale_since: float | None = None
        self._addendum = ""
        self._labels: tuple[str, str] = ("", "")
        self._frame_lines: tuple[Region, ...] = ()
        self._ticker: Timer | None = None

    # What the screen tells it

    def show_problem(self, problem: Problem | None) -> None:
        """Say what is wrong and what to do about it; None: nothing is. What is listed already stays in sight."""
        if problem != self.problem:
            self.problem = problem
            self.problem_changed()

    def mark_stale(self, stale: bool, since: float | None = None) -> None:
        """The content is old: dimmed, with its age. `since`: the monotonic second it was last true, now if left out."""
        begin = (since if since is not None else self.stale_since or self.clock()) if stale else None
        if begin != self.stale_since:
            self.stale_since = begin
            self.set_class(stale, "-stale")
            self.refresh_frame()

    def show_words(self, text: str, next_step: str = "") -> None:
        """Show words in place of the content; an empty `text` brings the content back."""
        paragraphs = [Paragraph(text, "muted"), *([Paragraph(next_step, "accent")] if next_step else [])]
        self.put_words(paragraphs if text else ())

    def focus_content(self) -> Self:
        """Focus the list (or whatever the keys of this pane act on)."""
        view = self.words_view()
        if view is not None:
            self.screen.set_focus(view)  # at once: `view.focus()` would let the next key go to the old place
        return self

    # What a pane may do its own way

    def words_view(self) -> LineView | None:
        """Where words are drawn: the pane's list itself. None: a view of their own, in place of the content."""
        return None

    def problem_changed(self) -> None:
        """Show `problem`, or what there is when it is None."""
        self.put_words(problem_words(self.problem) if self.problem else ())

    def title_addendum(self) -> str:
        """What stands in the title after the pane's name."""
        return self._addendum

    def hints(self) -> Iterator[str]:
        """What the subtitle says, most important first."""
        if self.stale_since is not None:
            yield f"stale {age(self.clock() - self.stale_since)}"

    def ticks(self) -> bool:
        """Whether something in here changes with the clock alone."""
        return self.stale_since is not None

    def tick(self) -> None:
        """A second has passed while `ticks` was true."""
        self.refresh_frame()

    # For subclasses

    def put_words(self, paragraphs: Sequence[Paragraph]) -> None:
        """Show these in place of the content; none: the content."""
        view = self.words_view()
        if view is None and self.is_mounted:
            found = self.query_children(".pane--words").results(LineView)
            view = next(iter(found), None)
            if view is None and paragraphs:
                self.mount(view := LineView(classes="pane--words"))
            self.set_class(bool(paragraphs), "-words")
        if view is not None:
            view.show_words(paragraphs)

    def set_addendum(self, text: str) -> None:
        """Put this behind the pane's name in the title."""
        self._addendum = text
        self.refresh_frame()

    def refresh_frame(self) -> None:
        """Bring title and subtitle up to date; only their lines are drawn, and only when they differ."""
        addendum = self.title_addendum()
        title = f"{self.TITLE} {addendum}" if addendum else self.TITLE
        subtitle = " · ".join(self.hints())
        if title != self._labels[0]:
            with self._drawing(0):
                self.border_title = Content(safe(title))
        if subtitle != self._labels[1]:
            with self._drawing(self.outer_size.height - 1):
                self.border_subtitle = Content(safe(subtitle)) if subtitle else None
        self._labels = (title, subtitle)
        self._run_ticker()

    def _run_ticker(self) -> None:
        if self.ticks() and self._ticker is None and self.is_mounted:
            self._ticker = self.set_interval(1, self._tick)
        elif not self.ticks() and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    def _tick(self) -> None:
        self.tick()
        self._run_ticker()

    # Textual's side

    def compose(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        self.refresh_frame()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As Textual's, but a new title draws its own line instead of the whole pane."""
        return super().refresh(*(regions or self._frame_lines), repaint=repaint, layout=layout, recompose=recompose)

    @contextmanager
    def _drawing(self, y: int) -> Iterator[None]:
        left, top = self.content_offset
        self._frame_lines = (Region(-left, y - top, self.outer_size.width, 1),)
        yield
        self._frame_lines = ()


def problem_words(problem: Problem) -> list[Paragraph]:
    """A problem as paragraphs: what, the other side's words, what to do."""
    words = [Paragraph(f"✗ {problem.title}", "bad"), Paragraph(problem.detail), Paragraph(problem.next_step, "accent")]
    return [paragraph for paragraph in words if paragraph.text]


def age(seconds: float) -> str:
    """`12 s`, then `4 min`, `3 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h"
