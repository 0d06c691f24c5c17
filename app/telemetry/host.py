"""The host's CPU and memory, by psutil."""

import warnings

import psutil

from lmdeck.model.machine import HostSample
from lmdeck.telemetry.processes import LMStudioProcesses

# Kernels without swap have no swap traffic either; only that is missing, and it is not used here.
warnings.filterwarnings("ignore", "'sin' and 'sout' swap memory stats", RuntimeWarning)


class Host:
    """This machine. CPU figures are means since the reading before; the first is 0."""

    def __init__(self, processes: LMStudioProcesses) -> None:
        self._processes = processes

    def sample(self) -> HostSample:
        """CPU (all cores = 100), RAM that is not available to others, swap, LM Studio's part of CPU and RAM, and its
        engines one by one; their VRAM is as the last reading of the GPUs told it."""
        memory = psutil.virtual_memory()
        swap_used, swap_total = _swap()
        usage = self._processes.usage()
        return HostSample(
            cpu=psutil.cpu_percent(),
            ram_used=memory.total - memory.available,
            ram_total=memory.total,
            swap_used=swap_used,
            swap_total=swap_total,
            lmstudio_cpu=usage.cpu if usage else None,
            lmstudio_rss=usage.rss if usage else None,
            engines=self._processes.engines(),
        )


def _swap() -> tuple[int, int]:
    """Used and total bytes; 0 and 0 where there is none or it cannot be read."""
    try:
        swap = psutil.swap_memory()
    except (OSError, RuntimeError, psutil.Error):
        return 0, 0
    return swap.used, swap.total
