"""The deck's own words: notices over the screen, remarks in the log."""

import time
from collections.abc import Sequence

from textual.app import App
from textual.notifications import SeverityLevel

from lmdeck.model.history import LoadRecord
from lmdeck.model.log import DeckNote
from lmdeck.model.problem import Problem
from lmdeck.model.text import clean
from lmdeck.model.timeline import Happening
from lmdeck.model.units import size
from lmdeck.widgets.log_pane import LogPane

_LOUD: dict[str, SeverityLevel] = {
    "collapsed": "error",
    "crashed": "error",
    "evicted": "warning",
    "restarted": "warning",
    "changed": "warning",
}
"""What happens on its own and hurts is told at once; everything else waits in the history."""
_LONG_S = 12


class Notices:
    """Tells the user. Everything is cleaned here and shown as plain text."""

    def __init__(self, app: App[None], log: LogPane) -> None:
        self._app, self._log = app, log

    def tell(self, words: str, *, title: str = "", severity: SeverityLevel = "information", timeout: float = 4) -> None:
        """A notice."""
        self._app.notify(clean(words), title=clean(title), severity=severity, timeout=timeout, markup=False)

    def problem(self, title: str, problem: Problem) -> None:
        """A notice with the server's words and the next step."""
        self.tell(problem.lines, title=title, severity="error", timeout=_LONG_S)

    def note(self, problem: Problem | None) -> None:
        """A remark in the log: what is wrong, and on a line of its own what to do."""
        if problem is not None:
            words = filter(None, (problem.sentence, problem.next_step))
            self._log.extend([DeckNote(time.time(), line, level="warn") for line in words])

    def weighed(self, record: LoadRecord) -> None:
        """What a load really took, in the log."""

        def part(name: str, amount: int | None) -> str:
            return "" if amount is None else f"{name} {size(amount)}"

        measured = ", ".join(filter(None, (part("GPU", record.measured_gpu), part("RAM", record.measured_ram))))
        predicted = ", ".join(filter(None, (part("GPU", record.predicted_gpu), part("RAM", record.predicted_ram))))
        words = f"{record.instance_id} takes {measured or 'an unknown amount'}; predicted {predicted or 'nothing'}"
        self._log.extend([DeckNote(record.at, words)])

    def happened(self, happenings: Sequence[Happening]) -> None:
        """Everything goes into the log; what hurts is also a notice."""
        for one in happenings:
            loud = _LOUD.get(one.kind)
            told_by = f" ({one.evidence})" if one.evidence not in ("", "this deck") else ""
            words = f"{one.instance_id}: {one.words}{told_by}"
            level = "warn" if loud or one.kind == "load failed" else "info"
            self._log.extend([DeckNote(one.at or time.time(), words, level=level)])
            if loud:
                lines = [one.words, one.evidence]
                if one.kind == "collapsed":
                    proven = "proven" in one.words
                    lines.append(f"R in Loaded reloads it at a size that fits{'' if proven else ', v proves it'}.")
                self.tell("\n".join(filter(None, lines)), title=one.instance_id, severity=loud, timeout=_LONG_S)
