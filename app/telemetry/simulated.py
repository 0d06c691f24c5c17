"""A GPU for machines without one, in the demo: it shows what the gauges look like and invents nothing."""

import psutil

from lmdeck.model.machine import Gpu, GpuSample
from lmdeck.telemetry.processes import LMStudioProcesses

NAME = "Simulated GPU (demo engine's RAM)"
VRAM = 24 * 2**30


class SimulatedGpu:
    """One GPU whose memory is the RAM that the demo's engine processes really hold, and whose utilisation is the
    CPU they really use. Everything else is not known."""

    def __init__(self, processes: LMStudioProcesses) -> None:
        self._processes = processes
        self._host_ram = psutil.virtual_memory().total

    def sample(self) -> GpuSample:
        """The engines' processes, without the demo server's own."""
        usage = self._processes.usage(without_root=True)
        self._processes.vram = {pid: used.rss for pid, used in self._processes.by_pid().items()}
        held = usage.rss if usage else 0
        gpu = Gpu(
            index=0,
            name=NAME,
            vram_used=held,
            vram_total=VRAM if held <= VRAM else max(self._host_ram, held),
            vram_lmstudio=held,
            utilisation=min(100.0, usage.cpu) if usage else 0.0,
            simulated=True,
        )
        return GpuSample((gpu,))

    def close(self) -> None:
        """Nothing is held open."""
