"""Which processes belong to LM Studio, and what they use.

LM Studio runs one `llama-server` (or another engine) as a child for each loaded model, so its share of the GPU, of
RAM and of the CPU is that of its process trees.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from lmdeck.model.machine import EngineProcess

FULL_SCAN_S = 10.0
READING_S = 0.5
MANY = 32
"""So many processes born since the last look are left to the next full scan."""

_NAMES = frozenset({"lms", "llmster"})
_ENGINES = frozenset({"llamaserver"})
_FOLDER = "lmstudio"
_SEPARATORS = str.maketrans("", "", " -_.")


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes use: `cpu` in per cent of the whole machine, `rss` in bytes."""

    cpu: float
    rss: int


class LMStudioProcesses:
    """LM Studio's processes on this machine, or the tree of `root_pid` (the demo server's). Its engines are the
    processes that run a model: `llama-server` and its like, or the direct children of `root_pid`.

    Idle CPU counts: every look only lists the pids and examines those born since; the whole table is read at most
    every FULL_SCAN_S, and only if something was born. What an engine is, is found out once for each process. Not
    thread-safe: one thread asks.
    """

    def __init__(self, root_pid: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.root_pid = root_pid
        self._clock = clock
        self._cores = psutil.cpu_count() or 1
        self.alive: frozenset[int] = frozenset()
        """Every pid of this machine at the last look."""
        self.vram: Mapping[int, int] | None = None
        """Bytes of GPU memory by pid at the last reading of the GPUs, which sets it; None where no driver tells."""
        self._members: dict[int, psutil.Process] = {}
        self._engine_of: dict[int, int | None] = {}
        """For each member that has been looked at: the engine that it is or belongs to."""
        self._paths: dict[int, tuple[str, str | None]] = {}
        """Name and model file of each engine."""
        self._scan_due = 0.0
        self._unsettled = True
        self._usage: dict[int, Usage] = {}
        self._cpu_times: dict[int, float] = {}
        self._read_at: float | None = None

    def pids(self) -> frozenset[int]:
        """Their pids now."""
        self._look()
        return frozenset(self._members)

    def usage(self, *, without_root: bool = False) -> Usage | None:
        """What they use together, None if there is none; `without_root` leaves `root_pid` itself out. Readings
        within READING_S share one measurement; the first CPU figure of a process is 0."""
        found = [usage for pid, usage in self.by_pid().items() if not (without_root and pid == self.root_pid)]
        return Usage(sum(one.cpu for one in found), sum(one.rss for one in found)) if found else None

    def by_pid(self) -> Mapping[int, Usage]:
        """What each of them uses, by the same measurement as `usage`."""
        now = self._clock()
        if self._read_at is None or now - self._read_at >= READING_S:
            self._look()
            self._measure(now)
        return self._usage

    def engines(self) -> tuple[EngineProcess, ...]:
        """The engines, each with what its own children use, by pid."""
        groups: dict[int, list[int]] = {}
        usage = self.by_pid()
        for pid in usage:
            if (engine := self._engine(pid)) is not None:
                groups.setdefault(engine, []).append(pid)
        return tuple(self._told(pid, [usage[one] for one in groups[pid]], groups[pid]) for pid in sorted(groups))

    def _told(self, engine: int, used: Sequence[Usage], pids: Sequence[int]) -> EngineProcess:
        name, path = self._paths[engine]
        return EngineProcess(
            pid=engine,
            name=name,
            cpu=sum(one.cpu for one in used),
            rss=sum(one.rss for one in used),
            vram=None if self.vram is None else sum(self.vram.get(pid, 0) for pid in pids),
            model_path=path,
        )

    def _engine(self, pid: int) -> int | None:
        """The engine that a member is or belongs to; None for LM Studio's other processes."""
        if pid in self._engine_of or (process := self._members.get(pid)) is None:
            return self._engine_of.get(pid)
        self._engine_of[pid] = None  # should the table run in circles
        with contextlib.suppress(psutil.Error):
            parent, name = process.ppid(), process.name()
            is_engine = _plain(name) in _ENGINES if self.root_pid is None else parent == self.root_pid
            if is_engine:
                self._engine_of[pid], self._paths[pid] = pid, (name, _model_path(process))
            else:
                self._engine_of[pid] = self._engine(parent)
        return self._engine_of[pid]

    def _measure(self, now: float) -> None:
        passed = now - self._read_at if self._read_at is not None else 0.0
        self._read_at = now
        usage, times = {}, {}
        for pid, process in list(self._members.items()):
            try:
                with process.oneshot():
                    spent = process.cpu_times()
                    rss = process.memory_info().rss
            except psutil.Error:
                continue
            times[pid] = spent.user + spent.system
            gained = times[pid] - self._cpu_times.get(pid, times[pid])
            usage[pid] = Usage(max(0.0, 100 * gained / passed / self._cores) if passed else 0.0, rss)
        self._usage, self._cpu_times = usage, times

    def _look(self) -> None:
        """Bring the members up to date, cheaply."""
        alive = frozenset(psutil.pids())
        born = alive - self.alive
        self._unsettled = self._unsettled or bool(born)
        if self._unsettled and self._clock() >= self._scan_due:
            self._scan(alive)
        elif len(born) <= MANY:
            for pid in sorted(born):
                self._admit(pid)
        self.alive = alive
        for pid in self._members.keys() - alive:
            del self._members[pid]
            self._engine_of.pop(pid, None)
            self._paths.pop(pid, None)

    def _scan(self, alive: frozenset[int]) -> None:
        """Read the whole table: names first, then the trees below those that match."""
        self._scan_due = self._clock() + FULL_SCAN_S
        self._unsettled = False
        members: dict[int, psutil.Process] = {}
        for pid in sorted(alive):
            if pid not in members and (process := self._root(pid)) is not None:
                with contextlib.suppress(psutil.Error):
                    tree = [process, *process.children(recursive=True)]
                    members.update((member.pid, member) for member in tree)
        self._members = members
        self._engine_of, self._paths = {}, {}

    def _admit(self, pid: int) -> None:
        """Take in a process born since the last look, if it belongs to LM Studio."""
        process = self._root(pid)
        if process is None:
            with contextlib.suppress(psutil.Error):
                newcomer = psutil.Process(pid)
                process = newcomer if newcomer.ppid() in self._members else None
        if process is not None:
            self._members[pid] = process

    def _root(self, pid: int) -> psutil.Process | None:
        """The process if it is LM Studio's by itself, whatever its parent."""
        if self.root_pid not in (None, pid):
            return None
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            return process if pid == self.root_pid or _is_lm_studio(process) else None
        return None


def process_name(pid: int) -> str | None:
    """A process's name, None if it cannot be read."""
    try:
        return psutil.Process(pid).name() or None
    except psutil.Error:
        return None


def _is_lm_studio(process: psutil.Process) -> bool:
    name = _plain(process.name())
    if name in _NAMES or name.startswith("lmstudio"):
        return True
    return name in _ENGINES and _FOLDER in _plain(process.exe())


def _model_path(process: psutil.Process) -> str | None:
    """The GGUF file after `-m`, `--model` or in `--model=…`; a Python module, which also follows `-m`, is none."""
    try:
        arguments = process.cmdline()
    except psutil.Error:
        return None
    after = [value for option, value in itertools.pairwise(arguments) if option in ("-m", "--model")]
    given = [*after, *(one.removeprefix("--model=") for one in arguments if one.startswith("--model="))]
    return next((path for path in given if path.lower().endswith(".gguf")), None)


def _plain(name: str) -> str:
    """`LM Studio Helper.exe`, `lm-studio` → `lmstudiohelper`, `lmstudio`."""
    return name.lower().removesuffix(".exe").translate(_SEPARATORS)
