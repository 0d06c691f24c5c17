"""`bench` and `events` against the demo server."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from schemas import complaints

from lmdeck.demo.launch import DemoEndpoint

KEY, EMBEDDER = "ha-expert", "text-embedding-nomic-embed-text-v1.5"


def test_a_benchmark(run, server) -> None:
    assert run("load", KEY, "--parallel", "2").code == 0
    found = run("bench", KEY, "--levels", "1,2,4", "--tokens", "8")
    assert found.code == 0
    assert [line.split()[0] for line in found.out.splitlines()[1:4]] == ["1", "2", "4"]
    assert "slots: 2." in found.out
    assert found.err.count(" at once: ") == 3
    record = run("bench", KEY, "--levels", "2", "--tokens", "8", "--json").json("bench.json")
    assert record["levels"][0]["tokens"] == 16


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([KEY], 1),
        ([EMBEDDER], 2),
        ([KEY, "--levels", "0"], 2),
        ([KEY, "--levels", "x"], 2),
        ([KEY, "--tokens", "0"], 2),
    ],
)
def test_what_cannot_be_measured(arguments, code, run, server) -> None:
    assert run("load", EMBEDDER).code == 0
    found = run("bench", *arguments)
    assert (found.code, found.out) == (code, "")
    assert found.err


@contextmanager
def asking(server: DemoEndpoint) -> Iterator[None]:
    """Have it answer again and again: the streams need a moment to listen."""
    over = threading.Event()

    def ask() -> None:
        headers = {"authorization": f"Bearer {server.token}"}
        body = {"model": KEY, "messages": [{"role": "user", "content": "hello"}]}
        with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
            while not over.is_set():
                client.post(f"{server.url}/v1/chat/completions", json=body).raise_for_status()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_everything_that_happens(run, server) -> None:
    assert run("load", KEY).code == 0
    command = (sys.executable, "-m", "lmdeck", "events")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    seen = list[dict]()

    def read_until(**values: object) -> dict:
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            assert complaints(event, "events.json") == []
            seen.append(event)
            if all(event.get(name) == value for name, value in values.items()):
                return event
        raise AssertionError("it ended")

    try:
        assert read_until(type="instance", instance=KEY)["context"]["mark"] == "unknown"
        assert (seen[0]["type"], seen[0]["online"]) == ("server", True)
        with asking(server):
            assert read_until(type="request", path="/v1/chat/completions")["instance_id"] == KEY
        assert run("load", KEY).code == 0
        assert read_until(type="happening", instance=f"{KEY}:2", kind="loaded")
        assert run("unload", f"{KEY}:2").code == 0
        assert read_until(type="happening", instance=f"{KEY}:2", kind="unloaded")
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert said == ""
    assert server.token not in json.dumps(seen)
