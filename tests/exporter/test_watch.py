"""The feeds at work without a screen, against the demo server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from scrape import Scrape

from lmdeck.config.intervals import Intervals
from lmdeck.config.settings import Settings
from lmdeck.config.token import Token
from lmdeck.connect import open_sources
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.exporter.counts import Counts
from lmdeck.exporter.watch import Watch
from lmdeck.model.load import LoadRequest


class Watched:
    """A watch at work, what it has counted and what it said."""

    def __init__(self, watch: Watch, registry: CollectorRegistry, said: list[str]) -> None:
        self.watch, self.registry, self.said = watch, registry, said

    def scrape(self) -> Scrape:
        """The counters now."""
        return Scrape(self.registry)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until `holds()`."""
        for _ in range(3_000):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it never came")


@asynccontextmanager
async def watching(endpoint: DemoEndpoint, *, lms: bool = True) -> AsyncIterator[Watched]:
    settings = Settings(
        url=endpoint.url, token=Token(endpoint.token), lms=endpoint.lms, gpu=False, intervals=Intervals(0.5, 1.0, 1.0)
    )
    registry, said = CollectorRegistry(), list[str]()
    async with open_sources(settings) as sources:
        watch = Watch(sources if lms else replace(sources, cli=None), Counts(registry), said.append)
        work = asyncio.create_task(watch.run())
        try:
            yield Watched(watch, registry, said)
        finally:
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work


def client(endpoint: DemoEndpoint) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {endpoint.token}"}
    return httpx.AsyncClient(base_url=endpoint.url, headers=headers, timeout=30, trust_env=False)


async def test_what_is_loaded_and_asked_is_counted_once(scripted_server: DemoEndpoint) -> None:
    async with watching(scripted_server) as watched, client(scripted_server) as http:
        await watched.until(lambda: watched.watch.state.online)
        load = LoadRequest("ha-expert", context_length=4096).body()
        (await http.post("/api/v1/models/load", json=load)).raise_for_status()
        await watched.until(lambda: watched.watch.state.instance("ha-expert"))
        assert watched.scrape()("requests_total", model="ha-expert", outcome="done") == 0

        body = {"model": "ha-expert", "messages": [{"role": "user", "content": "hello"}]}
        sent = 0
        while not (scrape := watched.scrape())("time_to_first_token_seconds_count", model="ha-expert"):
            assert sent < 200, "no request was seen"
            (await http.post("/v1/chat/completions", json=body)).raise_for_status()
            sent += 1  # the log streams need a moment to listen
            await asyncio.sleep(0.2)
        assert sum(scrape("lifecycle_events_total", event=event) or 0 for event in ("loaded", "jit_loaded")) == 1
        assert 0 < (scrape("requests_total", model="ha-expert", outcome="done") or 0) <= sent
        assert (scrape("generated_tokens_total", model="ha-expert") or 0) > 0
        await watched.until(lambda: watched.watch.state.activity.get("ha-expert"))
        assert watched.said == []


async def test_a_server_that_goes_is_told_of_once_and_again_when_it_is_back(scripted_server: DemoEndpoint) -> None:
    async with watching(scripted_server, lms=False) as watched, client(scripted_server) as http:
        await watched.until(lambda: watched.watch.state.online)
        (await http.post("/demo/faults", json={"faults": ["unauthorized:/api/v1/models"]})).raise_for_status()
        await watched.until(lambda: watched.watch.state.problem)
        await watched.until(lambda: watched.said)
        (await http.post("/demo/faults", json={"faults": []})).raise_for_status()
        await watched.until(lambda: watched.watch.state.online)
        lost, back = watched.said
        assert lost.startswith("401: token not accepted")
        assert back == f"{scripted_server.url} answers again"
