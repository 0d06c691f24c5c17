"""NVML's real bindings with a driver played by the test: names, constants and errors are the library's own."""

from collections.abc import Callable
from types import SimpleNamespace

import pynvml
import pytest

from lmdeck.model.machine import Gpu, GpuSample, Holder
from lmdeck.telemetry import nvml
from lmdeck.telemetry.nvml import Nvml, driver_present
from lmdeck.telemetry.processes import LMStudioProcesses

OURS, OTHER = 100, 200
VALUES = {
    "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=20 * 2**30, total=24 * 2**30),
    "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=87, memory=40),
    "nvmlDeviceGetTemperature": 61,
    "nvmlDeviceGetPowerUsage": 312_500,
    "nvmlDeviceGetEnforcedPowerLimit": 450_000,
    "nvmlDeviceGetFanSpeed": 55,
    "nvmlDeviceGetClockInfo": 2520,
    "nvmlDeviceGetPcieThroughput": 1000,
}


def process(pid: int, memory: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=memory)


class Driver:
    """A driver: `names` of its GPUs, `errors` by function or (function, GPU), processes by list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names = ["RTX 4090"]
        self.errors: dict[object, int] = {}
        self.values = dict(VALUES)
        self.compute = [process(OURS, 18 * 2**30), process(OTHER, 2**30)]
        self.graphics = [process(OURS, 18 * 2**30)]
        self.calls: list[str] = []
        answers: dict[str, Callable[..., object]] = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: len(self.names),
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda handle: self.names[handle],
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: self.compute,
            "nvmlDeviceGetGraphicsRunningProcesses": lambda handle: self.graphics,
            **{name: (lambda *arguments, name=name: self.values[name]) for name in VALUES},
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, self._guarded(name, answer))

    def _guarded(self, name: str, answer: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            self.calls.append(name)
            for key in (name, (name, *arguments[:1]), arguments[:1]):
                if key in self.errors:
                    raise pynvml.NVMLError(self.errors[key])
            return answer(*arguments)

        return call


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def driver(monkeypatch):
    return Driver(monkeypatch)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def processes(monkeypatch):
    processes = LMStudioProcesses()
    processes.alive = frozenset({OURS, OTHER})
    monkeypatch.setattr(processes, "pids", lambda: frozenset({OURS}))
    return processes


@pytest.fixture
def asked(monkeypatch):
    """The pids whose names were asked for."""
    asked: list[int] = []

    def name(pid: int) -> str | None:
        asked.append(pid)
        return {OTHER: "firefox"}.get(pid)

    monkeypatch.setattr(nvml, "process_name", name)
    return asked


@pytest.fixture
def source(driver, clock, processes, asked):
    return Nvml(processes, clock=clock)


def test_every_value_in_its_unit(source):
    assert source.sample() == GpuSample(
        (
            Gpu(
                index=0,
                name="RTX 4090",
                vram_used=20 * 2**30,
                vram_total=24 * 2**30,
                vram_lmstudio=18 * 2**30,
                utilisation=87.0,
                temperature=61.0,
                power=312.5,
                power_limit=450.0,
                fan=55.0,
                clock_sm=2520,
                clock_memory=2520,
                pcie_rx=1_024_000,
                pcie_tx=1_024_000,
                holders=(Holder(OTHER, "firefox", 2**30),),
            ),
        )
    )


FIELDS = {
    "nvmlDeviceGetMemoryInfo": {"vram_used", "vram_total"},
    "nvmlDeviceGetUtilizationRates": {"utilisation"},
    "nvmlDeviceGetTemperature": {"temperature"},
    "nvmlDeviceGetPowerUsage": {"power"},
    "nvmlDeviceGetEnforcedPowerLimit": {"power_limit"},
    "nvmlDeviceGetFanSpeed": {"fan"},
    "nvmlDeviceGetClockInfo": {"clock_sm", "clock_memory"},
    "nvmlDeviceGetPcieThroughput": {"pcie_rx", "pcie_tx"},
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("code", ["NOT_SUPPORTED", "NO_PERMISSION", "FUNCTION_NOT_FOUND", "UNKNOWN", "TIMEOUT"])
def test_a_value_that_is_not_there_is_none_and_the_others_stay(source, driver, name, code):
    driver.errors[name] = getattr(pynvml, f"NVML_ERROR_{code}")
    (gpu,) = source.sample().gpus
    absent = {field for field in Gpu.__slots__ if getattr(gpu, field) is None} - {"problem"}
    assert absent == FIELDS[name]


def test_the_older_memory_call_is_asked_where_the_newer_is_missing(source, driver, monkeypatch):
    def memory(handle: int, version: int | None = None) -> object:
        if version is not None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
        return SimpleNamespace(used=1, total=2)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", memory)
    (gpu,) = source.sample().gpus
    assert (gpu.vram_used, gpu.vram_total) == (1, 2)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("LIBRARY_NOT_FOUND", nvml.NO_LIBRARY),
        ("DRIVER_NOT_LOADED", nvml.NO_DRIVER),
        ("LIB_RM_VERSION_MISMATCH", nvml.MISMATCH),
        ("NO_PERMISSION", nvml.NO_PERMISSION),
    ],
)
def test_why_there_is_no_gpu_is_told_and_it_is_seen_when_it_returns(source, driver, clock, code, problem):
    driver.errors["nvmlInit"] = getattr(pynvml, f"NVML_ERROR_{code}")
    assert source.sample() == GpuSample(problem=problem)
    driver.errors.clear()
    clock.now += nvml.RETRY_S - 1
    assert source.sample() == GpuSample(problem=problem)
    assert driver.calls == ["nvmlInit"]  # not asked again before it is time
    clock.now += 1
    assert source.sample().gpus


def test_an_unknown_failure_keeps_the_drivers_words(source, driver):
    driver.errors["nvmlInit"] = pynvml.NVML_ERROR_UNKNOWN
    problem = source.sample().problem
    assert problem is not None
    assert problem.detail == "Unknown Error"


def test_no_gpu_and_one_that_is_plugged_in(source, driver, clock):
    driver.names = []
    assert source.sample() == GpuSample(problem=nvml.NO_GPU)
    driver.names = ["RTX 4090"]
    clock.now += nvml.RETRY_S
    assert [gpu.name for gpu in source.sample().gpus] == ["RTX 4090"]


def test_one_lost_gpu_of_two(source, driver, clock):
    driver.names = ["RTX 4090", "RTX 3060"]
    assert [gpu.problem for gpu in source.sample().gpus] == [None, None]
    driver.errors[(1,)] = pynvml.NVML_ERROR_GPU_IS_LOST
    first, second = source.sample().gpus
    assert (first.problem, first.vram_used) == (None, 20 * 2**30)
    assert (second.index, second.problem, second.vram_used) == (1, nvml.LOST, None)
    driver.errors.clear()
    clock.now += nvml.RETRY_S
    assert [gpu.name for gpu in source.sample().gpus] == driver.names
    assert driver.calls.count("nvmlInit") == 2  # its old handle would have stayed dead


def test_a_gpu_that_is_lost_in_the_middle_keeps_its_name(source, driver):
    driver.errors["nvmlDeviceGetPowerUsage"] = pynvml.NVML_ERROR_GPU_IS_LOST
    (gpu,) = source.sample().gpus
    assert (gpu.name, gpu.problem) == ("RTX 4090", nvml.LOST)


def test_a_driver_that_is_unloaded_while_it_is_read(source, driver, clock):
    assert source.sample().gpus
    driver.errors["nvmlDeviceGetUtilizationRates"] = pynvml.NVML_ERROR_UNINITIALIZED
    assert source.sample() == GpuSample(problem=nvml.NO_DRIVER)
    driver.errors.clear()
    clock.now += nvml.RETRY_S
    assert source.sample().gpus


def test_a_gpu_without_permission_is_told_apart(source, driver):
    driver.errors["nvmlDeviceGetHandleByIndex"] = pynvml.NVML_ERROR_NO_PERMISSION
    (gpu,) = source.sample().gpus
    assert gpu.problem == nvml.NO_PERMISSION


@pytest.mark.parametrize(
    ("compute", "graphics", "share"),
    [
        ([process(OURS, 5)], [process(OURS, 5)], 5),
        ([process(OURS, 5), process(OTHER, 7)], [], 5),
        ([], [process(OURS, 5)], 5),
        ([process(OTHER, 7)], [], 0),
        ([process(OTHER, None)], [], None),
        ([process(4_000_000, 7)], [], None),  # a pid of another namespace: ours would have another one too
        ([process(OURS, None)], [], None),
        ([], [], None),
    ],
)
def test_the_share_of_lm_studio_is_a_number_only_where_the_driver_tells(source, driver, compute, graphics, share):
    driver.compute, driver.graphics = compute, graphics
    (gpu,) = source.sample().gpus
    assert gpu.vram_lmstudio == share


def test_a_driver_without_process_lists(source, driver):
    driver.errors["nvmlDeviceGetComputeRunningProcesses"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    assert source.sample().gpus[0].vram_lmstudio == 18 * 2**30
    driver.errors["nvmlDeviceGetGraphicsRunningProcesses"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    assert source.sample().gpus[0].vram_lmstudio is None


def test_other_holders_are_named_once_and_the_largest_come_first(source, driver, processes, asked):
    driver.compute = [process(OTHER, 2), process(OURS, 5), process(7, 0), *(process(n, n) for n in range(1000, 1009))]
    processes.alive |= {*range(1000, 1009)}
    for _ in range(2):
        holders = source.sample().gpus[0].holders
    assert len(holders) == nvml.MOST_HOLDERS
    assert holders[0] == Holder(1008, "pid 1008", 1008)
    assert OTHER not in [holder.pid for holder in holders]
    driver.compute = [process(OTHER, 2), process(OURS, 5)]
    assert source.sample().gpus[0].holders == (Holder(OTHER, "firefox", 2),)
    assert asked.count(1008) == asked.count(OTHER) == 1
    driver.compute = driver.graphics = []
    source.sample()
    driver.compute = [process(OTHER, 2)]
    source.sample()
    assert asked.count(OTHER) == 2  # another process may have the pid by now


@pytest.mark.parametrize("running", [[process(OTHER, None)], [process(4_000_000, 7)], []])
def test_holders_and_vram_by_process_only_where_the_driver_tells(source, driver, processes, running):
    processes.vram = {1: 1}
    driver.compute, driver.graphics = running, []
    assert source.sample().gpus[0].holders == ()
    assert processes.vram is None


def test_without_lm_studio_the_others_are_still_named(source, processes, driver, monkeypatch):
    monkeypatch.setattr(processes, "pids", frozenset)
    driver.compute = driver.graphics = [process(OTHER, 7)]
    gpu = source.sample().gpus[0]
    assert (gpu.vram_lmstudio, gpu.holders) == (None, (Holder(OTHER, "firefox", 7),))


def test_vram_by_process_is_summed_over_the_gpus_and_gone_with_the_driver(source, driver, processes, clock):
    driver.names = ["RTX 4090", "RTX 3060"]
    source.sample()
    assert processes.vram == {OURS: 36 * 2**30, OTHER: 2 * 2**30}
    driver.errors["nvmlDeviceGetCount"] = pynvml.NVML_ERROR_UNINITIALIZED
    source.sample()
    assert processes.vram is None


def test_closing_lets_the_driver_go_and_can_be_repeated(source, driver):
    source.sample()
    source.close()
    source.close()
    assert driver.calls.count("nvmlShutdown") == 1
    assert source.sample().gpus


def test_whether_a_driver_is_present(driver):
    assert driver_present()
    driver.names = []
    assert not driver_present()
    driver.errors["nvmlInit"] = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
    assert not driver_present()
    assert driver.calls.count("nvmlShutdown") == 2
