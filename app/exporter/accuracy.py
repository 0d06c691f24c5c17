"""How good the estimates are: each load as predicted and as measured."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lmdeck.exporter.names import MOST_NAMES
from lmdeck.forecaster import Forecaster
from lmdeck.state.scales import Weighing


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last load of a model, in bytes of one kind of memory; `predicted` is more than 0."""

    model_key: str
    memory: Literal["gpu", "ram"]
    predicted: int
    measured: int

    @property
    def error(self) -> float:
        """By how much more was taken than predicted: 0.1 is 10 % more."""
        return self.measured / self.predicted - 1


class Accuracy:
    """Makes for each load that was measured the estimate that it is compared with."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self._weighed: asyncio.Queue[Weighing] = asyncio.Queue()
        self.comparisons: Mapping[str, Comparison] = {}
        """By model and memory; another mapping after each load, never changed in place."""

    def weighed(self, weighing: Weighing) -> None:
        """A load was measured."""
        self._weighed.put_nowait(weighing)

    async def run(self) -> None:
        """Compare as they come; ends only when cancelled."""
        while True:
            weighing = await self._weighed.get()
            outlook = await self._forecaster.outlook(weighing.settings, search=False)
            if outlook is not None:
                self._compare(weighing.model.key, "gpu", outlook.gpu_bytes, weighing.gpu)
                self._compare(weighing.model.key, "ram", outlook.ram_bytes, weighing.ram)

    def _compare(self, key: str, memory: Literal["gpu", "ram"], predicted: int | None, measured: int | None) -> None:
        name = f"{memory} {key}"
        if predicted and measured is not None and (name in self.comparisons or len(self.comparisons) < MOST_NAMES):
            self.comparisons = {**self.comparisons, name: Comparison(key, memory, predicted, measured)}
