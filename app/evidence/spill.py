"""Has a model spilled from the GPU's memory into RAM, where it runs many times slower?"""

from collections.abc import Iterable

from lmdeck.model.machine import Gpu

FULL = 0.97
"""The part of the VRAM in use from which a driver may put more of it into RAM."""
BUSY_LINK = 10**9
"""Bytes per second: a model that is whole on the GPU needs far less over PCIe to generate."""


def spill_hint(gpus: Iterable[Gpu], *, busy: bool, gpu_layers: int | None, layers: int | None, wanted_all: bool) -> str:
    """A sentence when a model seems to run partly from RAM; empty when nothing says so.

    `gpu_layers` of `layers` are on the GPU by the runtime's log (None: not told); `wanted_all` says that all of them
    were asked for; `busy` that it generates now, which alone explains no traffic to the GPU.
    """
    if wanted_all and gpu_layers is not None and layers is not None and 0 <= gpu_layers < layers:
        are = "is" if gpu_layers == 1 else "are"
        return f"{gpu_layers} of {layers} layers {are} on the GPU: the rest runs from RAM"
    traffic = max((gpu.pcie_rx or 0 for gpu in gpus if _full(gpu)), default=0)
    if busy and traffic >= BUSY_LINK:
        return (
            f"VRAM is full and {traffic / 1e9:.1f} GB/s come over PCIe while it generates: it may have spilled into RAM"
        )
    return ""


def _full(gpu: Gpu) -> bool:
    return bool(gpu.vram_used and gpu.vram_total and gpu.vram_used >= FULL * gpu.vram_total and not gpu.simulated)
