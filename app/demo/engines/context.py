"""What becomes of the context that was asked for: the truth, and the untruths of the context faults."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lmdeck.demo.faults import Faults

SHORT = 8192
"""What is left of a longer context, in tokens."""
DRIFT = 4096
"""What it loses at the first prompt."""
REAL_FAULTS = frozenset({"context_collapse", "context_mislabel"})
"""Those that a real engine can have."""


@dataclass(slots=True)
class Context:
    """Tokens of context: as asked, as the runtime's log tells (`allocated`), as prompts really find it (`usable`), and
    as the API says (`reported`). `cuts`: a prompt that is longer than `usable` is cut instead of refused."""

    asked: int
    allocated: int
    usable: int
    reported: int
    cuts: bool = False
    drifts: bool = False

    @property
    def room(self) -> int:
        """What a prompt, after any cutting, and its answer may take together."""
        return self.allocated if self.cuts else self.usable

    def meet_prompt(self) -> bool:
        """To be called for each prompt; whether this one made the context shrink."""
        shrinks, self.drifts = self.drifts, False
        if shrinks:
            self.allocated = self.usable = self.reported = max(self.asked - DRIFT, self.asked // 2)
        return shrinks


def short(asked: int) -> int:
    """A smaller context: 8192 tokens, or a quarter of what was asked (as llama.cpp rounds, to 256) if that is less."""
    return min(asked, SHORT if asked > SHORT else max(256, asked // 4 // 256 * 256))


def arrange(asked: int, longest: int, faults: Faults, only: Collection[str] | None = None) -> Context:
    """The context of one load, and the fault that strikes it; `longest` is the model's own, `only` the faults that
    this engine can have."""
    context = Context(asked, asked, asked, asked)
    names = ("context_collapse", "context_deny", "context_mislabel", "context_drift", "context_truncate")
    fault = next((name for name in names if (only is None or name in only) and faults.take(name)), None)
    if fault == "context_collapse":
        context.allocated = context.usable = short(asked)
    elif fault == "context_deny":
        context.usable = short(asked)
    elif fault == "context_mislabel":
        context.reported = longest
    elif fault == "context_truncate":
        context.usable, context.cuts = short(asked), True
    context.drifts = fault == "context_drift"
    return context
