"""Commands run in this process, by `lmdeck`'s own entry, against the demo server."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from schemas import complaints

from lmdeck.cli import main
from lmdeck.demo.launch import DemoEndpoint


@dataclass(frozen=True)
class Ran:
    """What a command answered, and said on stdout and on stderr."""

    code: int
    out: str
    err: str

    def json(self, schema: str) -> dict:
        """The one object on stdout, which keeps to its documented schema."""
        value = json.loads(self.out)
        assert complaints(value, schema) == []
        return value


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """No settings and no `lms` of this machine's user."""
    for name in ("LMDECK_LMS", "LMDECK_CONFIG", "LMDECK_URL", "LM_API_TOKEN", "LMDECK_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "LMDECK_DATA"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def server(scripted_server: DemoEndpoint, monkeypatch: pytest.MonkeyPatch) -> DemoEndpoint:
    """The scripted server as the one that the environment names."""
    monkeypatch.setenv("LMDECK_URL", scripted_server.url)
    monkeypatch.setenv("LM_API_TOKEN", scripted_server.token)
    monkeypatch.setenv("LMDECK_LMS", scripted_server.lms)
    return scripted_server


@pytest.fixture
def faults(server: DemoEndpoint) -> Callable[..., None]:
    """Sets exactly these faults."""

    def put(*names: str) -> None:
        headers = {"authorization": f"Bearer {server.token}"}
        body = {"faults": list(names)}
        httpx.post(f"{server.url}/demo/faults", json=body, headers=headers, trust_env=False).raise_for_status()

    return put
