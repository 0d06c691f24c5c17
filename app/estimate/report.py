"""An estimate as `lmdeck estimate` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lmdeck.model.confidence import LMSTUDIOS
from lmdeck.model.estimate import Estimate
from lmdeck.model.outlook import LmsFigure
from lmdeck.model.text import one_line
from lmdeck.model.units import size

_BY_PART = (
    "kv_bytes", "recurrent_bytes", "compute_bytes", "compute_range_bytes", "weights_bytes", "copied_bytes",
    "projector_bytes", "output_bytes",
)  # fmt: skip


def record(found: Estimate, source: str) -> dict[str, object]:
    """For programs: integers in bytes."""
    places = {
        place: {
            "weights_bytes": share.weights,
            "kv_bytes": share.kv,
            "recurrent_bytes": share.recurrent,
            "compute_bytes": share.compute,
            "output_bytes": share.output,
            "total_bytes": share.total,
        }
        for place, share in (("gpu", found.gpu), ("ram", found.ram))
    }
    return {
        "kv_bytes": found.kv_bytes,
        "recurrent_bytes": found.recurrent_bytes,
        "compute_bytes": found.compute_bytes,
        "compute_range_bytes": list(found.compute_range_bytes),
        "weights_bytes": found.weights_bytes,
        "copied_bytes": found.copied_bytes,
        "projector_bytes": found.projector_bytes,
        "output_bytes": found.output_bytes,
        "total_bytes": found.total_bytes,
        "n_ctx": found.n_ctx,
        "n_ctx_seq": found.n_ctx_seq,
        "gpu_layers": found.gpu_layers,
        "layers": found.layers,
        **places,
        "confidence": found.confidence,
        "source": one_line(source),
        "notes": list(found.notes),
    }


def table(found: Estimate, source: str) -> Iterator[str]:
    """For people: a line each."""
    low, high = found.compute_range_bytes
    gpu, ram = found.gpu, found.ram
    yield f"{'':<10} {'GPU':>12} {'RAM':>12} {'together':>12}"
    for name, there, here in (
        ("weights", gpu.weights, ram.weights),
        ("KV cache", gpu.kv, ram.kv),
        ("recurrent", gpu.recurrent, ram.recurrent),
        ("compute", gpu.compute, ram.compute),
        ("output", gpu.output, ram.output),
        ("total", gpu.total, ram.total),
    ):
        yield f"{name:<10} {size(there):>12} {size(here):>12} {size(there + here):>12}"
    yield ""
    yield f"context     {found.n_ctx} tokens, {found.n_ctx_seq} in a slot"
    yield f"layers      {found.gpu_layers} of {found.layers} on the GPU"
    yield f"compute     {size(low)} to {size(high)}"
    yield f"confidence  {found.confidence} ({one_line(source)})"
    yield from (f"note        {one_line(note)}" for note in found.notes)


def figure_record(found: LmsFigure, source: str, notes: Sequence[str]) -> dict[str, object]:
    """LM Studio's own figure under the same names; null for the parts that it does not tell."""
    whole, gpu = found.total_bytes, found.gpu_bytes
    unknown = dict.fromkeys(("n_ctx", "n_ctx_seq", "gpu_layers", "layers"))
    return {
        **dict.fromkeys(_BY_PART),
        "total_bytes": whole,
        **unknown,
        "gpu": {"total_bytes": gpu},
        "ram": {"total_bytes": None if whole is None or gpu is None else max(whole - gpu, 0)},
        "confidence": LMSTUDIOS,
        "source": one_line(source),
        "notes": list(notes),
    }


def figure_table(found: LmsFigure, source: str, notes: Sequence[str]) -> Iterator[str]:
    """LM Studio's own figure for people."""
    yield f"GPU         {size(found.gpu_bytes)}"
    yield f"together    {size(found.total_bytes)}"
    yield f"confidence  {LMSTUDIOS} ({one_line(source)})"
    yield from (f"note        {note}" for note in notes)
