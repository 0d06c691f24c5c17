"""The texts of a request, run: by a shell whose `curl` tells what it was given, and by Python against the demo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lmdeck.backend.dialects.table import DIALECTS
from lmdeck.backend.request_text import as_curl, as_python
from lmdeck.model.chat import ChatRequest, Said, Tools
from lmdeck.model.endpoints import ENDPOINTS, NATIVE

URL = "http://127.0.0.1:1234"
ODD = "é 雪 \u202e \ud800 $HOME ${HOME} `id` $(id) \\ \\n 'single' \"double\"\n!END\nEND\n%s {x}\t\x00\x1b[31m"
TOOLS = (Tools("web", server_url="https://example.org/mcp", headers={"Authorization": "WEB_KEY"}),)


def asked(endpoint: str = NATIVE.path, tools: tuple[Tools, ...] = (), text: str = ODD) -> ChatRequest:
    history = (Said("user", "one"), Said("assistant", text))
    parameters = {"temperature": 0.5, "max_output_tokens": 9, "stop": [text]}
    return ChatRequest(
        "m",
        text,
        system_prompt=text,
        store=False,
        endpoint=endpoint,
        parameters=parameters,
        history=history,
        images=("data:image/png;base64,AA==",),
        tools=tools,
    )


@pytest.fixture
def run_curl(tmp_path: Path):
    """Runs a text with `sh`; answers the arguments of its `curl` and what came through standard input."""
    curl = tmp_path / "curl"
    code = "import json, sys; print(json.dumps([sys.argv[1:], sys.stdin.buffer.read().decode()]))"
    curl.write_text(f"#!{sys.executable} -E\n{code}\n")
    curl.chmod(0o700)

    def run(text: str) -> tuple[list[str], object]:
        env = {"PATH": f"{tmp_path}:{os.defpath}", "LM_API_TOKEN": "a token", "WEB_KEY": "a key", "HOME": "/nowhere"}
        done = subprocess.run(["sh"], input=text.encode(), env=env, capture_output=True, check=True)
        assert done.stderr == b""
        arguments, body = json.loads(done.stdout)
        return arguments, json.loads(body)

    return run


@pytest.mark.skipif(os.name == "nt", reason="Windows has no sh to run the command in")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("tools", [(), TOOLS], ids=["", "tools"])
def test_a_shell_sends_exactly_the_request(run_curl, endpoint, tools):
    request = asked(endpoint.path, tools)
    arguments, body = run_curl(as_curl(request, URL, True))
    assert arguments == [
        "-N",
        f"{URL}{endpoint.path}",
        "-H",
        "Authorization: Bearer a token",
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        "@-",
    ]
    assert body == DIALECTS[endpoint.path].body(request, {"WEB_KEY": "a key"}.__getitem__)
    assert "Authorization: Bearer a token" not in run_curl(as_curl(request, URL, False))[0]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_python_says_exactly_the_request(monkeypatch, endpoint):
    monkeypatch.setenv("WEB_KEY", "a key")
    monkeypatch.setenv("LM_API_TOKEN", "a token")
    request = asked(endpoint.path, TOOLS)
    source = as_python(request, URL, True)
    told: dict[str, object] = {}
    exec(source.partition("request = ")[0], told)
    assert told["body"] == DIALECTS[endpoint.path].body(request, {"WEB_KEY": "a key"}.__getitem__)
    assert told["headers"] == {"Content-Type": "application/json", "Authorization": "Bearer a token"}
    assert repr(f"{URL}{endpoint.path}") in source


def test_nothing_invisible_and_no_value_of_a_variable_is_in_the_texts(monkeypatch):
    monkeypatch.setenv("WEB_KEY", "a secret key")
    monkeypatch.setenv("LM_API_TOKEN", "a secret token")
    for text in (as_curl(asked(tools=TOOLS), URL, True), as_python(asked(tools=TOOLS), URL, True)):
        assert "secret" not in text
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert "LM_API_TOKEN" in text
        assert "WEB_KEY" in text


def test_python_is_answered_by_a_server(scripted_server):
    source = as_python(ChatRequest("ha-expert", "5 words"), scripted_server.url, True)
    env = os.environ | {"LM_API_TOKEN": scripted_server.token, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", source], env=env, capture_output=True, text=True, check=True)
    assert "event: chat.end" in done.stdout
    assert "import os" not in as_python(ChatRequest("m", "hi"), URL, False)
