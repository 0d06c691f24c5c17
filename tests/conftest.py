"""The embedded demo server for every test that needs a whole LM Studio: one process per engine and session, clean for
each test. `scripted_server` is weightless; `llama_server` is real llama.cpp with SmolLM2."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from lmdeck.demo.launch import DemoEndpoint, DemoServer


def _serve(engine: str) -> Iterator[DemoEndpoint]:
    with asyncio.Runner() as runner:
        server = DemoServer(engine)
        endpoint = runner.run(server.start())
        try:
            yield endpoint
        finally:
            runner.run(server.close())


def _clean(endpoint: DemoEndpoint) -> DemoEndpoint:
    headers = {"authorization": f"Bearer {endpoint.token}"}
    httpx.post(f"{endpoint.url}/demo/reset", headers=headers, timeout=10).raise_for_status()
    return endpoint


@pytest.fixture(scope="session")
def _scripted_process() -> Iterator[DemoEndpoint]:
    yield from _serve("scripted")


@pytest.fixture(scope="session")
def _llama_process() -> Iterator[DemoEndpoint]:
    yield from _serve("llama")


@pytest.fixture
def scripted_server(_scripted_process: DemoEndpoint) -> DemoEndpoint:
    """The scripted engine's server, with nothing loaded and no faults. Do not stop its port: take a server of your own
    (`DemoServer("scripted")`) for that."""
    return _clean(_scripted_process)


@pytest.fixture
def llama_server(_llama_process: DemoEndpoint) -> DemoEndpoint:
    """The real engine's server, with nothing loaded."""
    return _clean(_llama_process)
