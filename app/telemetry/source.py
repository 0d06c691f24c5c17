"""What the deck asks of this machine. Every call may block: one worker thread makes them, once a second."""

from typing import Protocol

from lmdeck.model.machine import GpuSample, HostSample


class GpuSource(Protocol):
    """GPUs: real ones by NVML, or the demo's simulated one."""

    def sample(self) -> GpuSample:
        """All GPUs now; what cannot be read is None or a Problem, never an exception."""
        ...

    def close(self) -> None:
        """Let the driver go. Safe to call again."""
        ...


class HostSource(Protocol):
    """The machine itself."""

    def sample(self) -> HostSample:
        """CPU and memory now; the first reading of a rate is 0."""
        ...
