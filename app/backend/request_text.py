"""The exact HTTP request of a chat as text that runs: curl, and Python without packages. The token and what headers
carry stand there as the environment variables they come from, never as themselves."""

import json
import re
import secrets
import shlex
from pprint import pformat

from lmdeck.backend.dialects.table import DIALECTS
from lmdeck.model.chat import ChatRequest

_TOKEN = "LM_API_TOKEN"
_NOT_ASCII = re.compile(r"[^\x20-\x7e\n]")

_PYTHON = """\
import json
{imports}import urllib.request

body = {body}
headers = {headers}
request = urllib.request.Request({url!r}, json.dumps(body).encode(), headers)
with urllib.request.urlopen(request) as answer:
    for line in answer:
        print(line.decode(), end="")
"""


def as_curl(request: ChatRequest, url: str, has_token: bool) -> str:
    """A shell command that sends it to the server at `url`. The body goes through standard input, because it may be
    larger than an argument can be."""
    mark = secrets.token_hex(16)
    body = DIALECTS[request.endpoint].body(request, lambda variable: f"{mark}{variable}{mark}")
    text = _NOT_ASCII.sub(_visible, json.dumps(body, indent=2, ensure_ascii=False))
    end = "'END'"
    if mark in text:  # the shell fills in the variables, and must leave everything else alone
        end = "END"
        text = re.sub(r"[\\$`]", r"\\\g<0>", text)
        text = re.sub(f"{mark}(.+?){mark}", r"${\1}", text)
    token = [f'-H "Authorization: Bearer ${_TOKEN}"'] if has_token else []
    lines = [f"curl -N {shlex.quote(url + request.endpoint)}", *token, "-H 'Content-Type: application/json'"]
    return " \\\n  ".join((*lines, f"--data-binary @- <<{end}")) + f"\n{text}\nEND\n"


def _visible(match: re.Match[str]) -> str:
    """A character of JSON, escaped if it would not be seen."""
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


def as_python(request: ChatRequest, url: str, has_token: bool) -> str:
    """A Python program that sends it to the server at `url` and prints the events of the answer."""
    body = DIALECTS[request.endpoint].body(request, _Variable)
    headers = {"Content-Type": "application/json"}
    if has_token:
        headers["Authorization"] = _Variable(_TOKEN, "Bearer ")
    needs_os = has_token or any(tools.headers for tools in request.tools)
    return _PYTHON.format(
        imports="import os\n" if needs_os else "",
        body=pformat(body, width=100, sort_dicts=False),
        headers=pformat(headers, width=100, sort_dicts=False),
        url=url + request.endpoint,
    )


class _Variable(str):
    """An environment variable's value, as Python source."""

    def __new__(cls, name: str, lead: str = "") -> "_Variable":
        return super().__new__(cls, lead + name)

    def __init__(self, name: str, lead: str = "") -> None:
        self._source = (f"{lead!r} + " if lead else "") + f"os.environ[{name!r}]"

    def __repr__(self) -> str:
        return self._source
