"""What is in memory: loading, unloading, just-in-time loading, idle time-outs, eviction and the queues.

The way in for every endpoint that runs a model:

```python
async with hub.request(key, ttl_s=None) as ticket:            # JIT-loads, waits for a free slot, counts as activity
    async for piece in ticket.generate(GenerateRequest(...)):  # or ticket.embed([...])
        ...
    # an engine with its own llama-server: proxy to ticket.instance.runner.url, setting ticket.phase and calling
    # ticket.log_input / ticket.log_output
```
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines.base import Engine, EngineError, LoadOptions, RunnerGone, RuntimeLine
from lmdeck.demo.errors import NO_MODELS, ApiError, instance_not_found, load_failed, model_not_found
from lmdeck.demo.fields import Json
from lmdeck.demo.instance import Instance, Ticket
from lmdeck.demo.loading import LoadJob
from lmdeck.demo.logs import LogHub

DEFAULT_CONTEXT = 4096
JIT_TTL_S = 3600.0


def check_context(model: CatalogModel, context_length: int) -> None:
    """Refuse a context beyond the model's: llama.cpp would allocate it all, and then not use it. Raises ApiError."""
    if context_length > model.max_context_length:
        raise load_failed(
            model.key,
            f"Requested context length {context_length} exceeds the model's maximum of {model.max_context_length}.",
        )


