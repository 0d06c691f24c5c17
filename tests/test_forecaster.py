"""What the forecaster asks with, and when it makes its forecasts anew."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from lmdeck.forecaster import Forecaster
from lmdeck.keeper import Keeper, machine
from lmdeck.model.catalog import Instance, InstanceConfig, Model, ModelFile
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.load import LoadRequest
from lmdeck.model.machine import EngineProcess, Gpu, GpuSample, HostSample
from lmdeck.model.outlook import LmsFigure, Room
from lmdeck.state.deck import DeckState
from lmdeck.state.events import OutlooksMade
from lmdeck.state.scales import Weighing

GIB = 2**30
MODEL = Model("qwen/qwen3-coder-30b", architecture="qwen3moe", params="30B-A3B", size_bytes=17 * GIB)
OTHER = Model("ha", size_bytes=5 * GIB, instances=(Instance("ha", "ha", InstanceConfig(8192)),))
STATE = DeckState(
    url="http://127.0.0.1:1234",
    models=(MODEL, OTHER),
    gpus=GpuSample((Gpu(0, "RTX", vram_used=8 * GIB, vram_total=24 * GIB),)),
    host=HostSample(1.0, 8 * GIB, 64 * GIB, 0, 0, engines=(EngineProcess(1, "llama-server", vram=6 * GIB),)),
    files={MODEL.key: ModelFile(MODEL.key, "a/b.gguf"), "ha": ModelFile("ha", "../../etc/passwd")},
)
REQUEST = LoadRequest(MODEL.key, context_length=8192)


class Deck:
    """A state that can change."""

    def __init__(self, state: DeckState = STATE) -> None:
        self.state = state

    def __call__(self) -> DeckState:
        return self.state


def test_the_file_is_this_machines_own_or_none() -> None:
    deck = Deck()
    forecaster = Forecaster(deck, Path("/models"))
    assert forecaster.question(MODEL, REQUEST).file == Path("/models/a/b.gguf")
    assert forecaster.question(OTHER, REQUEST).file is None  # a path that leads out of the folder
    deck.state = replace(STATE, url="http://10.0.0.2:1234")
    assert forecaster.question(MODEL, REQUEST).file is None
    deck.state = replace(STATE, files={MODEL.key: ModelFile(MODEL.key, "a/b.gguf", device="laptop")})
    assert forecaster.question(MODEL, REQUEST).file is None


def test_what_a_reload_unloads_first_is_thought_away() -> None:
    forecaster = Forecaster(Deck(), None)
    assert forecaster.question(OTHER, REQUEST).room == Room(16 * GIB, 24 * GIB, 56 * GIB, 64 * GIB)
    without = forecaster.question(OTHER, REQUEST, "ha")
    assert without.room.vram_free == 22 * GIB
    assert without.occupants == ()


class Cli:
    async def estimate(self, request: LoadRequest) -> LmsFigure:
        return LmsFigure(20 * GIB, 21 * GIB)


async def test_lm_studios_figure_is_remembered_for_the_same_settings() -> None:
    forecaster = Forecaster(Deck(), None)
    await forecaster.ask_lmstudio(Cli(), REQUEST)
    assert forecaster.question(MODEL, REQUEST).lmstudio == LmsFigure(20 * GIB, 21 * GIB)
    assert forecaster.question(MODEL, replace(REQUEST, context_length=4096)).lmstudio is None


async def test_forecasts_are_made_anew_only_when_something_changed_that_matters() -> None:
    deck = Deck()
    forecaster = Forecaster(deck, None)
    async with aclosing(forecaster.feed()) as feed, asyncio.timeout(10):
        forecaster.heed()
        first = await anext(feed)
        assert isinstance(first, OutlooksMade)
        assert first.outlooks[MODEL.key].confidence == "from a table"
        waiting = asyncio.ensure_future(anext(feed))
        gpu = replace(STATE.gpus.gpus[0], vram_used=8 * GIB + 2**20)  # type: ignore[union-attr]
        deck.state = replace(STATE, gpus=GpuSample((gpu,)))
        forecaster.heed()
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        deck.state = replace(STATE, presets={MODEL.key: (Preset("", REQUEST),)})
        forecaster.heed()
        again = await waiting
        assert isinstance(again, OutlooksMade)
        assert again.outlooks[MODEL.key].context == 8192


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.records: list[LoadRecord] = []

    async def add_load(self, record: LoadRecord) -> None:
        self.records.insert(0, record)

    async def loads(
        self, model_key: str | None = None, machine: str | None = None, limit: int = 50
    ) -> tuple[LoadRecord, ...]:
        return tuple(one for one in self.records if model_key in (None, one.model_key))[:limit]


async def test_a_measured_load_is_kept_beside_its_forecast_and_teaches() -> None:
    forecaster = Forecaster(Deck(), None)
    await forecaster.ask_lmstudio(Cli(), REQUEST)
    keeper = Keeper(Shelf(), forecaster, Deck())  # type: ignore[arg-type]
    instance = Instance(MODEL.key, MODEL.key, InstanceConfig(8192))
    plain = await forecaster.outlook(REQUEST, search=False)
    assert plain is not None
    assert plain.parts is not None
    took = plain.parts.gpu.total + GIB // 2
    seen = await keeper.weighed(Weighing(MODEL, instance, REQUEST, 4.0, took, GIB))
    (record,) = seen.records
    assert (record.predicted_gpu, record.measured_gpu) == (plain.parts.gpu.total, took)
    assert (record.lmstudio_gpu, record.machine) == (20 * GIB, "RTX 24576")
    learned = await forecaster.outlook(REQUEST, search=False)
    assert learned is not None
    assert learned.calibrated_by == 1
    assert learned.gpu_bytes == took


def test_a_machine_is_its_gpus_else_its_ram() -> None:
    assert machine(STATE) == "RTX 24576"
    assert machine(replace(STATE, gpus=None)) == "RAM 65536"
