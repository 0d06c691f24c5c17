"""What outlives the session: presets, downloads, and every load as predicted and as measured."""

import time
from collections.abc import Callable
from dataclasses import replace

from lmdeck.evidence.allocation import claims
from lmdeck.forecaster import Forecaster
from lmdeck.model.download import Download
from lmdeck.model.exchange import ExchangeText, PastExchange
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import Outlook
from lmdeck.model.statistics import Day
from lmdeck.state.deck import DeckState
from lmdeck.state.events import DownloadsSeen, Event, PresetsSeen, RecordsSeen
from lmdeck.state.scales import Weighing
from lmdeck.store.history import Store

LAST = ""
"""The name of the preset that a model was last loaded with."""
_MOST = 2000


class Keeper:
    """Writes to the store what the user's loads and presets leave behind, and reads it back. Every method raises
    StoreError: the deck goes on without a store."""

    def __init__(self, store: Store, forecaster: Forecaster, state: Callable[[], DeckState]) -> None:
        self._store, self._forecaster, self._state = store, forecaster, state

    async def presets(self) -> Event:
        """All presets, as an event."""
        return PresetsSeen(await self._store.presets())

    async def keep(self, preset: Preset) -> Event:
        """Keep a preset; answers all of them."""
        await self._store.keep_preset(preset)
        return await self.presets()

    async def drop(self, model_key: str, name: str) -> Event:
        """Forget a preset; answers all of them."""
        await self._store.drop_preset(model_key, name)
        return await self.presets()

    async def remember(self, request: LoadRequest) -> Event:
        """A load that worked is what "as last time" means from now on, without its identifier: that must be unique."""
        return await self.keep(Preset(LAST, replace(request, identifier=None)))

    async def downloads(self) -> Event:
        """What earlier sessions began to download from this server, as an event."""
        return DownloadsSeen(await self._store.downloads(self._state().url))

    async def keep_download(self, download: Download) -> None:
        """Keep a download that runs."""
        await self._store.keep_download(self._state().url, download)

    async def drop_download(self, job_id: str) -> None:
        """Forget a download that is over."""
        await self._store.drop_download(self._state().url, job_id)

    async def days(self, span: int) -> tuple[Day, ...]:
        """Token totals by model and day."""
        return await self._store.days(span)

    async def past(self, words: str, most: int) -> tuple[PastExchange, ...]:
        """The newest requests with all these words (the newest of all for an empty text), newest first."""
        return await self._store.past_exchanges(words, most)

    async def past_text(self, number: int) -> ExchangeText | None:
        """Prompt and answer of one of them, where they were kept."""
        return await self._store.exchange_text(number)

    async def lessons(self) -> tuple[RecordsSeen, ...]:
        """Earlier loads on this machine, for the screens; the forecasts learn from them."""
        found: dict[str, list[LoadRecord]] = {}
        for record in await self._store.loads(machine=machine(self._state()), limit=_MOST):
            found.setdefault(record.model_key, []).append(record)
        return tuple(self._learned(key, tuple(records)) for key, records in found.items())

    def _learned(self, key: str, records: tuple[LoadRecord, ...]) -> RecordsSeen:
        self._forecaster.learn(key, records)
        return RecordsSeen(key, records)

    async def weighed(self, weighing: Weighing) -> RecordsSeen:
        """Keep a load that was measured, beside what had been predicted for it; the next forecast is the better."""
        outlook = await self._forecaster.outlook(weighing.settings, search=False)
        record = self._record(weighing, outlook)
        await self._store.add_load(record)
        key = record.model_key
        return self._learned(key, await self._store.loads(key, machine(self._state())))

    def _record(self, weighing: Weighing, outlook: Outlook | None) -> LoadRecord:
        state, parts = self._state(), outlook.parts if outlook else None
        allocation = state.allocations.get(weighing.instance.id)
        claim = claims(allocation) if allocation else None
        figure = outlook.lmstudio if outlook else None
        return LoadRecord(
            at=time.time(),
            server=state.url,
            machine=machine(state),
            model_key=weighing.model.key,
            instance_id=weighing.instance.id,
            settings=weighing.settings,
            load_time_s=weighing.load_time_s,
            predicted_gpu=parts.gpu.total if parts else None,
            predicted_ram=parts.ram.total if parts else None,
            confidence=outlook.confidence if outlook else "",
            lmstudio_gpu=figure.gpu_bytes if figure else None,
            lmstudio_total=figure.total_bytes if figure else None,
            measured_gpu=weighing.gpu,
            measured_ram=weighing.ram,
            allocated_context=claim.tokens if claim else None,
        )


def machine(state: DeckState) -> str:
    """What identifies the hardware in the history: its GPUs, else its RAM."""
    gpus = [f"{gpu.name} {(gpu.vram_total or 0) >> 20}" for gpu in state.gpus.gpus] if state.gpus else []
    ram = f"RAM {state.host.ram_total >> 20}" if state.host else ""
    return " + ".join(gpus or [ram or "unknown"])
