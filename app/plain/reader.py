"""One server, looked at when asked: what its interfaces say now, as a state of the deck."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from lmdeck.backend.errors import BackendError
from lmdeck.connect import open_sources
from lmdeck.feeds.activity import runtime_feed
from lmdeck.feeds.machine import machine_feed
from lmdeck.feeds.models import read_models
from lmdeck.plain.frame import EXIT_USAGE, Failed
from lmdeck.state.deck import DeckState
from lmdeck.state.events import ActivitySeen, CatalogSeen, Connected, Event, MachineSeen, OlderApiSaid, SourceLost
from lmdeck.state.step import step

if TYPE_CHECKING:
    from lmdeck.config.settings import Settings
    from lmdeck.feeds.sources import Sources
    from lmdeck.model.catalog import Instance, Model


class Reader:
    """Holds a state that every look and every `apply` steps on."""

    def __init__(self, sources: "Sources") -> None:
        self.sources = sources
        self._epoch = time.time() - time.monotonic()
        self.state = DeckState()
        self.changed = asyncio.Event()
        """Set whenever the state is another one; who waits for that clears it."""
        self.apply(Connected(sources.backend.url, sources.backend.has_token, sources.cli is not None))

    def apply(self, event: Event) -> None:
        """Step the state."""
        before, self.state = self.state, step(self.state, event)
        if self.state is not before:
            self.changed.set()

    def wall(self, at: float) -> int:
        """A monotonic second of the state as Unix time; the same one whenever it is asked."""
        return round(at + self._epoch)

    async def look(self) -> DeckState:
        """The models, then what API v0 and `lms ps` add, as far as there are such. Raises BackendError where the list
        of models cannot be read."""
        await self.look_at_models()
        await asyncio.gather(self._older_contexts(), self._activity())
        return self.state

    async def look_at_models(self) -> DeckState:
        """The list of models alone. Raises BackendError."""
        backend = self.sources.backend
        try:
            models = await read_models(backend)
        except BackendError as error:
            self.apply(SourceLost("models", error.problem, time.monotonic()))
            raise
        self.apply(CatalogSeen(models, backend.round_trip_s, time.monotonic(), time.time()))
        return self.state

    async def _older_contexts(self) -> None:
        try:
            self.apply(OlderApiSaid(await self.sources.backend.loaded_contexts()))
        except BackendError:
            return  # it only adds

    async def _activity(self) -> None:
        if self.sources.cli is None:
            return
        try:
            self.apply(ActivitySeen(await self.sources.cli.ps(), time.monotonic(), time.time()))
        except BackendError as error:
            self.apply(SourceLost("activity", error.problem, time.monotonic()))

    async def ask_runtime(self) -> None:
        """The engine's name, where `lms` tells it."""
        if self.sources.cli is not None:
            async for event in runtime_feed(self.sources.cli):
                self.apply(event)

    async def readings(self) -> AsyncGenerator[MachineSeen]:
        """The machine's readings, one a second; the first is left out: its CPU figure is none."""
        async with aclosing(machine_feed(self.sources.open_machine)) as events:
            await anext(events)
            async for event in events:
                if isinstance(event, MachineSeen):
                    self.apply(event)
                    yield event


@asynccontextmanager
async def reading(settings: "Settings") -> AsyncIterator[Reader]:
    """A reader of the server in the settings. Raises BackendError."""
    async with open_sources(settings) as sources:
        yield Reader(sources)


def must_change(settings: "Settings") -> None:
    """Raises Failed where the settings allow no change to the server."""
    if settings.read_only:
        raise Failed("read-only by the configuration: nothing is changed on the server", EXIT_USAGE)


def the_model(state: DeckState, key: str) -> "Model":
    """The model of this key, or the only one whose key ends so. Raises Failed with what may be meant."""
    models = {model.key: model for model in state.models or ()}
    if key in models:
        return models[key]
    ends = [name for name in models if name.lower().endswith(key.lower())]
    if len(ends) == 1:
        return models[ends[0]]
    if ends:
        raise Failed(f"{key} may be any of {', '.join(sorted(ends))}")
    raise Failed(f"no model {key!r}{_nearest(key, models)}")


def the_instance(state: DeckState, name: str) -> "Instance":
    """The instance of this id. Raises Failed with what may be meant."""
    if (found := state.instance(name)) is not None:
        return found
    loaded = {instance.id: instance for instance in state.instances()}
    raise Failed(f"{name!r} is not loaded{_nearest(name, loaded)}")


def _nearest(name: str, known: "dict[str, Model] | dict[str, Instance]") -> str:
    from lmdeck.config.errors import nearest

    return nearest(name, known)
