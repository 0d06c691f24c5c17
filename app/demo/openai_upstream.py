"""The connection to the llama-servers behind loaded instances."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import httpx

from lmdeck.backend.errors import BadReply
from lmdeck.backend.sse import SSEDecoder
from lmdeck.demo.engines.base import EngineError, RunnerGone
from lmdeck.demo.fields import Json, obj
from lmdeck.demo.instance import Instance, Ticket
from lmdeck.demo.openai_call import Call
from lmdeck.demo.openai_tally import Tally
from lmdeck.demo.openai_wire import encoded, string


class Upstream:
    """One client for all instances; who made it closes it."""

    def __init__(self) -> None:
        self._http: httpx.AsyncClient | None = None

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=httpx.Timeout(None, connect=5),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),  # llama-server closes them
                trust_env=False,
                verify=False,  # loopback without TLS: saves loading the certificates
            )
        return self._http

    async def close(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()

    async def generate(self, ticket: Ticket, call: Call, tally: Tally) -> AsyncGenerator[Json, None]:
        """llama-server's events as they come; `tally` and the model log hear them too. Closing it closes the
        connection, which makes llama-server stop. Raises EngineError, RunnerGone after an unload."""
        body = call.upstream()
        ticket.log_input(await self._prompt(ticket.instance, call))
        try:
            async with aclosing(self._events(ticket.instance, call.path, body)) as events:
                async for data in events:
                    call.hear(data, tally)
                    if tally.begun:
                        ticket.phase = "generating"
                    yield data
            if tally.stop_reason is None:
                raise await _broken(ticket.instance)
        except EngineError as error:
            tally.stop_reason = "modelUnloaded" if isinstance(error, RunnerGone) else "failed"
            raise
        finally:
            ticket.log_output(tally.text, tally.stats())

    async def _prompt(self, instance: Instance, call: Call) -> str:
        """The prompt as the model gets it: after the chat template, or raw."""
        requests = call.ask.requests
        if requests[0].prompt is not None:
            return "\n".join(dict.fromkeys(request.prompt or "" for request in requests))
        body: Json = {"messages": list(call.ask.messages)}
        if tools := call.body.get("tools"):
            body["tools"] = tools
        url, headers = _address(instance, "/apply-template")
        try:
            response = await self._client().post(url, headers=headers, content=encoded(body))
        except httpx.HTTPError as error:
            raise await _broken(instance) from error
        if response.status_code != 200:
            raise _refusal(response.content)
        return string(obj(response.json()), "prompt")

    async def _events(self, instance: Instance, path: str, body: Json) -> AsyncGenerator[Json, None]:
        url, headers = _address(instance, path)
        decoder = SSEDecoder()
        try:
            async with self._client().stream("POST", url, headers=headers, content=encoded(body)) as response:
                if response.status_code != 200:
                    raise _refusal(await response.aread())
                async for chunk in response.aiter_bytes():
                    for event in decoder.feed(chunk):
                        if event.data != "[DONE]":
                            yield _read(event.data)
        except (httpx.HTTPError, BadReply) as error:
            raise await _broken(instance) from error


def _address(instance: Instance, path: str) -> tuple[str, dict[str, str]]:
    runner = instance.runner
    headers = {"authorization": f"Bearer {runner.api_key}", "content-type": "application/json"}
    return f"{runner.url}{path}", headers


def _read(data: str) -> Json:
    """One event's JSON. Raises EngineError for an error of the engine, and for what is no JSON."""
    try:
        record = obj(json.loads(data))
    except ValueError as error:
        raise EngineError("The engine's answer cannot be read.") from error
    if record.get("error"):
        raise _refusal(data.encode())
    return record


def _refusal(raw: bytes) -> EngineError:
    """llama-server's error answer, `{"error": {"code", "message", "type"}}`, in its own words."""
    try:
        error = obj(obj(json.loads(raw)).get("error"))
    except ValueError:
        error = {}
    code = error.get("code")
    kind = "invalid_request" if isinstance(code, int) and 400 <= code < 500 else "internal_error"
    return EngineError(string(error, "message") or "The engine refused the request.", kind)


async def _broken(instance: Instance) -> EngineError:
    """Why the connection broke: a crash, an unload (the worker ends in order then), or something else."""
    code = None
    with suppress(TimeoutError):
        code = await asyncio.wait_for(instance.runner.exited(), 0.5)
    if code:
        return EngineError(f"The model has crashed without additional information. (Exit code: {code})")
    if instance.gone:
        return RunnerGone("Model was unloaded.")
    return EngineError("The engine broke off its answer; see the runtime log.")
