"""The server's list of models, polled over HTTP."""

import time
from collections.abc import AsyncGenerator

from lmdeck.backend.errors import BackendError, BadReply, NotFound
from lmdeck.backend.protocol import Backend
from lmdeck.feeds.pace import Pace
from lmdeck.model.catalog import Model
from lmdeck.state.events import CatalogSeen, Event, SourceLost


async def model_feed(backend: Backend, pace: Pace) -> AsyncGenerator[Event]:
    """A `CatalogSeen` or a `SourceLost` each time the pace allows; ends only when closed."""
    known: object = None
    while True:
        try:
            models = await read_models(backend)
        except BackendError as error:
            changed = True
            yield SourceLost("models", error.problem, time.monotonic())
        else:
            changed, known = models != known, models
            yield CatalogSeen(models, backend.round_trip_s, time.monotonic(), time.time())
        await pace.rest(changed)


async def read_models(backend: Backend) -> tuple[Model, ...]:
    """The list. When the answer makes no sense, the greeting tells a foreign program on the port from an LM Studio
    that has trouble, and its error is the better one. Raises BackendError."""
    try:
        return await backend.models()
    except (BadReply, NotFound):
        await backend.greet()
        raise
