"""What a load really took."""

from lmdeck.model.catalog import Instance, InstanceConfig, Model
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.machine import EngineProcess, Gpu, GpuSample, HostSample
from lmdeck.state import events as ev
from lmdeck.state.deck import DeckState
from lmdeck.state.scales import Scales, Weighing
from lmdeck.state.step import step

GIB = 2**30
REQUEST = LoadRequest("qwen", context_length=8192)


def seen(*names: str, at: float) -> ev.CatalogSeen:
    instances = tuple(Instance(name, "qwen", InstanceConfig(context_length=8192)) for name in names)
    return ev.CatalogSeen((Model("qwen", instances=instances),), 0.004, at, at)


def machine(vram: int | None, rss: int, at: float, *engines: EngineProcess) -> ev.MachineSeen:
    gpu = Gpu(0, "GPU", vram_used=vram, vram_total=24 * GIB, vram_lmstudio=vram)
    return ev.MachineSeen(GpuSample((gpu,)), HostSample(1.0, 0, 64 * GIB, 0, 0, 0.0, rss, engines), at)


def weigh(*events: ev.Event) -> list[Weighing]:
    scales, state, found = Scales(), DeckState("http://127.0.0.1:1234"), list[Weighing]()
    for event in events:
        before, state = state, step(state, event)
        found += scales.observe(before, state, event)
    return found


LOAD = (
    seen(at=1),
    machine(1 * GIB, 2 * GIB, 1.5),
    ev.LoadStarted(REQUEST, 2),
    machine(5 * GIB, 3 * GIB, 3),
    ev.LoadEnded(REQUEST, LoadResult("qwen", 4.0)),
    seen("qwen", at=5),
)


def test_the_growth_of_lm_studios_memory_once_it_is_steady() -> None:
    (found,) = weigh(*LOAD, machine(9 * GIB, 4 * GIB, 6), machine(9 * GIB, 4 * GIB, 9), machine(9 * GIB, 4 * GIB, 10))
    assert (found.gpu, found.ram, found.load_time_s) == (8 * GIB, 2 * GIB, 4.0)
    assert found.settings is REQUEST


def test_memory_that_still_grows_is_waited_for() -> None:
    growing = [machine((9 + n) * GIB, 4 * GIB, 6.0 + n) for n in range(6)]
    assert not weigh(*LOAD, *growing)
    (found,) = weigh(*LOAD, *growing, machine(14 * GIB, 4 * GIB, 13))
    assert found.gpu == 13 * GIB


def test_its_own_process_tells_it_better() -> None:
    engine = EngineProcess(7, "llama-server", rss=GIB, vram=6 * GIB)
    steady = [machine(9 * GIB, 4 * GIB, at, engine) for at in (6.0, 9.0, 10.0)]
    (found,) = weigh(*LOAD, *steady)
    assert (found.gpu, found.ram) == (6 * GIB, GIB)


def test_two_loads_at_once_cannot_be_told_apart() -> None:
    other = LoadRequest("qwen")
    events = (
        seen(at=1),
        machine(1 * GIB, 2 * GIB, 1.5),
        ev.LoadStarted(REQUEST, 2),
        ev.LoadStarted(other, 2),
        ev.LoadEnded(REQUEST, LoadResult("qwen")),
        ev.LoadEnded(other, LoadResult("qwen:2")),
        seen("qwen", "qwen:2", at=5),
        *(machine(9 * GIB, 4 * GIB, at) for at in (6.0, 9.0, 10.0)),
    )
    assert {found.gpu for found in weigh(*events)} <= {None, 8 * GIB}
    assert sum(found.gpu is not None for found in weigh(*events)) == 0


def test_what_is_unloaded_meanwhile_spoils_the_growth() -> None:
    events = (
        seen("qwen:2", at=1),
        *LOAD[1:5],
        seen("qwen", at=5),
        *(machine(9 * GIB, 4 * GIB, at) for at in (6.0, 9.0, 10.0)),
    )
    assert not weigh(*events)  # and what cannot be told is not kept


def test_somebody_elses_load_has_what_the_server_reports_for_its_settings() -> None:
    engine = EngineProcess(7, "llama-server", rss=GIB, vram=6 * GIB)
    steady = [machine(9 * GIB, 4 * GIB, at, engine) for at in (6.0, 9.0, 10.0)]
    (found,) = weigh(seen(at=1), machine(1 * GIB, 2 * GIB, 1.5), seen("qwen", at=5), *steady)
    assert found.settings.context_length == 8192
    assert found.gpu == 6 * GIB
