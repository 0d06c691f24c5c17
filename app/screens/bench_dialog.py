"""The dialog of `b`: how many requests at once bring more tokens."""

from textual.binding import Binding

from lmdeck.experiments.bench import ANSWER_TOKENS
from lmdeck.experiments.report import as_markdown, conclusion
from lmdeck.model.experiment import BenchLevel, BenchResult
from lmdeck.model.text import one_line
from lmdeck.screens.experiment_dialog import ExperimentDialog, Step, as_text
from lmdeck.screens.intents import Benchmark, Export, Intent
from lmdeck.widgets.paint.bench import chart, table
from lmdeck.widgets.paint.line import Line, Span

_WIDEST = 104
_AROUND = 8
"""Border, padding and the scrollbar of the dialog, in cells."""


class BenchDialog(ExperimentDialog):
    """Posts `Benchmark` on Enter and `Export` on `x`. `slots` is the instance's `parallel`, None where nobody tells."""

    BINDING_GROUP_TITLE = "Benchmark"
    BINDINGS = [
        Binding("x", "export", "Export", id="bench.export", tooltip="Write the result as Markdown and JSON files"),
    ]

    def __init__(self, instance_id: str, slots: int | None, levels: tuple[int, ...], *, busy: bool) -> None:
        super().__init__(f"Benchmark {instance_id}", _intro(slots, levels), busy=busy)
        self._instance_id, self._at_once = instance_id, levels
        self._levels: tuple[BenchLevel, ...] = ()
        self._result: BenchResult | None = None

    def intent(self) -> Intent:
        """These levels."""
        return Benchmark(self._instance_id, self._at_once)

    def take(self, step: Step) -> bool:
        """Levels, then the result."""
        if isinstance(step, BenchLevel):
            self._levels += (step,)
        elif isinstance(step, BenchResult):
            self._result, self._levels = step, step.levels
        return isinstance(step, BenchResult)

    def forget(self) -> None:
        """Begin anew."""
        self._levels, self._result = (), None

    def rows(self) -> list[Line]:
        """Table, the words of what failed, bars."""
        if not self._levels:
            return []
        words = [
            f"{level.concurrency} at once: {one_line(level.refusal, 300)}" for level in self._levels if level.refusal
        ]
        cells = min(_WIDEST, int(self.app.size.width * 0.96)) - _AROUND
        effective = self._result.effective if self._result else None
        failures = [(Span(each, "bad"),) for each in words]
        title = Span("All tokens per second, by requests at once; each: a single request's", "muted")
        return [*table(self._levels), *failures, (), (title,), *chart(self._levels, cells, effective)]

    def verdict(self) -> str:
        """Where it stops scaling."""
        return conclusion(self._result) if self._result else ""

    def progress(self, waiting_s: float) -> str:
        """Which level."""
        done = len(self._levels)
        return f"{self._at_once[done]} at once" if done < len(self._at_once) else "Finishing"

    def report(self) -> str:
        """Markdown; before the end the rows so far."""
        return as_markdown(self._result) if self._result else f"{self._title}\n\n{as_text(self.rows())}"

    def keys(self) -> str:
        """The result can be exported."""
        return f"x export   {super().keys()}" if self.stage == "done" else super().keys()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is exported before there is a result."""
        return self._result is not None if action == "export" else super().check_action(action, parameters)

    def action_export(self) -> None:
        """Write files."""
        if self._result is not None:
            self.post_message(Export(self._result))


def _intro(slots: int | None, levels: tuple[int, ...]) -> str:
    told = "this instance does not say" if slots is None else f"this instance reports {slots}"
    steps = ", ".join(str(level) for level in levels)
    return (
        f"Slots (parallel): how many requests the engine works on at once, all in one KV cache; {told}.\n"
        "API concurrency (Max concurrent requests): how many requests LM Studio lets through at once. It is set in its "
        "window only, and no API tells it. What is measured is the smaller of the two at work.\n"
        f"Sends one request to warm up, then {steps} at once: {sum(levels) + 1} short answers of up to {ANSWER_TOKENS} "
        "tokens each."
    )
