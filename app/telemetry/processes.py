"""Which processes belong to LM Studio, and what they use.

LM Studio runs one `llama-server` (or another engine) as a child for each loaded model, so its share of the GPU, of
RAM and of the CPU is that of its process trees.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

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
    """LM Studio's processes on this machine, or the tree of `root_pid` (the demo server's).

    Idle CPU counts: every look only lists the pids and examines those born since; the whole table is read at most
    every FULL_SCAN_S, and only if something was born. Not thread-safe: one thread asks.
    """

    def __init__(self, root_pid: int | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.root_pid = root_pid
        self._clock = clock
        self._cores = psutil.cpu_count() or 1
        self.alive: frozenset[int] = frozenset()
        """Every pid of this machine at the last look."""
        self._members: dict[int, psutil.Process] = {}
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
        now = self._clock()
        if self._read_at is None or now - self._read_at >= READING_S:
            self._look()
            self._measure(now)
        found = [usage for pid, usage in self._usage.items() if not (without_root and pid == self.root_pid)]
        return Usage(sum(one.cpu for one in found), sum(one.rss for one in found)) if found else None

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


def _is_lm_studio(process: psutil.Process) -> bool:
    name = _plain(process.name())
    if name in _NAMES or name.startswith("lmstudio"):
        return True
    return name in _ENGINES and _FOLDER in _plain(process.exe())


def _plain(name: str) -> str:
    """`LM Studio Helper.exe`, `lm-studio` → `lmstudiohelper`, `lmstudio`."""
    return name.lower().removesuffix(".exe").translate(_SEPARATORS)
