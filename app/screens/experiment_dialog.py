"""What the two experiments have in common on the screen: a plan, a start, rows as they come, a result."""

import time
from collections.abc import Iterable
from typing import Literal

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static

from lmdeck.model.experiment import BenchLevel, BenchResult, Probe, Verified
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean, one_line
from lmdeck.model.units import elapsed
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Intent, StopExperiment
from lmdeck.widgets.paint.line import Line, plain
from lmdeck.widgets.toned_view import LOOKS

Stage = Literal["ready", "running", "stopped", "failed", "done"]
Step = Probe | Verified | BenchLevel | BenchResult | Problem

BUSY = (
    "Requests of others run on this instance or wait for it: they would slow each other down, and what is measured "
    "would be wrong. Enter starts all the same."
)
STOPPED = "Stopped by you: the requests were closed. There is no result."


class ExperimentDialog(Dialog[None]):
    """Nothing starts by itself. `tell` takes the steps, in their order, while it runs."""

    BINDINGS = [
        Binding("enter", "start", "Start", id="experiment.start", tooltip="Send the requests of the plan"),
        Binding("escape", "leave", "Stop or close", id="experiment.leave", tooltip="Stop what runs; else close"),
        Binding("y", "copy", "Copy", id="experiment.copy", tooltip="Copy what was measured so far"),
        Binding("j", "scroll(1)", "Down", show=False, id="experiment.down", tooltip="One line down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="experiment.up", tooltip="One line up"),
    ]
    DEFAULT_CSS = """
    ExperimentDialog {
        #body { height: auto; max-height: 60vh; scrollbar-size-vertical: 1; margin: 0 0 1 0; }
        #body Static { height: auto; }
        #rows, #verdict, #busy { margin: 1 0 0 0; }
        #verdict.-error { color: $text-error; }
        #status { height: 1; }
    }
    """

    stage: reactive[Stage] = reactive[Stage]("ready", init=False)
    """Where the experiment is; it can be started again after it was stopped or failed."""

    def __init__(self, title: str, intro: str, *, busy: bool) -> None:
        super().__init__()
        self._title, self._intro, self._busy = one_line(title, 200), clean(intro), busy
        self._since = self._told_at = 0.0
        self._timer: Timer | None = None
        self._problem: Problem | None = None

    def compose(self) -> ComposeResult:
        """Title, plan, warning, rows, verdict, what to press."""
        with Vertical(classes="dialog dialog-wide"):
            yield Static(self._title, classes="dialog-title", markup=False)
            with VerticalScroll(id="body"):
                yield Static(self._intro, markup=False)
                yield Static(f"! {BUSY}", classes="dialog-warning", markup=False, id="busy")
                yield Static(id="rows", markup=False)
                yield Static(id="verdict", markup=False)
            yield Static(id="status", markup=False)
            yield Static(classes="dialog-keys", id="keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll; Enter and Esc are the dialog's."""
        self._timer = self.set_interval(0.25, self._tick, pause=True)
        self.set_focus(self.query_one("#body"))
        self.watch_stage()

    # What the kinds differ in

    def intent(self) -> Intent:
        """What starts it."""
        raise NotImplementedError

    def rows(self) -> list[Line]:
        """What was measured so far."""
        raise NotImplementedError

    def verdict(self) -> str:
        """The result in words; empty while there is none."""
        raise NotImplementedError

    def progress(self, waiting_s: float) -> str:
        """What runs now, in words; for `waiting_s` seconds already."""
        raise NotImplementedError

    def take(self, step: Step) -> bool:
        """Keep a step; True if it was the last one."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what an earlier run measured."""
        raise NotImplementedError

    def report(self) -> str:
        """What `y` copies."""
        raise NotImplementedError

    # Running

    def tell(self, step: Step) -> None:
        """A step of the running experiment; what comes after its end is not of this run."""
        if self.stage != "running":
            return
        self._told_at = time.monotonic()
        if isinstance(step, Problem):
            self._problem = step
            self.stage = "failed"
        elif self.take(step):
            self.stage = "done"
        self._show()

    @property
    def warned(self) -> bool:
        """Whether the user knows that others are waiting."""
        return self._busy

    def warn(self) -> None:
        """Others came since the dialog was opened: nothing starts before that is accepted."""
        self._busy, self.stage = True, "ready"

    def watch_stage(self) -> None:
        """The clock runs while it runs; the keys say what can be done."""
        if self._timer is not None:
            self._timer.resume() if self.stage == "running" else self._timer.pause()
        self.query_one("#keys", Static).update(self.keys())
        self.refresh_bindings()
        self._show()

    def keys(self) -> str:
        """What can be pressed now."""
        copy = "y copy   " if self.has_rows else ""
        match self.stage:
            case "ready":
                return "Enter start   Esc close"
            case "running":
                return f"{copy}Esc stop"
            case "stopped" | "failed":
                return f"Enter start again   {copy}Esc close"
        return f"{copy}Esc close"

    @property
    def has_rows(self) -> bool:
        """Whether anything was measured."""
        return bool(self.rows())

    def _show(self) -> None:
        self.query_one("#rows", Static).update(content(self.rows()))
        shown = self.query_one("#verdict", Static)
        shown.set_class(self.stage == "failed", "-error")
        words = self._problem.lines if self._problem is not None else self.verdict()
        shown.update(clean(STOPPED if self.stage == "stopped" else words))
        shown.display = self.stage in ("stopped", "failed", "done")
        self.query_one("#rows").display = self.has_rows
        self.query_one("#busy").display = self._busy and self.stage == "ready"
        self._tick()
        if self.stage != "ready":
            self.query_one("#body", VerticalScroll).scroll_end(animate=False)

    def _tick(self) -> None:
        told = {"ready": "Nothing has been sent yet.", "stopped": "Stopped.", "failed": "Failed.", "done": "Done."}
        now = time.monotonic()
        words = told.get(self.stage) or f"{self.progress(now - self._told_at)} … {elapsed(now - self._since)}"
        self.query_one("#status", Static).update(words)
        self.query_one("#keys", Static).update(self.keys())

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense now."""
        if action == "start":
            return self.stage in ("ready", "stopped", "failed")
        return self.has_rows if action == "copy" else True

    def action_start(self) -> None:
        """Begin; also anew."""
        self.forget()
        self._problem = None
        self._since = self._told_at = time.monotonic()
        self.stage = "running"
        self.post_message(self.intent())

    def action_leave(self) -> None:
        """Stop what runs; if nothing does, close."""
        if self.stage == "running":
            self.stage = "stopped"
            self.post_message(StopExperiment())
        else:
            self.dismiss(None)

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        self.app.copy_to_clipboard(clean(self.report()))
        self.notify("Copied.")

    def action_scroll(self, lines: int) -> None:
        """Line by line, as in a list."""
        self.query_one("#body", VerticalScroll).scroll_relative(y=lines, animate=False)


def content(lines: Iterable[Line]) -> Content:
    """Lines in the theme's colours."""
    return Content("\n").join(
        [Content.assemble(*((text, LOOKS.get(tone, "")) for text, tone in line)) for line in lines]
    )


def as_text(lines: Iterable[Line]) -> str:
    """Lines as they are copied."""
    return "\n".join(plain(line).rstrip() for line in lines)
