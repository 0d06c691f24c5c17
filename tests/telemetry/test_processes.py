"""Real processes below this one, and a process table made up for what cannot be started here."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace

import psutil
import pytest

from lmdeck.model.machine import EngineProcess, GpuSample
from lmdeck.telemetry import processes as module
from lmdeck.telemetry.host import Host
from lmdeck.telemetry.processes import LMStudioProcesses, Usage
from lmdeck.telemetry.simulated import VRAM, SimulatedGpu


class Table:
    """A process table: pid → (parent, name, executable)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: dict[int, tuple[int, str, str]]) -> None:
        self.rows = rows
        self.examined: list[int] = []
        self.read: list[int] = []
        self.commands: dict[int, list[str]] = {}
        self.spent: dict[int, float] = {}
        monkeypatch.setattr(psutil, "pids", lambda: list(self.rows))
        monkeypatch.setattr(psutil, "Process", lambda pid: FakeProcess(self, pid))


class FakeProcess:
    def __init__(self, table: Table, pid: int) -> None:
        self.table, self.pid = table, pid
        if pid not in table.rows:
            raise psutil.NoSuchProcess(pid)
        table.examined.append(pid)

    def ppid(self) -> int:
        return self.table.rows[self.pid][0]

    def name(self) -> str:
        return self.table.rows[self.pid][1]

    def exe(self) -> str:
        if self.name() == "llama-server" and not self.table.rows[self.pid][2]:
            raise psutil.AccessDenied(self.pid)
        return self.table.rows[self.pid][2]

    def cmdline(self) -> list[str]:
        self.table.read.append(self.pid)
        return self.table.commands.get(self.pid, [])

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=self.table.spent.get(self.pid, 0.0), system=0.0)

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=self.pid * 1000)

    def oneshot(self) -> AbstractContextManager[None]:
        return nullcontext()

    def children(self, recursive: bool) -> list["FakeProcess"]:
        direct = [FakeProcess(self.table, pid) for pid, row in self.table.rows.items() if row[0] == self.pid]
        return direct + [below for child in direct for below in child.children(recursive=True)]


ROWS = {
    1: (0, "systemd", "/sbin/init"),
    10: (1, "LM Studio", "/opt/LM Studio/lm-studio"),
    11: (10, "llama-server", ""),
    12: (11, "helper", ""),
    20: (1, "llmster", ""),
    21: (1, "lms.EXE", ""),
    22: (1, "LM Studio Helper (GPU).exe", ""),
    23: (1, "lm-studio", ""),
    30: (1, "llama-server", "/home/a/.lmstudio/extensions/backends/x/llama-server"),
    31: (1, "llama-server", "/usr/local/bin/llama-server"),
    32: (1, "llama-server", ""),
    33: (1, "films", ""),
    34: (33, "node", ""),
}


def test_which_processes_are_lm_studios(monkeypatch):
    Table(monkeypatch, dict(ROWS))
    assert LMStudioProcesses().pids() == {10, 11, 12, 20, 21, 22, 23, 30}


def test_or_those_below_one_root(monkeypatch):
    Table(monkeypatch, dict(ROWS))
    assert LMStudioProcesses(33).pids() == {33, 34}
    assert LMStudioProcesses(999).pids() == frozenset()


def test_a_look_examines_only_who_was_born_since_and_a_full_scan_is_rare(monkeypatch):
    now = 0.0
    table = Table(monkeypatch, dict(ROWS))
    found = LMStudioProcesses(clock=lambda: now)
    assert 11 in found.pids()

    table.examined.clear()
    found.pids()
    assert table.examined == []

    table.rows |= {40: (11, "worker", ""), 41: (40, "worker", ""), 42: (1, "lms", ""), 43: (1, "other", "")}
    del table.rows[12], table.rows[20]
    assert found.pids() == {10, 11, 21, 22, 23, 30, 40, 41, 42}
    assert set(table.examined) == {40, 41, 42, 43}

    table.rows[43] = (1, "lms", "")  # it was seen between fork and exec
    assert 43 not in found.pids()
    now = module.FULL_SCAN_S
    assert 43 in found.pids()

    table.examined.clear()
    now += module.FULL_SCAN_S
    found.pids()
    assert table.examined == []  # nothing was born: nothing to scan


def test_many_births_at_once_wait_for_the_full_scan(monkeypatch):
    now = 0.0
    table = Table(monkeypatch, dict(ROWS))
    found = LMStudioProcesses(clock=lambda: now)
    found.pids()
    table.examined.clear()
    table.rows |= dict.fromkeys(range(1000, 1000 + module.MANY), (1, "sh", "")) | {2000: (10, "llama-server", "")}
    assert 2000 not in found.pids()
    assert table.examined == []
    now = module.FULL_SCAN_S
    assert 2000 in found.pids()


ENGINES = {
    11: ["llama-server", "-m", "/models/a/one.gguf", "-c", "4096"],
    30: ["llama-server", "--model=C:\\models\\two.GGUF"],
}


