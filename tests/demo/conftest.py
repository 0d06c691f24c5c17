"""A client of the scripted server, and its `lms`."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from lmdeck.demo.launch import DemoEndpoint


class Api(httpx.AsyncClient):
    """A client with the endpoint's token, and what tests do again and again."""

    def __init__(self, endpoint: DemoEndpoint) -> None:
        headers = {"authorization": f"Bearer {endpoint.token}"}
        super().__init__(base_url=endpoint.url, headers=headers, timeout=20, trust_env=False)

    async def models(self) -> dict[str, dict]:
        """The catalogue by key."""
        return {model["key"]: model for model in (await self.get("/api/v1/models")).json()["models"]}

    async def instances(self) -> list[str]:
        """The ids in memory."""
        return [each["id"] for model in (await self.models()).values() for each in model["loaded_instances"]]

    async def ps(self) -> list[dict]:
        """What `lms ps --json` prints."""
        return (await self.get("/demo/ps")).json()

    async def load(self, model: str, **parameters: object) -> dict:
        """Load and answer the server's answer."""
        response = await self.post("/api/v1/models/load", json={"model": model, **parameters})
        assert response.status_code == 200, response.text
        return response.json()

    async def faults(self, *names: str, timings: str | None = None) -> None:
        """Set the faults in force, and the timings."""
        response = await self.post("/demo/faults", json={"faults": names, "timings": timings})
        assert response.status_code == 200, response.text

    async def chat(self, model: str, input: str, **parameters: object) -> dict:
        """A whole answer."""
        response = await self.post("/api/v1/chat", json={"model": model, "input": input, **parameters})
        assert response.status_code == 200, response.text
        return response.json()

    async def events(self, model: str, input: str, **parameters: object) -> list[dict]:
        """All events of a streamed answer."""
        body = {"model": model, "input": input, "stream": True, **parameters}
        async with self.stream("POST", "/api/v1/chat", json=body) as response:
            assert response.status_code == 200, await response.aread()
            assert response.headers["content-type"].startswith("text/event-stream")
            return [json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: ")]


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return json.loads(self.out)


class Lms:
    """Runs an endpoint's `lms`."""

    def __init__(self, endpoint: DemoEndpoint) -> None:
        self._endpoint = endpoint

    async def spawn(self, *arguments: str, token: str | None = None) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._endpoint.lms,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"LM_API_TOKEN": self._endpoint.token if token is None else token},
        )

    async def __call__(self, *arguments: str, token: str | None = None) -> Ran:
        process = await self.spawn(*arguments, token=token)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())

    @asynccontextmanager
    async def log(self, *arguments: str) -> AsyncIterator[Callable[[], Awaitable[dict]]]:
        """`lms log stream --json`, listening; yields what answers the next event's `data`."""
        process = await self.spawn("log", "stream", "--json", *arguments)
        assert process.stdout
        assert process.stderr

        async def data() -> dict:
            line = await asyncio.wait_for(process.stdout.readline(), 10)
            return json.loads(line)["data"] if line else {}

        try:
            assert b"Streaming logs" in await asyncio.wait_for(process.stderr.readline(), 10)
            yield data
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture
async def api(scripted_server: DemoEndpoint) -> AsyncIterator[Api]:
    """The scripted server's HTTP API."""
    async with Api(scripted_server) as client:
        yield client


@pytest.fixture
async def llama(llama_server: DemoEndpoint) -> AsyncIterator[Api]:
    """The real engine's HTTP API."""
    async with Api(llama_server) as client:
        yield client


@pytest.fixture
def lms(scripted_server: DemoEndpoint) -> Lms:
    """The scripted server's `lms`."""
    return Lms(scripted_server)


@pytest.fixture
def llama_lms(llama_server: DemoEndpoint) -> Lms:
    """The real engine's `lms`."""
    return Lms(llama_server)


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Waits until an asynchronous condition is true."""

    async def wait(condition: Callable[[], Awaitable[bool]], timeout: float = 10) -> None:
        async with asyncio.timeout(timeout):
            while not await condition():  # noqa: ASYNC110 - the condition is in another process
                await asyncio.sleep(0.01)

    return wait
