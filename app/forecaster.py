"""Answers what a load would take, from everything the deck knows; and keeps the FIT column true."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lmdeck.backend.protocol import CommandLine
from lmdeck.config.models_folder import model_path
from lmdeck.estimate.calibrate import calibration
from lmdeck.estimate.forecast import forecast
from lmdeck.model.catalog import Model
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import LmsFigure, Occupant, Outlook, Question, Room
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Event, OutlooksMade
from lmdeck.state.hardware import is_local, occupants, room

_BATCH, _REST_S = 10, 0.05
_STEP = 256 * 2**20
"""Bytes of free memory that make no difference to the FIT column."""
_MOST_FIGURES = 200


class Forecaster:
    """`state` answers the deck's state now. Headers are read in threads; everything else is arithmetic."""

    def __init__(self, state: Callable[[], DeckState], models_folder: Path | None) -> None:
        self._state, self._folder = state, models_folder
        self._records: dict[str, Sequence[LoadRecord]] = {}
        self._figures: dict[LoadRequest, LmsFigure] = {}
        self._changed = asyncio.Event()
        self._known: object = None

    def learn(self, key: str, records: Sequence[LoadRecord]) -> None:
        """Take the lesson of one model's earlier loads on this machine."""
        self._records[key] = records
        self._changed.set()

    def heed(self) -> None:
        """After a change of the state: whether the forecasts are to be made anew is looked up here."""
        state = self._state()
        free, keys = room(state), frozenset(model.key for model in state.models or ())
        about = (free.vram_free, free.ram_free) if free.vram_free is None else (free.vram_free, None)
        loaded = frozenset(instance.id for instance in state.instances())
        coarse = tuple(None if amount is None else amount // _STEP for amount in about)
        now = (keys, loaded, coarse, id(state.files), id(state.presets), state.llama_build)
        if now != self._known:
            self._known = now
            self._changed.set()

    def question(self, model: Model, request: LoadRequest, without: str | None = None) -> Question:
        """The forecast's question, with everything that bears on it; `without` is an instance to be thought away."""
        state = self._state()
        others = occupants(state)
        return Question(
            model,
            request,
            room=_with(room(state), next((one for one in others if one.instance_id == without), None)),
            file=self._file(state, model.key),
            occupants=tuple(one for one in others if one.instance_id != without),
            llama_build=state.llama_build,
            calibration=calibration(self._records.get(model.key, ()), request),
            lmstudio=self._figures.get(request),
        )

    def _file(self, state: DeckState, key: str) -> Path | None:
        """Where the model lies on this machine, if it is this machine's."""
        entry = state.files.get(key)
        if entry is None or entry.device or self._folder is None or not is_local(state.url):
            return None
        return model_path(self._folder, entry.path)

    async def outlook(self, request: LoadRequest, *, search: bool = True, without: str | None = None) -> Outlook | None:
        """The forecast of one load; None for a model that is not in the list."""
        model = self._state().model(request.model)
        if model is None:
            return None
        return await asyncio.to_thread(forecast, self.question(model, request, without), search=search)

    async def ask_lmstudio(self, cli: CommandLine, request: LoadRequest) -> LmsFigure:
        """LM Studio's own figure, kept for the next forecast. Raises CommandFailed."""
        figure = await cli.estimate(request)
        self._figures[request] = figure
        if len(self._figures) > _MOST_FIGURES:
            del self._figures[next(iter(self._figures))]
        return figure

    async def feed(self) -> AsyncGenerator[Event]:
        """New forecasts for every model's last-used or default settings, whenever something changed that matters."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            state = self._state()
            models = list(state.models or ())
            for start in range(0, len(models), _BATCH):
                asked = [self.question(model, _usual(state, model)) for model in models[start : start + _BATCH]]
                yield OutlooksMade(await asyncio.to_thread(_all, asked))
                await asyncio.sleep(_REST_S)


def _usual(state: DeckState, model: Model) -> LoadRequest:
    return state.last_settings(model.key) or LoadRequest(model.key)


def _all(questions: list[Question]) -> Mapping[str, Outlook]:
    return {question.model.key: forecast(question, search=False) for question in questions}


def _with(free: Room, gone: Occupant | None) -> Room:
    """The memory that is free when this instance is gone."""
    if gone is None or gone.bytes is None:
        return free
    if free.vram_free is not None:
        return replace(free, vram_free=free.vram_free + gone.bytes)
    return replace(free, ram_free=None if free.ram_free is None else free.ram_free + gone.bytes)
