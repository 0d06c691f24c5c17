"""Who came and went: one entry a change, told apart by the evidence."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "loaded", "JIT loaded", "unloaded", "TTL expired", "evicted", "crashed", "load failed", "restarted", "changed",
    "collapsed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """`at` is Unix time; `words` says what happened and by whom, `evidence` what tells it (`server log: …`, `TTL
    arithmetic`, `this deck`); empty when there is none, and then `words` claims nothing."""

    at: float
    kind: Kind
    model_key: str
    instance_id: str
    words: str
    evidence: str = ""
