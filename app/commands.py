"""What can be done to a server: one async method per intent. The deck and the command line both use it."""

import time
from collections.abc import AsyncGenerator, Callable, Iterable

from lmdeck.backend.errors import BackendError, CommandFailed
from lmdeck.backend.protocol import Backend, CommandLine
from lmdeck.model.chat import ChatEvent, ChatRequest
from lmdeck.model.load import REST_ONLY, LoadRequest, LoadResult
from lmdeck.model.problem import Problem
from lmdeck.state.events import Event, LoadEnded, LoadStarted, UnloadEnded, UnloadStarted


class Commands:
    """Acts on one backend and tells every start and outcome to `emit`.

    A failure is both an event (the state ends the job) and the raised `BackendError` (the caller shows it).
    """

    def __init__(self, backend: Backend, emit: Callable[[Event], None], cli: CommandLine | None = None) -> None:
        self._backend, self._cli, self._emit = backend, cli, emit

    async def load(self, request: LoadRequest) -> LoadResult:
        """Load a model, by `lms` where the request needs it. Cancelling it stops the waiting (and `lms`); the server
        may go on, so look again afterwards."""
        self._emit(LoadStarted(request, time.monotonic()))
        result: LoadResult | None = None
        problem: Problem | None = None
        try:
            result = await self._loader(request).load(request)
        except BackendError as error:
            problem = error.problem
            raise
        finally:
            self._emit(LoadEnded(request, result, problem, time.time()))
        return result

    def _loader(self, request: LoadRequest) -> Backend | CommandLine:
        if not request.by_cli:
            return self._backend
        if self._cli is None:
            raise CommandFailed("slots, GPU share, idle time and identifier can be set by `lms load` only: no lms here")
        return self._cli

    async def unload(self, instance_id: str) -> None:
        """Unload one instance."""
        self._emit(UnloadStarted(instance_id, time.monotonic()))
        problem: Problem | None = None
        try:
            await self._backend.unload(instance_id)
        except BackendError as error:
            problem = error.problem
            raise
        finally:
            self._emit(UnloadEnded(instance_id, problem))

    async def unload_all(self, instance_ids: Iterable[str]) -> None:
        """Unload one after another; goes on after a failure and raises the first one at the end."""
        failed: BackendError | None = None
        for instance_id in instance_ids:
            try:
                await self.unload(instance_id)
            except BackendError as error:
                failed = failed or error
        if failed:
            raise failed

    def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Stream one answer; close the iterator to stop the server's generating."""
        return self._backend.chat(request)


def shortfall(request: LoadRequest, result: LoadResult) -> str | None:
    """What the server's echo of a load says differently from what was asked, in words; None when it agrees."""
    if result.config is None:
        return None
    parts = []
    for name in ("context_length", "parallel", *REST_ONLY):
        asked, got = getattr(request, name), getattr(result.config, name)
        if asked is not None and got is not None and asked != got:
            parts.append(f"{name}: {asked} requested, {got} reported")
    return "; ".join(parts) or None
