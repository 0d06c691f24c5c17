"""Whose memory is whose."""

from dataclasses import replace

from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Activity, Instance, InstanceConfig, Model, ModelFile
from lmdeck.model.machine import EngineProcess, Gpu, GpuSample, HostSample
from lmdeck.model.outlook import NO_ROOM_KNOWN, Occupant, Room
from lmdeck.state.deck import DeckState
from lmdeck.state.hardware import engine_of, occupants, room, server_gpus, spill

GIB = 2**30
ONE = Instance("qwen", "qwen", InstanceConfig(context_length=8192))
TWO = Instance("ha", "ha", InstanceConfig(context_length=8192))
QWEN, HA = Model("qwen", size_bytes=5 * GIB, instances=(ONE,)), Model("ha", size_bytes=3 * GIB, instances=(TWO,))
ENGINES = (
    EngineProcess(7, "llama-server", rss=GIB, vram=6 * GIB, model_path="/models/a/qwen.gguf"),
    EngineProcess(8, "llama-server", rss=GIB, vram=4 * GIB, model_path="/models/b/ha.gguf"),
)
GPUS = GpuSample((Gpu(0, "A", vram_used=10 * GIB, vram_total=24 * GIB), Gpu(1, "B", vram_used=0, vram_total=8 * GIB)))
STATE = DeckState(
    url="http://127.0.0.1:1234",
    models=(QWEN, HA),
    gpus=GPUS,
    host=HostSample(1.0, 20 * GIB, 64 * GIB, 0, 0, engines=ENGINES),
)


def test_room_is_what_all_gpus_and_the_ram_have_left() -> None:
    assert room(STATE) == Room(22 * GIB, 32 * GIB, 44 * GIB, 64 * GIB)


def test_a_gpu_that_does_not_tell_is_not_counted_as_free() -> None:
    silent = GpuSample((Gpu(0, "A", vram_used=None, vram_total=24 * GIB),))
    assert room(replace(STATE, gpus=silent)).vram_free is None


def test_the_memory_of_another_machine_is_not_known_here() -> None:
    assert room(replace(STATE, url="http://10.0.0.2:1234")) == NO_ROOM_KNOWN


def test_an_exporter_tells_of_the_gpus_of_another_machine() -> None:
    remote = replace(STATE, url="http://10.0.0.2:1234", gpus=replace(GPUS, origin="10.0.0.2"))
    assert room(remote) == Room(22 * GIB, 32 * GIB, None, None)
    assert server_gpus(remote) == server_gpus(STATE) == GPUS.gpus
    assert server_gpus(replace(remote, gpus=GPUS)) == ()


def test_an_engine_is_found_by_pid_then_by_file_then_by_being_alone() -> None:
    by_pid = replace(STATE, allocations={"qwen": Allocation("qwen", pid=8)})
    assert engine_of(by_pid, QWEN, ONE) == ENGINES[1]
    by_file = replace(STATE, files={"ha": ModelFile("ha", "b\\ha.gguf")})
    assert engine_of(by_file, HA, TWO) == ENGINES[1]
    assert engine_of(by_file, QWEN, ONE) is None
    assert STATE.host is not None
    alone = replace(STATE, models=(QWEN,), host=replace(STATE.host, engines=ENGINES[:1]))
    assert engine_of(alone, QWEN, ONE) == ENGINES[0]


def test_a_pid_that_is_gone_is_nobody_elses() -> None:
    assert engine_of(replace(STATE, allocations={"qwen": Allocation("qwen", pid=99)}), QWEN, ONE) is None


def test_two_copies_of_a_file_are_not_told_apart_by_it() -> None:
    copies = replace(QWEN, instances=(ONE, replace(ONE, id="qwen:2")))
    state = replace(STATE, models=(copies, HA), files={"qwen": ModelFile("qwen", "a/qwen.gguf")})
    assert engine_of(state, copies, ONE) is None


def test_what_could_make_room() -> None:
    files = {"qwen": ModelFile("qwen", "a/qwen.gguf")}
    busy = {"ha": Activity("ha", "ha", queued=2, last_used_s=5.0)}
    assert occupants(replace(STATE, files=files, activity=busy)) == (
        Occupant("qwen", 6 * GIB),
        Occupant("ha", 3 * GIB, busy=True, last_used=5.0),  # not measured: the file's size
    )


def test_fewer_layers_than_asked_is_a_spill() -> None:
    state = replace(STATE, allocations={"qwen": Allocation("qwen", gpu_layers=41, layers=49)})
    assert "41 of 49" in spill(state, QWEN, ONE)
    assert spill(STATE, QWEN, ONE) == ""


def test_ram_is_no_measure_where_the_runtime_uses_a_gpu_that_nobody_reads() -> None:
    blind = replace(STATE, gpus=GpuSample())
    assert room(blind).ram_free == 44 * GIB
    assert room(replace(blind, runtime="llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0")) == NO_ROOM_KNOWN
    assert room(replace(blind, allocations={"qwen": Allocation("qwen", gpu_layers=49)})) == NO_ROOM_KNOWN
