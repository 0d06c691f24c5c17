"""What the older API says about loaded contexts, asked whenever the newer one says something new about them."""

import asyncio
from collections.abc import AsyncGenerator

from lmdeck.backend.errors import BackendError, NotFound
from lmdeck.backend.protocol import Backend
from lmdeck.state.events import Event, OlderApiSaid


async def context_feed(backend: Backend, wanted: asyncio.Event) -> AsyncGenerator[Event]:
    """An `OlderApiSaid` each time `wanted` is set. Ends where that API is not served."""
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            contexts = await backend.loaded_contexts()
        except NotFound:
            return
        except BackendError:
            continue
        yield OlderApiSaid(contexts)
