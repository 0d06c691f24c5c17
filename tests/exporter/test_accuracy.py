"""Loads as predicted and as measured."""

import asyncio

import pytest

from lmdeck.exporter.accuracy import Accuracy, Comparison
from lmdeck.exporter.names import MOST_NAMES
from lmdeck.forecaster import Forecaster
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Outlook
from lmdeck.state.deck import DeckState
from lmdeck.state.scales import Weighing

GIB = 2**30


class Oracle(Forecaster):
    """Predicts the same for every model; `answered` is set after so many questions."""

    def __init__(self, outlook: Outlook | None, questions: int) -> None:
        super().__init__(DeckState, None)
        self.answer, self.left, self.answered = outlook, questions, asyncio.Event()

    async def outlook(self, request: LoadRequest, *, search: bool = True, without: str | None = None) -> Outlook | None:
        self.left -= 1
        if not self.left:
            self.answered.set()
        return self.answer


def weighing(key: str, gpu: int | None, ram: int | None) -> Weighing:
    return Weighing(Model(key), Instance(key, key), LoadRequest(key), 1.0, gpu, ram)


async def compared(outlook: Outlook | None, *weighings: Weighing) -> list[Comparison]:
    oracle = Oracle(outlook, len(weighings))
    accuracy = Accuracy(oracle)
    work = asyncio.create_task(accuracy.run())
    try:
        async with asyncio.timeout(30):
            for one in weighings:
                accuracy.weighed(one)
            await oracle.answered.wait()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    return list(accuracy.comparisons.values())


async def test_both_kinds_of_memory_and_the_last_load_only() -> None:
    outlook = Outlook(8_192, 1, "from the file", "", gpu_bytes=4 * GIB, ram_bytes=2 * GIB)
    found = await compared(outlook, weighing("qwen", GIB, None), weighing("qwen", 5 * GIB, GIB))
    assert found == [Comparison("qwen", "gpu", 4 * GIB, 5 * GIB), Comparison("qwen", "ram", 2 * GIB, GIB)]
    assert [one.error for one in found] == [0.25, -0.5]


@pytest.mark.parametrize(
    "outlook", [None, Outlook(8_192, 1, "unknown", ""), Outlook(8_192, 1, "rough", "", gpu_bytes=0)]
)
async def test_without_a_prediction_there_is_nothing_to_compare(outlook: Outlook | None) -> None:
    assert await compared(outlook, weighing("qwen", GIB, GIB)) == []


async def test_however_many_models_are_loaded_the_series_stay_few() -> None:
    outlook = Outlook(8_192, 1, "from the file", "", gpu_bytes=GIB)
    found = await compared(outlook, *(weighing(f"m{at}", GIB, None) for at in range(MOST_NAMES + 5)))
    assert len(found) == MOST_NAMES
