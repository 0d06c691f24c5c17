"""`lmdeck discover`: only what is named is asked, on loopback."""

from urllib.parse import urlsplit

import pytest


def test_a_network_a_name_and_a_port(run, server) -> None:
    port = urlsplit(server.url).port
    found = run("discover", "127.0.0.0/29", "nosuch.invalid", "--port", str(port))
    assert found.code == 0
    head, row = found.out.splitlines()
    assert head.split() == ["URL", "MS"]
    assert row.split()[0] == server.url
    assert "nosuch.invalid: no such name" in found.err
    assert "LM Studio answers at 1 of 7 addresses" in found.err


def test_json(run, server) -> None:
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    record = run("discover", f"{host}:{port}", "127.0.0.2:9", "--json").json("discover.json")
    assert (record["asked"], record["others"]) == (2, 0)
    (one,) = record["servers"]
    assert (one["url"], one["host"], one["port"]) == (server.url, host, port)


def test_nothing_found_is_told_by_the_exit_code(run) -> None:
    found = run("discover", "127.0.0.1:9")
    assert (found.code, found.out) == (3, "")
    assert "0 of 1" in found.err


@pytest.mark.parametrize("names", [(), ("10.0.0.0/19",), ("a b",), ("127.0.0.1", "--port", "0")])
def test_wrong_usage_asks_nobody(run, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr("asyncio.open_connection", nobody)
    found = run("discover", *names)
    assert (found.code, found.out) == (2, "")
    assert found.err
