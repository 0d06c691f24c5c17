"""A context length by who says it: what was asked for, what the API repeats, what the runtime's log says was allocated,
and what an experiment proved. Lengths are tokens that one request can use."""

from dataclasses import dataclass
from typing import Literal

Mark = Literal["agree", "unknown", "collapsed"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A number of tokens and, in words, where it comes from: `this deck`, `server log`, `/api/v1/models` …"""

    tokens: int
    source: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What an experiment showed. `tokens` is the largest prompt (input tokens) that went in whole; `refused` the size
    of the smallest one that did not, None when nothing up to the promised context was refused; `how` is in words."""

    tokens: int
    refused: int | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class ContextReading:
    """The four values of one instance, each absent until somebody says it; `reason` is the likely cause where they
    contradict each other."""

    requested: Claim | None = None
    reported: Claim | None = None
    allocated: Claim | None = None
    proof: Proof | None = None
    reason: str = ""
    reports: tuple[Claim, ...] = ()
    """Everything that the server's interfaces report; `reported` is one of them."""

    @property
    def promised(self) -> Claim | None:
        """What the user counts on: what was asked for, else what the API says."""
        return self.requested or self.reported

    @property
    def real(self) -> Claim | None:
        """The best evidence of what there is. An experiment beats the log, and the log beats the API."""
        if self.proof is not None:
            whole = self.promised if self.proof.refused is None else None
            return Claim(max(self.proof.tokens, whole.tokens if whole else 0), "proven")
        if self.allocated is not None:
            return self.allocated
        return self.reported if self.requested is not None else None

    @property
    def collapse(self) -> tuple[Claim, Claim] | None:
        """What was promised and the smaller thing that there is, when the two contradict each other; else None."""
        promised, real = self.promised, self.real
        if promised is None or real is None or real.tokens >= promised.tokens:
            return None
        return promised, real

    @property
    def mark(self) -> Mark:
        """`agree` needs the runtime's word or a proof: the API alone proves nothing."""
        if self.collapse is not None:
            return "collapsed"
        return "agree" if self.promised is not None and (self.allocated or self.proof) else "unknown"

    @property
    def notice(self) -> str | None:
        """`context collapsed: 32768 requested, 8192 allocated`; None while nothing contradicts."""
        if (collapse := self.collapse) is None:
            return None
        promised, real = collapse
        asked = "requested" if self.requested is not None else "reported"
        got = "proven" if self.proof is not None else "allocated" if self.allocated is not None else "reported"
        return f"context collapsed: {promised.tokens} {asked}, {real.tokens} {got}"


UNREAD = ContextReading()
