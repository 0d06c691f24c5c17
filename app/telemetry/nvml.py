"""NVIDIA's GPUs by NVML (`nvidia-ml-py`). Every single value may be unsupported: absent is normal.

NVML is asked at one place, `Nvml._ask`. A value that this card, driver or user has no right to is None; trouble with
the whole card or driver is a Problem in words. Sampling goes on: NVML is started anew every RETRY_S, so that a
driver that returns is seen.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

from lmdeck.model.machine import Gpu, GpuSample, Holder
from lmdeck.model.problem import Problem
from lmdeck.model.text import one_line
from lmdeck.telemetry.processes import LMStudioProcesses, process_name

RETRY_S = 10.0
MOST_HOLDERS = 8

NO_LIBRARY = Problem(
    "NVML library not found (no NVIDIA driver)",
    "",
    "Nothing to do without an NVIDIA GPU; with one, install its driver.",
)
NO_DRIVER = Problem("NVIDIA driver not loaded", "", "Load the kernel module (`nvidia-smi` tells more) or reboot.")
MISMATCH = Problem(
    "NVIDIA driver/library version mismatch",
    "",
    "The driver was updated while it was running: reboot, start lmdeck anew.",
)
NO_PERMISSION = Problem(
    "permission denied by the NVIDIA driver", "", "Join the group that owns /dev/nvidia* (`video`)."
)
NO_GPU = Problem(
    "no NVIDIA GPU", "The driver runs but finds none.", "Check the power and the slot, or the container's --gpus."
)
LOST = Problem("GPU lost", "It does not answer the driver any more.", "Reset it (`nvidia-smi -r`) or reboot.")
NEEDS_RESET = Problem("GPU needs a reset", "", "Reset it (`nvidia-smi -r`) or reboot.")

T = TypeVar("T")


class _Trouble(Exception):
    """The card, or NVML as a whole, cannot be read."""

    def __init__(self, problem: Problem, *, everywhere: bool = False) -> None:
        super().__init__(problem.title)
        self.problem, self.everywhere = problem, everywhere


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    memory: int | None


class Nvml:
    """All NVIDIA GPUs. `sample` never raises; only the thread that samples may call it."""

    def __init__(self, processes: LMStudioProcesses, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = processes
        self._clock = clock
        self._nvml: ModuleType | None = None
        self._problem: Problem | None = None
        self._restart_at: float | None = None
        self._held: list[Mapping[int, int]] = []
        """Of the sample under way: bytes by pid of each GPU that tells."""
        self._names: dict[int, str] = {}

    def sample(self) -> GpuSample:
        """Every GPU now."""
        if self._restart_at is not None and self._clock() >= self._restart_at:
            self.close()
        try:
            nvml = self._started()
            count = self._ask(nvml.nvmlDeviceGetCount) or 0
            if not count:
                raise _Trouble(NO_GPU, everywhere=True)
            pids = self._processes.pids()
            self._held = []
            gpus = tuple(self._gpu(nvml, index, pids) for index in range(count))
            self._share_out()
            return GpuSample(gpus)
        except _Trouble as trouble:
            self._processes.vram = None
            self._problem = trouble.problem
            self._restart_later()
            return GpuSample(problem=trouble.problem)

    def _share_out(self) -> None:
        """Tell what each process holds on all GPUs, and forget the names of those that hold nothing any more."""
        whole: dict[int, int] = {}
        for held in self._held:
            for pid, size in held.items():
                whole[pid] = whole.get(pid, 0) + size
        self._processes.vram = whole if self._held else None
        self._names = {pid: name for pid, name in self._names.items() if pid in whole}

    def count(self) -> int:
        """How many GPUs there are; 0 without a driver."""
        try:
            return self._ask(self._started().nvmlDeviceGetCount) or 0
        except _Trouble:
            return 0

    def close(self) -> None:
        """Shut NVML down; the next sample starts it again."""
        if self._nvml is not None:
            with contextlib.suppress(_Trouble):
                self._ask(self._nvml.nvmlShutdown)
        self._nvml = self._problem = self._restart_at = None

    def _started(self) -> ModuleType:
        """NVML, initialised; raises _Trouble, and does so again without asking until it is time to retry."""
        if self._problem is not None:
            raise _Trouble(self._problem)
        if self._nvml is None:
            import pynvml

            self._nvml = pynvml
            try:
                self._ask(pynvml.nvmlInit)
            except _Trouble:
                self._nvml = None
                raise
        return self._nvml

    def _restart_later(self) -> None:
        if self._restart_at is None:
            self._restart_at = self._clock() + RETRY_S

    def _ask(self, function: Callable[..., T], *arguments: object) -> T | None:
        """The one place where NVML is called: its answer, None if it has none. Raises _Trouble."""
        assert self._nvml is not None
        try:
            return function(*arguments)
        except self._nvml.NVMLError as error:
            code = getattr(error, "value", None)
            if (trouble := _trouble(self._nvml, code)) is not None:
                raise trouble from None
            if function is self._nvml.nvmlInit:
                problem = NO_PERMISSION if code == self._nvml.NVML_ERROR_NO_PERMISSION else _unknown(error)
                raise _Trouble(problem, everywhere=True) from None
            return None

    def _gpu(self, nvml: ModuleType, index: int, pids: frozenset[int]) -> Gpu:
        name = f"GPU {index}"
        try:
            handle = self._ask(nvml.nvmlDeviceGetHandleByIndex, index)
            if handle is None:
                return Gpu(index, name, problem=NO_PERMISSION)
            found = self._ask(nvml.nvmlDeviceGetName, handle) or name
            name = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
            return self._readings(nvml, handle, Gpu(index, name), pids)
        except _Trouble as trouble:
            if trouble.everywhere:
                raise
            self._restart_later()
            return Gpu(index, name, problem=trouble.problem)

    def _readings(self, nvml: ModuleType, handle: object, gpu: Gpu, pids: frozenset[int]) -> Gpu:
        # The second form leaves the driver's own reserve out of what is used, as nvidia-smi does.
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2) or self._ask(
            nvml.nvmlDeviceGetMemoryInfo, handle
        )
        rates = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        held = holdings(self._running(nvml, handle), pids, self._processes.alive)
        if held is not None:
            self._held.append(held)
        return Gpu(
            gpu.index,
            gpu.name,
            vram_used=int(memory.used) if memory else None,
            vram_total=int(memory.total) if memory else None,
            vram_lmstudio=sum(held.get(pid, 0) for pid in pids) if held is not None and pids else None,
            utilisation=float(rates.gpu) if rates else None,
            temperature=_scaled(self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)),
            power=_scaled(self._ask(nvml.nvmlDeviceGetPowerUsage, handle), 0.001),
            power_limit=_scaled(self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle), 0.001),
            fan=_scaled(self._ask(nvml.nvmlDeviceGetFanSpeed, handle)),
            clock_sm=self._ask(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_SM),
            clock_memory=self._ask(nvml.nvmlDeviceGetClockInfo, handle, nvml.NVML_CLOCK_MEM),
            pcie_rx=_bytes(self._ask(nvml.nvmlDeviceGetPcieThroughput, handle, nvml.NVML_PCIE_UTIL_RX_BYTES)),
            pcie_tx=_bytes(self._ask(nvml.nvmlDeviceGetPcieThroughput, handle, nvml.NVML_PCIE_UTIL_TX_BYTES)),
            holders=() if held is None else self._others(held, pids),
        )

    def _others(self, held: Mapping[int, int], pids: frozenset[int]) -> tuple[Holder, ...]:
        others = sorted(((size, pid) for pid, size in held.items() if size and pid not in pids), reverse=True)
        return tuple(Holder(pid, self._name(pid), size) for size, pid in others[:MOST_HOLDERS])

    def _name(self, pid: int) -> str:
        if pid not in self._names:
            self._names[pid] = process_name(pid) or f"pid {pid}"
        return self._names[pid]

    def _running(self, nvml: ModuleType, handle: object) -> list[_Process]:
        """Who holds memory on the card, as far as the driver says."""
        lists = [
            self._ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle),
            self._ask(nvml.nvmlDeviceGetGraphicsRunningProcesses, handle),
        ]
        return [_Process(entry.pid, entry.usedGpuMemory) for entries in lists if entries for entry in entries]


def holdings(running: Iterable[_Process], pids: frozenset[int], alive: frozenset[int]) -> dict[int, int] | None:
    """Bytes by pid on one GPU, None where that is not known: the driver lists nobody or gives no sizes (Windows'
    WDDM), or it counts other pids than we do (`alive`; LM Studio's are `pids`), as in a container. A process that
    computes and draws stands in both lists, with the same size, and counts once."""
    sizes = {process.pid: process.memory for process in running}
    held = {pid: size for pid, size in sizes.items() if size is not None}
    if not sizes or len(held) < len(sizes):
        return None
    return None if held.keys().isdisjoint(pids) and not held.keys() <= alive else held


def driver_present() -> bool:
    """Whether NVML finds a GPU here; takes a moment the first time."""
    nvml = Nvml(LMStudioProcesses())
    try:
        return nvml.count() > 0
    finally:
        nvml.close()


def _trouble(nvml: ModuleType, code: object) -> _Trouble | None:
    """The trouble that an error code means for a card or for NVML; None if it concerns one value only."""
    for_card = {nvml.NVML_ERROR_GPU_IS_LOST: LOST, nvml.NVML_ERROR_RESET_REQUIRED: NEEDS_RESET}
    for_all = {
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: NO_LIBRARY,
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: NO_DRIVER,
        nvml.NVML_ERROR_UNINITIALIZED: NO_DRIVER,
        nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: MISMATCH,
    }
    if code in for_card:
        return _Trouble(for_card[code])
    return _Trouble(for_all[code], everywhere=True) if code in for_all else None


def _unknown(error: Exception) -> Problem:
    return Problem("the NVIDIA driver does not answer", one_line(str(error)), "`nvidia-smi` may tell more.")


def _scaled(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None else value * factor


def _bytes(kilobytes: int | None) -> int | None:
    """NVML gives PCIe throughput in KB/s."""
    return None if kilobytes is None else kilobytes * 1024
