"""The doctor's page: how every part is, as the checks come, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from lmdeck.model.finding import MARKS, PART_CELLS, Finding, Health, report, verdict
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Intent
from lmdeck.widgets.paint.line import Line, Span, Tone, wrap
from lmdeck.widgets.painting import Painting

_TONES: Final[Mapping[Health, Tone]] = {"ok": "good", "unknown": "muted", "warn": "warn", "fail": "bad"}
_INDENT: Final = PART_CELLS + 3


class DoctorScreen(Dialog[None]):
    """Asks for the checks when it opens and on `r` (`CheckWanted`); `begin`, `show` and `end` tell of them."""

    BINDING_GROUP_TITLE = "Doctor"
    BINDINGS = [
        Binding("r", "again", "Again", id="doctor.again", tooltip="Check everything again"),
        Binding("y", "copy", "Copy", id="doctor.copy", tooltip="Copy the findings as text; no token is in them"),
        Binding("j", "scroll(1)", "Down", show=False, id="doctor.down", tooltip="One line down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="doctor.up", tooltip="One line up"),
        Binding("escape,q", "close", "Close", id="doctor.close", tooltip="Back to the deck"),
    ]
    DEFAULT_CSS = """
    DoctorScreen {
        #body { height: 1fr; scrollbar-size-vertical: 1; }
        #status { height: auto; max-height: 3; }
    }
    """

    class CheckWanted(Intent):
        """Every part is to be looked at, from the first."""

    def __init__(self) -> None:
        super().__init__()
        self._findings: tuple[Finding, ...] = ()
        self._painting = Painting(id="findings")

    def compose(self) -> ComposeResult:
        """Title, findings, how far it is, the keys."""
        with Vertical(classes="dialog dialog-page"):
            yield Static("Doctor", classes="dialog-title", markup=False)
            with VerticalScroll(id="body"):
                yield self._painting
            yield Static(id="status", markup=False)
            yield Static("r again   y copy   j k scroll   Esc close", classes="dialog-keys", markup=False)

    def on_mount(self) -> None:
        """The keys scroll; the checks begin."""
        self.set_focus(self.query_one("#body"))
        self.action_again()

    # The checks

    def begin(self) -> None:
        """They start from the first."""
        self._findings = ()
        self._tell("Looking …")

    def show(self, finding: Finding) -> None:
        """One more is there."""
        self._findings += (finding,)
        self._tell(f"Looked at {finding.part}, going on …")

    def end(self) -> None:
        """That was the last one."""
        self._tell(verdict(self._findings))

    def _tell(self, status: str) -> None:
        self._painting.show(self._lines)
        self.query_one("#status", Static).update(status)
        self.query_one("#body", VerticalScroll).scroll_end(animate=False)

    def _lines(self, cells: int) -> Sequence[Line]:
        return [line for finding in self._findings for line in _drawn(finding, cells)]

    # Keys

    def action_again(self) -> None:
        """Everything anew."""
        self.post_message(self.CheckWanted())

    def action_copy(self) -> None:
        """To the clipboard, through the terminal (OSC 52)."""
        lines = [line for finding in self._findings for line in report(finding)]
        self.app.copy_to_clipboard("\n".join([*lines, verdict(self._findings)]))
        self.notify("Copied.", timeout=2)

    def action_scroll(self, lines: int) -> None:
        """Line by line, as in a list."""
        self.query_one("#body", VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)


def _drawn(finding: Finding, cells: int) -> Iterator[Line]:
    """Mark, part and words, and below them what to do; whatever is long goes on under its own beginning."""
    room = max(cells - _INDENT, 20)
    first, *more = wrap(finding.words, room) or [""]
    yield (
        Span(f"{MARKS[finding.state]} ", _TONES[finding.state]),
        Span(f"{finding.part:<{PART_CELLS}} ", "strong"),
        Span(first),
    )
    blank = Span(" " * _INDENT)
    yield from ((blank, Span(line)) for line in more)
    for number, line in enumerate(wrap(finding.next_step, room - 2)):
        yield blank, Span("→ " if number == 0 else "  ", "accent"), Span(line, "accent")
