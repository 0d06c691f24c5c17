"""The dialog of `v`: what proving a context costs, the probes as they come, the verdict."""

from lmdeck.experiments.verify import cost, seconds_left
from lmdeck.model.experiment import Probe, Verified, VerifyPlan
from lmdeck.model.text import one_line
from lmdeck.model.units import UNKNOWN, elapsed
from lmdeck.screens.experiment_dialog import ExperimentDialog, Step, as_text
from lmdeck.screens.intents import Intent, Verify
from lmdeck.widgets.paint.line import Line, Span

_HEADINGS = ("    SIZE", " COUNTED", "SECONDS", "  TOK/S", "NEEDLE", "RESULT")


class VerifyDialog(ExperimentDialog):
    """Posts `Verify` on Enter. `promised_source` says who promised the plan's context; `busy`: others would wait."""

    BINDING_GROUP_TITLE = "Verify context"

    def __init__(self, plan: VerifyPlan, *, busy: bool, promised_source: str) -> None:
        super().__init__(f"Verify context of {plan.instance_id}", _intro(plan, promised_source), busy=busy)
        self._plan = plan
        self._probes: tuple[Probe, ...] = ()
        self._verified: Verified | None = None

    def intent(self) -> Intent:
        """The plan as it is shown."""
        return Verify(self._plan)

    def take(self, step: Step) -> bool:
        """Probes, then the verdict."""
        if isinstance(step, Probe):
            self._probes += (step,)
        elif isinstance(step, Verified):
            self._verified = step
        return isinstance(step, Verified)

    def forget(self) -> None:
        """Begin anew."""
        self._probes, self._verified = (), None

    def rows(self) -> list[Line]:
        """A row a probe, the server's words under it."""
        return probe_lines(self._probes)

    def verdict(self) -> str:
        """Its words."""
        return self._verified.words if self._verified else ""

    def progress(self, waiting_s: float) -> str:
        """Which prompt, and how long the rest will take once that is known."""
        left = seconds_left(self._plan, self._probes)
        told = "" if left is None or left <= waiting_s else f", about {elapsed(left - waiting_s)} left"
        return f"Prompt {len(self._probes) + 1}{told}"

    def report(self) -> str:
        """Everything as text."""
        parts = (self._title, self._intro, as_text(self.rows()), self.verdict())
        return "\n\n".join(part for part in parts if part)


def _intro(plan: VerifyPlan, promised_source: str) -> str:
    prompts, tokens = cost(plan)
    source = f" ({one_line(promised_source, 60)})" if promised_source else ""
    sizes = ", ".join(str(size) for size in plan.sizes)
    if plan.seconds is None:
        time = "How long that takes, the first prompts will tell."
    else:
        time = f"That takes at most about {elapsed(plan.seconds)}, at {plan.tokens_per_second:.0f} tok/s."
    return (
        f"Promised: {plan.context} tokens{source}.\n"
        f"Sends {prompts} prompts, about {tokens} tokens: two tiny ones, then {sizes}. A code word stands at the start "
        f"of each and is asked for at its end. If one is refused, a few more find the limit.\n{time}"
    )


def probe_lines(probes: tuple[Probe, ...]) -> list[Line]:
    """A table of probes; nothing before the first one."""
    if not probes:
        return []
    lines: list[Line] = [(Span("  ".join(_HEADINGS), "muted"),)]
    for probe in probes:
        speed = probe.counted / probe.took_s if probe.counted and probe.took_s > 0 and probe.passed else None
        cells = (
            str(probe.sent),
            UNKNOWN if probe.counted is None else str(probe.counted),
            f"{probe.took_s:.1f}",
            UNKNOWN if speed is None else f"{speed:.0f}",
            {True: "✓", False: "✗", None: UNKNOWN}[probe.needle].center(len("NEEDLE")),
        )
        row = "  ".join(cell.rjust(len(heading)) for cell, heading in zip(cells, _HEADINGS, strict=False))
        result, good = _result(probe)
        lines.append((Span(f"{row}  "), Span(result, "good" if good else "bad")))
        if probe.refusal:
            lines.append((Span(f"  {one_line(probe.refusal, 300)}", "muted"),))
    return lines


def _result(probe: Probe) -> tuple[str, bool]:
    if not probe.passed:
        return ("refused" if probe.counted is None else "cut"), False
    if probe.silent:
        return "no answer", False
    return ("needle lost", False) if probe.needle is False else ("went in", True)
