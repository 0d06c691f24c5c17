"""Looking for LM Studio on loopback: who answers, how many are asked at once, and that nobody gets a token."""

import asyncio
from urllib.parse import urlsplit

import pytest

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.diagnosis import discovery
from lmdeck.diagnosis.addresses import Address, addresses
from lmdeck.diagnosis.discovery import discover

OTHER = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>"


async def test_lm_studio_is_told_from_others_and_from_nobody(scripted_server: DemoEndpoint) -> None:
    asked = list[bytes]()

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(4096))
        writer.write(OTHER)
        writer.close()

    port = urlsplit(scripted_server.url).port
    assert port
    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        elsewhere = server.sockets[0].getsockname()[1]
        places = [*addresses(["127.0.0.0/29"], [port]), Address("127.0.0.1", elsewhere), Address("nosuch.invalid", 1)]
        found = await discover(places)
    assert [each.address for each in found] == places
    who = {(each.address.host, each.address.port): each.who for each in found}
    assert who.pop(("127.0.0.1", port)) == "lmstudio"
    assert who.pop(("127.0.0.1", elsewhere)) == "other"
    assert who.pop(("nosuch.invalid", 1)) == "no such name"
    assert set(who.values()) == {"nobody"}
    assert all((each.round_trip_s is not None) == (each.who == "lmstudio") for each in found)
    requests = [request for request in asked if request]  # the first connection only looks whether anybody listens
    assert requests
    assert all(b"GET /lmstudio-greeting" in request for request in requests)
    assert not any(b"authorization" in request.lower() for request in requests)


async def test_only_so_many_are_asked_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "AT_ONCE", 4)
    running = most = 0

    async def open_connection(host: str, port: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    assert len(await discover(addresses(["10.0.0.0/26"]))) == 62
    assert most == 4


async def test_who_takes_the_connection_and_says_nothing_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        (found,) = await discover([Address("127.0.0.1", server.sockets[0].getsockname()[1])])
    assert found.who == "other"
