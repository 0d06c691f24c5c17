"""One reading of the machine's GPUs and of the host."""

from dataclasses import dataclass

from lmdeck.model.problem import Problem


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """One process that runs a model for LM Studio (its `llama-server` children and the like), its own children counted
    in. `cpu` in per cent of the whole machine; `rss` and `vram` bytes, `vram` summed over the GPUs and None where the
    driver does not tell; `model_path` the file on its command line, where there is one."""

    pid: int
    name: str
    cpu: float = 0.0
    rss: int = 0
    vram: int | None = None
    model_path: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A process of somebody else that holds memory of a GPU, in bytes."""

    pid: int
    name: str
    vram: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU at one moment. Every value but index and name may be unsupported (None).

    Sizes are bytes, `utilisation` and `fan` per cent, `temperature` °C, power watts, clocks MHz, PCIe bytes/s.
    `vram_lmstudio` is the part held by LM Studio's processes, None where the driver does not tell.
    """

    index: int
    name: str
    vram_used: int | None = None
    vram_total: int | None = None
    vram_lmstudio: int | None = None
    utilisation: float | None = None
    temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    fan: float | None = None
    clock_sm: int | None = None
    clock_memory: int | None = None
    pcie_rx: int | None = None
    pcie_tx: int | None = None
    problem: Problem | None = None
    """Why this one GPU cannot be read (lost, no permission), while others can."""
    simulated: bool = False
    holders: tuple[Holder, ...] = ()
    """Other programs' processes on it, the largest first; empty where the driver does not tell."""


@dataclass(frozen=True, slots=True)
class GpuSample:
    """All GPUs at one moment; `problem` says why there are none to show, `origin` names the machine that they are in
    where an exporter told of them (empty: this one)."""

    gpus: tuple[Gpu, ...] = ()
    problem: Problem | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class HostSample:
    """The host at one moment: bytes, and per cent of the whole machine (all cores = 100)."""

    cpu: float
    ram_used: int
    ram_total: int
    swap_used: int
    swap_total: int
    lmstudio_cpu: float | None = None
    lmstudio_rss: int | None = None
    engines: tuple[EngineProcess, ...] = ()