class Hub:
    """All models and instances of one server. `jit` off refuses requests for models that are not loaded."""

    def __init__(
        self, engine: Engine, models: tuple[CatalogModel, ...], log: LogHub, *, jit: bool, jit_ttl_s: float = JIT_TTL_S
    ) -> None:
        self.engine, self.log, self.jit, self.jit_ttl_s = engine, log, jit, jit_ttl_s
        self.models = {model.key: model for model in models}
        self.instances: dict[str, Instance] = {}
        self._jobs: dict[str, LoadJob] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    def model(self, key: str) -> CatalogModel:
        """The model called `key` (a variant's name will do). Raises ApiError 404."""
        model = self.models.get(key) or self.models.get(key.partition("@")[0])
        if model is None:
            raise model_not_found(key)
        return model

    def copies(self, key: str) -> list[Instance]:
        """The instances of a model, oldest first."""
        return [each for each in self.instances.values() if each.model.key == key]

    def find(self, name: str) -> Instance | None:
        """The instance called `name`, or the first one of the model called so."""
        if name in self.instances:
            return self.instances[name]
        return next(iter(self.copies(name.partition("@")[0])), None)

    def next_id(self, key: str) -> str:
        """The id that the next instance of a model gets: `key`, then `key:2` …"""
        taken = self.instances.keys() | self._jobs.keys()
        number = 1
        while (name := key if number == 1 else f"{key}:{number}") in taken:
            number += 1
        return name

    def defaults(self, model: CatalogModel) -> LoadOptions:
        """What a load without parameters uses."""
        return LoadOptions(context_length=min(DEFAULT_CONTEXT, model.max_context_length))

    def load(
        self,
        model: CatalogModel,
        options: LoadOptions,
        *,
        identifier: str | None = None,
        ttl_s: float | None = None,
        jit: bool = False,
    ) -> LoadJob:
        """Begin to load; `await job.done()` answers the instance. The load goes on whoever stops waiting.

        Raises ApiError for a context the model cannot have or an identifier in use."""
        check_context(model, options.context_length)
        name = identifier or self.next_id(model.key)
        if name in self.instances or name in self._jobs:
            raise ApiError(400, "invalid_request", f"Identifier '{name}' is already in use.", param="identifier")
        job = LoadJob(name, model.key, jit=jit)
        self._jobs[name] = job
        job.start(self._load(job, model, options, ttl_s))
        return job

    async def _load(self, job: LoadJob, model: CatalogModel, options: LoadOptions, ttl_s: float | None) -> Instance:
        started = time.monotonic()

        self.log.server(f"Loading model '{job.id}' with context length {options.context_length}", level="DEBUG")
        try:
            runner = await self.engine.load(model, options, progress=job.progress, log=self._runtime(job.id))
        except EngineError as error:
            failure = load_failed(model.key, str(error))
            self.log.server(failure.message, level="ERROR")
            raise failure from error
        finally:
            self._jobs.pop(job.id, None)
        job.seconds = time.monotonic() - started
        instance = Instance(job.id, model, options, runner, jit=job.jit, ttl_s=ttl_s)
        self.instances[job.id] = instance
        self.log.server(f"Model '{job.id}' loaded in {job.seconds:.2f} s")
        watcher = asyncio.create_task(self._watch(instance))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return instance

    async def _watch(self, instance: Instance) -> None:
        """A runner that dies is an instance that is gone, with a word about it in the log."""
        code = await instance.runner.exited()
        if not instance.gone:
            self._forget(instance)
            words = f"The model '{instance.id}' has crashed without additional information. (Exit code: {code})"
            self.log.server(words, level="ERROR")
            self._runtime(instance.id)(RuntimeLine(f"process ended with exit code {code}", "error"))
            await instance.runner.close()

    def _forget(self, instance: Instance) -> None:
        instance.gone = True
        self.instances.pop(instance.id, None)

    def _runtime(self, instance_id: str) -> Callable[[RuntimeLine], None]:
        """What takes an instance's runtime lines to the log."""
        about: Json = {
            "engineName": self.engine.name,
            "engineVersion": self.engine.version,
            "engineType": "llama.cpp",
            "modelIdentifier": instance_id,
        }
        return lambda line: self.log.runtime(line.text, line.level, about, line.pid)

    async def unload(self, instance_id: str, *, why: str = "") -> None:
        """Unload one instance; running requests end with RunnerGone. Raises ApiError 404."""
        if instance_id not in self.instances:
            raise instance_not_found(instance_id)
        await self._free(self.instances[instance_id], why)

    async def unload_all(self) -> list[str]:
        """Unload everything; answers the names."""
        going = list(self.instances.values())
        await asyncio.gather(*(self._free(instance) for instance in going))
        return [instance.id for instance in going]

    async def _free(self, instance: Instance, why: str = "") -> None:
        if not instance.gone:
            self._forget(instance)
            await instance.runner.close()
            self.log.server(f"Unloaded model '{instance.id}'{why}")

    def jit_load(self, name: str, *, ttl_s: float | None = None, context_length: int | None = None) -> LoadJob:
        """The load that a request for an absent model starts, or the one under way. Raises ApiError if just-in-time
        loading is off or the model is not on disk."""
        if not self.jit and not self.instances:
            raise NO_MODELS
        model = self.model(name)
        under_way = next((job for job in self._jobs.values() if job.key == model.key), None)
        if under_way is not None:
            return under_way
        if not self.jit:
            raise ApiError(404, "model_not_found", f"Model '{name}' is not loaded.")
        ttl = self.jit_ttl_s if ttl_s is None else ttl_s
        options = self.defaults(model)
        if context_length is not None:
            options = replace(options, context_length=context_length)
        return self.load(model, options, ttl_s=ttl, jit=True)

    async def evict_for(self, job: LoadJob) -> None:
        """Unload what earlier requests had loaded just in time: LM Studio keeps one such model, and does not mind
        whether the old one is busy."""
        if job.jit:
            for instance in [each for each in self.instances.values() if each.jit]:
                await self._free(instance, f" to make room for '{job.id}'")

    async def ready(self, name: str, *, ttl_s: float | None = None) -> Instance:
        """The instance for a request to `name`, loaded if need be. Raises ApiError."""
        instance = self.find(name)
        if instance is not None:
            return instance
        job = self.jit_load(name, ttl_s=ttl_s)
        await self.evict_for(job)
        return await job.done()

    @asynccontextmanager
    async def request(self, name: str, *, ttl_s: float | None = None) -> AsyncIterator[Ticket]:
        """A place in the queue of `name`'s instance, then one of its slots, until the block ends. Raises ApiError, and
        RunnerGone if the instance is unloaded while the request waits."""
        instance = await self.ready(name, ttl_s=ttl_s)
        async with self.slot(instance) as ticket:
            yield ticket

    @asynccontextmanager
    async def slot(self, instance: Instance) -> AsyncIterator[Ticket]:
        """`request` for an instance that is at hand."""
        ticket = Ticket(instance, self.log)
        instance.tickets.append(ticket)
        try:
            async with instance.slots:
                if instance.gone:
                    raise RunnerGone("Model was unloaded.")
                yield ticket
        finally:
            instance.tickets.remove(ticket)
            instance.last_used = time.time()

    async def reap(self, every_s: float = 0.5) -> None:
        """Unload what has been idle too long, for ever."""
        while True:
            await asyncio.sleep(every_s)
            for instance in list(self.instances.values()):
                if instance.ttl_left == 0:
                    await self._free(instance, " after its idle TTL")

    async def close(self) -> None:
        """End all loads and free all instances."""
        for job in list(self._jobs.values()):
            await job.cancel()
        await self.unload_all()
        for watcher in list(self._watchers):
            watcher.cancel()
