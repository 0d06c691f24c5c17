"""The private endpoints under `/demo`, which the demo's `lms` command talks to. Same token as everywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo import fields
from lmdeck.demo.catalog import lms_record
from lmdeck.demo.engines.scripted import Timings, parse_timings
from lmdeck.demo.errors import ApiError, invalid
from lmdeck.demo.faults import Faults
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub
from lmdeck.demo.listener import Listener
from lmdeck.demo.loading import LoadJob
from lmdeck.demo.logs import SOURCES, LogHub, LogListener, event_line
from lmdeck.demo.machine import survey, total_memory
from lmdeck.demo.native import load_options
from lmdeck.demo.web import ClosingStream, as_api_error, read_body


class Control:
    """`/demo/…`: `ps`, `ls`, `load`, `unload`, `estimate`, `logs`, `runtime`, `server`, `faults`."""

    def __init__(self, hub: Hub, faults: Faults, timings: Timings, public: Listener) -> None:
        self._hub, self._faults, self._timings, self._public = hub, faults, timings, public
        self._quiet = LogHub()  # private requests are no LM Studio traffic: they are not logged

    def routes(self) -> list[Route]:
        """The endpoints."""
        gets = {"ps": self.ps, "ls": self.ls, "runtime": self.runtime, "logs": self.logs, "server": self.server}
        posts = {
            "load": self.load,
            "unload": self.unload,
            "estimate": self.estimate,
            "faults": self.set_faults,
            "server": self.set_server,
            "reset": self.reset,
        }
        return [Route(f"/demo/{name}", handler, methods=["GET"]) for name, handler in gets.items()] + [
            Route(f"/demo/{name}", handler, methods=["POST"]) for name, handler in posts.items()
        ]

    async def ps(self, request: Request) -> Response:
        """Instances as `lms ps --json` prints them."""
        return JSONResponse([instance.ps() for instance in self._hub.instances.values()])

    async def ls(self, request: Request) -> Response:
        """Models as `lms ls --json` prints them."""
        return JSONResponse([lms_record(model) for model in self._hub.models.values()])

    async def runtime(self, request: Request) -> Response:
        """The engine's name and version, and the machine, as `lms runtime survey --json` prints it."""
        engine = self._hub.engine
        report = await asyncio.to_thread(survey, engine.name, engine.version)
        return JSONResponse({"name": engine.name, "version": engine.version, "survey": report})

    async def server(self, request: Request) -> Response:
        """Whether the public port is open."""
        return JSONResponse({"running": self._public.running, "port": self._public.port})

    async def set_server(self, request: Request) -> Response:
        """Open or close the public port: `{"running": true|false}`."""
        wanted = fields.flag(await read_body(request, self._quiet), "running")
        await (self._public.start() if wanted else self._public.stop())
        return await self.server(request)

    async def reset(self, request: Request) -> Response:
        """As after the start: nothing loaded, no faults, the default timings. For tests that share a server."""
        self._faults.replace([])
        defaults = Timings()
        for name in Timings.__slots__:
            setattr(self._timings, name, getattr(defaults, name))
        await self._hub.unload_all()
        return JSONResponse({})

    async def set_faults(self, request: Request) -> Response:
        """Replace the active faults (`{"faults": ["http_500", "hang:/api/v1/chat"]}`), and, for the scripted engine,
        its timings (`{"timings": "load=1,ttft=0.1,rate=50"}`)."""
        body = await read_body(request, self._quiet)
        specs = body.get("faults")
        try:
            if isinstance(specs, list):
                self._faults.replace([str(spec) for spec in specs])
            if (timings := fields.text(body, "timings")) is not None:
                parse_timings(timings, self._timings)
        except ValueError as error:
            raise invalid(str(error)) from error
        if self._faults.on("lms_crash"):
            self._hub.log.drop()
        return JSONResponse({"faults": self._faults.active()})

    async def load(self, request: Request) -> Response:
        """Load as `lms load` does: a line of JSON for each step; leaving stops the load."""
        body = await read_body(request, self._quiet)
        model = self._hub.model(fields.required(body, "model"))
        options = load_options(self._hub, model, body)
        options = replace(
            options,
            parallel=fields.integer(body, "parallel") or options.parallel,
            gpu=share if (share := fields.number(body, "gpu", minimum=0, maximum=1)) is not None else options.gpu,
        )
        job = self._hub.load(
            model, options, identifier=fields.text(body, "identifier"), ttl_s=fields.integer(body, "ttl")
        )
        return ClosingStream(self._steps(job), "application/x-ndjson")

    async def _steps(self, job: LoadJob) -> AsyncGenerator[bytes, None]:
        finished = False
        try:
            yield _line({"progress": 0.0})
            async for fraction in job.updates():
                yield _line({"progress": fraction})
            try:
                instance = await job.done()
                last: Json = {"identifier": instance.id, "seconds": job.seconds, "size": instance.model.size_bytes}
            except ApiError as error:
                last = {"error": as_api_error(error).message}
            finished = True
            yield _line(last)
        finally:
            if not finished:
                await job.cancel()

    async def unload(self, request: Request) -> Response:
        """Unload by instance or model name; `{"all": true}` unloads everything."""
        body = await read_body(request, self._quiet)
        if fields.flag(body, "all"):
            return JSONResponse({"unloaded": await self._hub.unload_all()})
        name = fields.required(body, "identifier")
        instance = self._hub.find(name)
        name = instance.id if instance else name
        await self._hub.unload(name)
        return JSONResponse({"unloaded": [name]})

    async def estimate(self, request: Request) -> Response:
        """Bytes that a load would need, and whether the machine has them."""
        body = await read_body(request, self._quiet)
        model = self._hub.model(fields.required(body, "model"))
        context = fields.integer(body, "context_length") or self._hub.defaults(model).context_length
        needed = model.memory(context)
        capacity = await asyncio.to_thread(total_memory, self._hub.engine.name)
        return JSONResponse({"model": model.key, "bytes": needed, "fits": needed < 0.9 * capacity})

    async def logs(self, request: Request) -> Response:
        """One log source, a line of JSON for each event, until the client or the server goes."""
        source = request.query_params.get("source", "model")
        if source not in SOURCES:
            raise invalid(f"source must be one of {', '.join(SOURCES)}", param="source")
        return ClosingStream(self._log_lines(source), "application/x-ndjson")

    async def _log_lines(self, source: str) -> AsyncGenerator[bytes, None]:
        with self._hub.log.listen(source) as listener:
            if self._faults.on("lms_crash"):
                return
            spoiler = asyncio.create_task(self._spoil(source, listener))
            try:
                yield b"\n"  # the answer's head goes out with the first bytes: who sees it knows that it listens
                async for batch in listener.batches():
                    yield batch
            finally:
                spoiler.cancel()

    async def _spoil(self, source: str, listener: LogListener) -> None:
        """The log faults: lines that are no events, or far too many events."""
        number = 0
        while True:
            await asyncio.sleep(0.05)
            if self._faults.take("malformed_log_lines"):
                listener.put(
                    b'Streaming logs from LM Studio\n{"timestamp": 17, "data": \n[1, 2]\n\xff\xfe\x1b[31mred\n'
                )
            if self._faults.on("lms_flood"):
                for step in range(50):
                    listener.put(_flood(source, number + step))
                number += 50


def _flood(source: str, number: int) -> bytes:
    if source == "model":
        return event_line({"type": "llm.prediction.output", "modelIdentifier": "flood", "output": f"flood {number}"})
    if source == "runtime":
        return event_line({"type": "runtime.log", "level": "info", "message": f"flood {number}"})
    return event_line({"type": "server.log", "level": "debug", "content": f"flood {number}"})


def _line(data: Json) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"
