"""What the commands know as JSON objects; `docs/schema/` documents them. What is not known is null."""

from collections.abc import Callable
from dataclasses import asdict

from lmdeck.model.catalog import Model
from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.machine import Gpu, HostSample
from lmdeck.model.rows import LoadedRow

Record = dict[str, object]


def instance_record(row: LoadedRow, wall: Callable[[float], int]) -> Record:
    """A line of `ps`; `wall` turns monotonic seconds into Unix time."""
    return {
        "instance": row.id,
        "model": row.model_key,
        "state": row.state,
        "context": context_record(row.context),
        "slots": row.slots,
        "queued": row.queue,
        "expires_at": None if row.ttl_deadline is None else wall(row.ttl_deadline),
        "size_bytes": row.size_bytes,
    }


def context_record(reading: ContextReading) -> Record:
    """Who says what about a context, in tokens, and what that adds up to."""
    proof = reading.proof
    return {
        "mark": reading.mark,
        "requested": _claim(reading.requested),
        "reported": _claim(reading.reported),
        "allocated": _claim(reading.allocated),
        "proven": None if proof is None else {"tokens": proof.tokens, "refused": proof.refused, "how": proof.how},
        "collapse": reading.notice,
        "reason": reading.reason or None,
    }


def _claim(claim: Claim | None) -> Record | None:
    return None if claim is None else asdict(claim)


def model_record(model: Model) -> Record:
    """A line of `ls`."""
    able = model.capabilities
    return {
        "model": model.key,
        "type": model.type,
        "name": model.display_name,
        "publisher": model.publisher,
        "architecture": model.architecture,
        "parameters": model.params,
        "quantization": model.quantization,
        "format": model.format,
        "size_bytes": model.size_bytes,
        "max_context": model.max_context_length,
        "vision": able.vision,
        "tools": able.tools,
        "reasoning": list(able.reasoning),
        "instances": [instance.id for instance in model.instances],
    }


def gpu_record(gpu: Gpu) -> Record:
    """One GPU. Bytes, per cent, °C, watts, MHz."""
    names = (
        "index", "name", "vram_used", "vram_total", "vram_lmstudio", "utilisation", "temperature", "power",
        "power_limit", "fan", "clock_sm", "clock_memory", "pcie_rx", "pcie_tx", "simulated",
    )  # fmt: skip
    return {
        **{name: getattr(gpu, name) for name in names},
        "holders": [asdict(holder) for holder in gpu.holders],
        "problem": gpu.problem.sentence if gpu.problem else None,
    }


def host_record(host: HostSample) -> Record:
    """The host and LM Studio's engines on it. Bytes, and per cent of the whole machine."""
    names = ("cpu", "ram_used", "ram_total", "swap_used", "swap_total", "lmstudio_cpu", "lmstudio_rss")
    engines = [
        {
            "pid": one.pid,
            "name": one.name,
            "cpu": one.cpu,
            "rss": one.rss,
            "vram": one.vram,
            "model_path": one.model_path,
        }
        for one in host.engines
    ]
    return {**{name: getattr(host, name) for name in names}, "engines": engines}
