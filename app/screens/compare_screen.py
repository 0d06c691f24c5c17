"""One prompt to several models or sets of parameters, their answers side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from lmdeck.model.chat import ChatEvent
from lmdeck.model.comparison import MOST, Column
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.screens.choices import choices
from lmdeck.screens.compare_text import about, heading
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.diff_screen import DiffScreen
from lmdeck.screens.intents import Intent
from lmdeck.widgets.answer_column import AnswerColumn
from lmdeck.widgets.paint.comparison import table
from lmdeck.widgets.paint.line import crop, plain, say
from lmdeck.widgets.painting import Painting
from lmdeck.widgets.prompt_input import PromptInput

_COPIED = 1_000_000
"""Characters that are copied at most: terminals drop what is too long for them altogether."""
_AROUND = 14
"""Cells of the title's line that are not the answers' names."""
_LEAST = 37
"""Cells of a column, below which only one is shown at a time."""
_WIDE = 110
"""Cells of a screen from which columns stand side by side."""


class Leaving(NamedTuple):
    """What the screen is left with: the prompt as it stands, and the column that the chat goes on with."""

    prompt: str
    taken: Column | None = None


class CompareScreen(Dialog[Leaving]):
    """Posts `Asked`; then `begin` makes room for the answers, and `feed`, `cut_off` and `fail` fill a column each.
    `remark` is what should be known before it is asked."""

    BINDING_GROUP_TITLE = "Compare"
    BINDINGS = [
        Binding("tab", "turn(1)", "Next answer", show=False, id="compare.next", tooltip="To the next answer"),
        Binding("shift+tab", "turn(-1)", "One before", show=False, id="compare.before", tooltip="To the one before"),
        *(
            Binding(
                f"{number}",
                f"column({number - 1})",
                f"Answer {number}",
                show=False,
                id=f"compare.answer{number}",
                tooltip=f"To answer {number}",
            )
            for number in range(1, MOST + 1)
        ),
        Binding("i", "write", "Write", show=False, id="compare.write", tooltip="To the prompt"),
        Binding("d", "diff", "Diff", id="compare.diff", tooltip="Two answers, word by word"),
        Binding("y", "copy", "Copy", id="compare.copy", tooltip="Copy this answer"),
        Binding("z", "zoom", "Zoom", id="compare.zoom", tooltip="One answer at a time, or all of them"),
        Binding("ctrl+t", "fold", "Fold", show=False, id="compare.fold", tooltip="Fold or unfold reasoning and tools"),
        Binding("enter", "take", "Take", id="compare.take", tooltip="Go on in the chat as this answer was asked"),
        Binding(
            "escape,q", "leave", "Stop, close", id="compare.leave", tooltip="Stop the answers; if none runs, close"
        ),
    ]
    DEFAULT_CSS = """
    CompareScreen {
        #editor { height: auto; max-height: 7; }
        #editor > Static { width: 2; color: $text-accent; }
        #warning { height: auto; max-height: 3; margin: 0; }
        #columns { height: 1fr; }
        #columns.-single AnswerColumn { display: none; }
        #columns.-single AnswerColumn.-here { display: block; }
    }
    """

    class Asked(Intent):
        """This prompt is wanted answered by every column."""

        def __init__(self, prompt: str, columns: tuple[Column, ...]) -> None:
            super().__init__()
            self.prompt, self.columns = prompt, columns

    class Stopped(Intent):
        """The running answers are no longer wanted."""

    class Take(Intent):
        """The chat is to go on as this column was asked; `prompt` is what stood in the editor."""

        def __init__(self, column: Column, prompt: str) -> None:
            super().__init__()
            self.column, self.prompt = column, prompt

    def __init__(self, columns: Sequence[Column], prompt: str = "", remark: str = "") -> None:
        super().__init__()
        self._asked = tuple(columns)
        self._labels = [one_line(column.label, 200) for column in columns]
        self._columns = [AnswerColumn(f"{n} {column.label}", about(column)) for n, column in enumerate(columns, 1)]
        self._editor = PromptInput(prompt, placeholder="One prompt for all of them")
        self._remark = clean(remark)
        self._here, self._zoomed = 0, False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Title, remark, editor, answers, their figures, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static(classes="dialog-title", id="title", markup=False)
            if self._remark:
                yield Static(f"! {self._remark}", classes="dialog-warning", id="warning", markup=False)
            with Horizontal(id="editor"):
                yield Static(">", markup=False)
                yield self._editor
            with Horizontal(id="columns"):
                yield from self._columns
            yield Painting(id="figures")
            yield Static(classes="dialog-keys", id="keys", markup=False)

    def on_mount(self) -> None:
        """Ready for typing."""
        self._timer = self.set_interval(0.5, self._tell_figures, pause=True)
        self.set_focus(self._editor)
        self._arrange()
        self._tell_figures()

    # Answers

    @property
    def running(self) -> bool:
        """Whether an answer is coming."""
        return any(column.running for column in self._columns)

    def begin(self) -> None:
        """The prompt is on its way: empty answers in place of what there is, and nothing to know beforehand."""
        self.query("#warning").set(display=False)
        for column in self._columns:
            column.begin()

    def feed(self, index: int, event: ChatEvent) -> None:
        """One event of a column's answer."""
        self._columns[index].feed(event)

    def cut_off(self, index: int, reason: str) -> None:
        """A column's answer ended early."""
        self._columns[index].cut_off(reason)

    def fail(self, index: int, problem: Problem) -> None:
        """A column's request failed."""
        self._columns[index].fail(problem)

    @on(AnswerColumn.Changed)
    def _follow(self, event: AnswerColumn.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.resume() if self.running else self._timer.pause()
        self._tell_figures()
        self._tell_keys()

    def _tell_figures(self) -> None:
        outcomes = [column.outcome for column in self._columns]
        self.query_one("#figures", Painting).show(lambda cells: table(self._labels, outcomes, cells))

    # Places

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The answer with the keyboard is the one that keys act on, and the one in sight."""
        if event.widget in self._columns:
            self._here = self._columns.index(event.widget)
        self._arrange()

    @property
    def _single(self) -> bool:
        width = self.app.size.width
        return self._zoomed or width < max(_WIDE, _LEAST * len(self._columns))

    def _arrange(self) -> None:
        self.query_one("#columns").set_class(self._single, "-single")
        for index, column in enumerate(self._columns):
            column.set_class(index == self._here, "-here")
        told = self._tabs() if self._single else Content(heading(self._asked))
        self.query_one("#title", Static).update(Content.assemble("Compare  ", told))
        self._tell_keys()

    def _tabs(self) -> Content:
        """The answers by name, as long as all of them fit."""
        cells = (self.app.size.width - _AROUND) // len(self._labels) - 3
        names = (plain(crop(say(f"{number} {label}"), cells)) for number, label in enumerate(self._labels, 1))
        return choices(list(names), self._here)

    def _tell_keys(self) -> None:
        writing = self.focused is self._editor
        leave = "Esc stop" if self.running else "Esc close"
        send = "Enter send   ctrl+j new line   Tab answers"
        read = "Enter take   y copy   d diff   z zoom   Tab next   i prompt"
        self.query_one("#keys", Static).update(f"{send if writing else read}   {leave}")

    def action_turn(self, places: int) -> None:
        """From answer to answer, and beyond the ends to the prompt."""
        there = self._here + places
        self.action_column(there) if 0 <= there < len(self._columns) else self.action_write()

    def action_column(self, index: int) -> None:
        """To this answer."""
        if index < len(self._columns):
            self._here = index
            self._arrange()
            self.set_focus(self._columns[index])

    def action_write(self) -> None:
        """To the prompt."""
        self.set_focus(self._editor)

    def action_zoom(self) -> None:
        """One at a time, or all of them where there is room."""
        self._zoomed = not self._zoomed
        self._arrange()

    # What can be done

    def on_prompt_input_submitted(self, event: PromptInput.Submitted) -> None:
        """Ask, unless there is nothing to ask or answers are still coming."""
        event.stop()
        if self.running:
            self.notify("Answers are still coming: Esc stops them.", severity="warning", markup=False)
        elif event.text.strip():
            self.post_message(self.Asked(event.text, self._asked))

    def on_prompt_input_left(self, event: PromptInput.Left) -> None:
        """Escape in the editor is Escape everywhere."""
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Stop what runs; if nothing does, close."""
        if not self.running:
            self.dismiss(Leaving(self._editor.text))
            return
        for column in self._columns:
            column.cut_off("stopped by you")
        self.post_message(self.Stopped())

    def action_take(self) -> None:
        """Go on in the chat with this column's model and parameters."""
        self.dismiss(Leaving(self._editor.text, self._asked[self._here]))

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        if text := self._columns[self._here].text:
            self.app.copy_to_clipboard(text[:_COPIED])
            self.notify("Copied.")
        else:
            self.notify("There is no answer to copy.", severity="warning", markup=False)

    def action_diff(self) -> None:
        """This answer and the next one."""
        texts = [(label, column.text) for label, column in zip(self._labels, self._columns, strict=True)]
        there = [index for index, (_, text) in enumerate(texts) if text]
        if len(there) < 2:
            self.notify("A difference needs two answers.", severity="warning", markup=False)
            return
        first = there.index(self._here) if self._here in there else 0
        pair = sorted((first, (first + 1) % len(there)))
        self.app.push_screen(DiffScreen([texts[index] for index in there], (pair[0], pair[1])))

    def action_fold(self) -> None:
        """Fold or unfold in every answer."""
        for column in self._columns:
            column.fold()
