"""Everything known about one instance: what was asked, said, allocated and proven, and whose memory it takes."""

import time
from collections.abc import Iterable

from lmdeck.estimate.calibrate import errors
from lmdeck.model.allocation import Allocation
from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.history import LoadRecord
from lmdeck.model.machine import EngineProcess
from lmdeck.model.rows import LoadedRow
from lmdeck.model.timeline import Happening
from lmdeck.model.units import UNKNOWN, percent, size

Fact = tuple[str, str]
_MARKS = {"agree": "✓ the values agree", "unknown": "? only reported: v proves it", "collapsed": "✗ collapsed"}


def instance_facts(row: LoadedRow) -> list[Fact]:
    """The row's facts, the context's four values first."""
    facts = [*_context_facts(row.context), ("slots", UNKNOWN if row.slots is None else str(row.slots))]
    if row.allocation is not None:
        facts += _allocation_facts(row.allocation)
    if row.engine is not None:
        facts += _engine_facts(row.engine)
    if row.spill:
        facts.append(("spilling?", row.spill))
    if row.duplicate:
        facts.append(("copies", "the same model is in memory more than once: u unloads this one"))
    return facts


def _context_facts(reading: ContextReading) -> list[Fact]:
    proof = reading.proof
    proven = "nobody tried: v does" if proof is None else f"{proof.tokens} tokens went in whole"
    if proof is not None and proof.refused is not None:
        proven += f", {proof.refused} did not"
    facts = [
        ("context", _MARKS[reading.mark] if reading.promised else UNKNOWN),
        ("  requested", _claim(reading.requested)),
        ("  reported", ", ".join(map(_claim, reading.reports)) or _claim(reading.reported)),
        ("  allocated", _claim(reading.allocated)),
        ("  proven", proven),
    ]
    return [*facts, ("  likely reason", reading.reason)] if reading.reason else facts


def _claim(claim: Claim | None) -> str:
    return f"{UNKNOWN} nobody has said" if claim is None else f"{claim.tokens} ({claim.source})"


def _allocation_facts(found: Allocation) -> list[Fact]:
    """The runtime's own figures."""
    sizes = (
        ("weights", found.weights_bytes),
        ("KV cache", found.kv_bytes),
        ("recurrent state", found.recurrent_bytes),
        ("compute", found.compute_bytes),
        ("output", found.output_bytes),
    )
    facts = [(f"  {name}", size(amount)) for name, amount in sizes if amount]
    cache = {True: "one cache for all slots", False: "divided among the slots", None: ""}[found.unified]
    slots = ", ".join(filter(None, (f"{found.slots} slots" if found.slots else "", cache)))
    build = f"llama.cpp b{found.build}" if found.build else ""
    layers = f"{found.gpu_layers} of {found.layers}" if found.layers is not None else ""
    told = [("  n_ctx", str(found.n_ctx or "")), ("  cache", slots), ("  layers on GPU", layers), ("  build", build)]
    head = [("runtime log", f"pid {found.pid}" if found.pid else "of this load")]
    return head + [fact for fact in told if fact[1]] + facts


def _engine_facts(engine: EngineProcess) -> list[Fact]:
    vram = "VRAM not told by the driver" if engine.vram is None else f"VRAM {size(engine.vram)}"
    return [("process", f"{engine.name} {engine.pid}: {vram}, RAM {size(engine.rss)}, CPU {percent(engine.cpu)}")]


def record_facts(records: Iterable[LoadRecord]) -> list[Fact]:
    """Earlier loads: predicted, LM Studio's and measured side by side."""
    return [(_when(record.at), _record(record)) for record in records]


def _record(record: LoadRecord) -> str:
    on_gpu = record.measured_gpu is not None
    where = "GPU" if on_gpu else "RAM"
    told = (
        (f"predicted {where}", record.predicted_gpu if on_gpu else record.predicted_ram),
        ("LM Studio", record.lmstudio_gpu if on_gpu else record.lmstudio_total),
        (f"measured {where}", record.measured_gpu if on_gpu else record.measured_ram),
    )
    off = errors(record)
    return " · ".join(
        [
            f"context {record.settings.context_length or 'default'}",
            *(f"{name} {size(amount)}" for name, amount in told),
            *([f"ours {off.ours:+.0%}"] if off.ours is not None else []),
            *([f"LM Studio's {off.lmstudio:+.0%}"] if off.lmstudio is not None else []),
        ]
    )


def story(happenings: Iterable[Happening]) -> str:
    """A timeline as text, the newest first: when, what, who, and what tells it."""
    lines = []
    for one in reversed(tuple(happenings)):
        evidence = f"  [{one.evidence}]" if one.evidence not in ("", "this deck") else ""
        lines.append(f"{_when(one.at)}  {one.kind:<11}  {one.instance_id}: {one.words}{evidence}")
    return "\n".join(lines)


def _when(at: float) -> str:
    return time.strftime("%m-%d %H:%M:%S", time.localtime(at))
