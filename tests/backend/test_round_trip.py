"""The latency that the header shows."""

import httpx

from lmdeck.backend import http
from lmdeck.backend.lmstudio import LMStudio


async def test_the_pauses_of_retries_are_not_in_the_round_trip(monkeypatch):
    monkeypatch.setattr(http, "RETRY_AFTER_S", (0.5,))
    answers = iter((httpx.ConnectError("refused"), httpx.Response(200, json={"models": []})))

    def answer(request: httpx.Request) -> httpx.Response:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    server = LMStudio("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    assert await server.models() == ()
    assert 0 < server.round_trip_s < 0.5
    await server.close()
