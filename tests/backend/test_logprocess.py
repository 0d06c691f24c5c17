"""How a log stream's output is read."""

import asyncio
import json

import pytest

from lmdeck.backend import logprocess
from lmdeck.backend.logprocess import batches
from lmdeck.backend.logstream import LogDecoder

LINES = 10_000


async def test_of_a_writer_that_fills_the_pipe_every_portion_is_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logprocess, "BATCH_S", 3600.0)
    stdout = asyncio.StreamReader()
    for number in range(LINES):
        stdout.feed_data(
            json.dumps({"data": {"type": "server.log", "content": f"{number} {'x' * 100}"}}).encode() + b"\n"
        )
    stdout.feed_eof()
    monkeypatch.setattr(logprocess, "_FULL_PIPE", 0)
    found = [batch async for batch in batches(stdout, LogDecoder("server"))]
    assert len(found) > 3
    assert [int(entry.text.partition(" ")[0]) for batch in found for entry in batch] == list(range(LINES))
