"""The log hub's buffers."""

import json

from lmdeck.demo import logs
from lmdeck.demo.logs import LogHub


async def drain(listener: logs.LogListener) -> list[dict]:
    """What a listener still gets before its end."""
    listener.close()
    return [json.loads(line)["data"] async for batch in listener.batches() for line in batch.splitlines()]


async def test_each_source_has_its_own_listeners():
    hub = LogHub()
    with hub.listen("model") as model, hub.listen("server") as server:
        assert (hub.heard("model"), hub.heard("runtime")) == (True, False)
        hub.emit("model", {"type": "a"})
        hub.server("hello", level="DEBUG", tag="TAG")
        hub.runtime("lost", "info", {}, None)
        assert await drain(model) == [{"type": "a"}]
        (line,) = await drain(server)
        assert line["content"].endswith("][DEBUG][TAG] hello")
        assert line["level"] == "debug"
    assert not hub.heard("model")


async def test_a_slow_listener_loses_the_oldest_and_hears_how_many(monkeypatch):
    monkeypatch.setattr(logs, "BUFFER", 3)
    hub = LogHub()
    with hub.listen("model") as slow:
        for number in range(10):
            hub.emit("model", {"n": number})
        told = await drain(slow)
    assert told[0]["content"] == "7 log events dropped"
    assert told[1:] == [{"n": 7}, {"n": 8}, {"n": 9}]


async def test_a_buffer_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(logs, "BUFFER_BYTES", 250)
    hub = LogHub()
    with hub.listen("model") as slow:
        for number in range(5):
            hub.emit("model", {"n": number, "text": "x" * 100})
        told = await drain(slow)
    assert [each.get("n") for each in told] == [None, 4]


async def test_after_the_close_nobody_waits():
    hub = LogHub()
    hub.close()
    with hub.listen("server") as late:
        assert await drain(late) == []