def test_engines_are_told_one_by_one_with_their_children(monkeypatch):
    now = 0.0
    table = Table(monkeypatch, dict(ROWS))
    table.commands = ENGINES
    found = LMStudioProcesses(clock=lambda: now)
    assert found.engines() == (
        EngineProcess(11, "llama-server", 0.0, 11_000 + 12_000, None, "/models/a/one.gguf"),
        EngineProcess(30, "llama-server", 0.0, 30_000, None, "C:\\models\\two.GGUF"),
    )
    found.vram = {11: 5, 12: 7, 10: 100}
    table.spent = {12: found._cores * 0.5, 10: 9.0}
    now = 1.0
    first, second = found.engines()
    assert (first.cpu, first.vram, second.vram) == (50.0, 12, 0)
    assert sorted(table.read) == [11, 30]  # once for each engine
    del table.rows[11], table.rows[12]
    table.rows[50] = (10, "llama-server", "")
    now = 2.0
    assert [engine.pid for engine in found.engines()] == [30, 50]


def test_engines_below_a_root_are_its_children(monkeypatch):
    table = Table(monkeypatch, {33: (1, "python", ""), 34: (33, "python", ""), 35: (34, "python", "")})
    table.commands = {34: ["python", "-m", "lmdeck.demo.engines.worker", "--model", "/tmp/x/a.gguf"]}
    (engine,) = LMStudioProcesses(33).engines()
    assert engine == EngineProcess(34, "python", 0.0, 69_000, None, "/tmp/x/a.gguf")


@pytest.mark.parametrize("command", [[], ["llama-server"], ["llama-server", "-m"], ["python", "-m", "module"]])
def test_an_engine_without_a_file_on_its_command_line(monkeypatch, command):
    table = Table(monkeypatch, dict(ROWS))
    table.commands = {11: command}
    assert LMStudioProcesses().engines()[0].model_path is None


def test_an_engine_that_cannot_be_looked_at_is_left_out(monkeypatch):
    def refuse(process: FakeProcess) -> int:
        raise psutil.AccessDenied(process.pid)

    Table(monkeypatch, dict(ROWS))
    processes = LMStudioProcesses()
    processes.by_pid()
    monkeypatch.setattr(FakeProcess, "ppid", refuse)
    assert processes.engines() == ()
    assert processes.usage() is not None


BUSY = "import sys\nblock = bytearray(b'x') * (64 * 2**20)\nprint('up', flush=True)\nwhile True: pass"


@pytest.fixture
def busy_child() -> Iterator[subprocess.Popen[bytes]]:
    """A child of this process that holds 64 MiB and uses a core."""
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", BUSY], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def wait_for_cpu(processes: LMStudioProcesses) -> Usage:
    """The usage without the root, once a second reading has given a CPU figure."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        usage = processes.usage(without_root=True)
        if usage is not None and usage.cpu > 0:
            return usage
        time.sleep(0.05)
    raise TimeoutError


def test_real_cpu_and_memory_of_a_tree(busy_child, monkeypatch):
    monkeypatch.setattr(module, "READING_S", 0.2)
    processes = LMStudioProcesses(os.getpid())
    assert {os.getpid(), busy_child.pid} <= processes.pids()
    usage = wait_for_cpu(processes)
    # Other tests' servers may be in the tree as well, and the machine may be busy: only the least is certain.
    assert usage.rss > 64 * 2**20
    assert 10 / (psutil.cpu_count() or 1) < usage.cpu <= 100 * 1.1
    everything = processes.usage()
    assert everything is not None
    assert everything.rss > usage.rss

    gpu = SimulatedGpu(processes).sample().gpus[0]
    assert gpu.simulated
    assert gpu.vram_used == gpu.vram_lmstudio == usage.rss
    assert gpu.utilisation == usage.cpu
    assert (gpu.vram_total, gpu.temperature, gpu.power, gpu.fan, gpu.pcie_rx) == (VRAM, None, None, None, None)

    host = Host(processes).sample()
    assert host.lmstudio_rss == everything.rss
    engine = next(engine for engine in host.engines if engine.pid == busy_child.pid)
    assert engine.vram == engine.rss > 64 * 2**20
    assert 0 < host.ram_used < host.ram_total
    assert 0 <= host.swap_used <= host.swap_total


def test_without_lm_studio_there_is_no_usage_but_a_host(monkeypatch):
    processes = LMStudioProcesses(2**22 + 1)
    sample = Host(processes).sample()
    assert (sample.lmstudio_cpu, sample.lmstudio_rss, sample.engines) == (None, None, ())
    gpu = SimulatedGpu(processes).sample().gpus[0]
    assert (gpu.vram_used, gpu.utilisation) == (0, 0.0)


def test_the_simulated_card_grows_with_what_it_holds(monkeypatch):
    processes = LMStudioProcesses(1)
    simulated = SimulatedGpu(processes)
    monkeypatch.setattr(processes, "usage", lambda **options: Usage(250.0, VRAM + 2**40))
    gpu = simulated.sample().gpus[0]
    assert gpu.vram_total == VRAM + 2**40
    assert gpu.utilisation == 100.0
    simulated.close()
    assert isinstance(simulated.sample(), GpuSample)
