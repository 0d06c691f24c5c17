"""How the demo's `lms` talks to its server, and prints. Standard library only, so that it starts fast."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Generator

Record = dict[str, object]


class LmsError(Exception):
    """What the command fails with, as one line for stderr."""


class Server:
    """The server's private endpoints."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def call(self, path: str, body: object = None) -> object:
        """The decoded answer. Raises LmsError."""
        with self._open(path, body) as response:
            return _decode(response.read())

    def lines(self, path: str, body: object = None) -> Generator[list[bytes]]:
        """The answer's whole lines, as many at a time as have come. Raises LmsError."""
        rest = b""
        with self._open(path, body) as response:
            try:
                while chunk := response.read1(2**16):
                    *whole, rest = (rest + chunk).split(b"\n")
                    if whole:
                        yield whole
            except (OSError, http.client.HTTPException) as error:
                raise LmsError("Connection to LM Studio lost.") from error

    def _open(self, path: str, body: object) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, self._port)
        token = os.environ.get("LM_API_TOKEN", "")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            if body is None:
                connection.request("GET", path, headers=headers)
            else:
                connection.request("POST", path, json.dumps(body), headers | {"content-type": "application/json"})
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise LmsError(f"Cannot connect to LM Studio on {self._host}:{self._port}.") from error
        if response.status != 200:
            answer = _decode(response.read())
            error_part = answer.get("error") if isinstance(answer, dict) else None
            message = error_part.get("message") if isinstance(error_part, dict) else error_part
            raise LmsError(str(message or f"HTTP {response.status}"))
        return response


def _decode(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError as error:
        raise LmsError("LM Studio sent no JSON.") from error


def say(text: str) -> None:
    """A word for the user, on stderr."""
    print(text, file=sys.stderr, flush=True)


def show(value: object) -> None:
    """A result, on stdout."""
    print(json.dumps(value), flush=True)


def gb(size: object) -> str:
    """Bytes as `lms` prints them: decimal GB."""
    return f"{size / 1e9:.2f} GB" if isinstance(size, int | float) else "?"


def binary(size: object) -> str:
    """Bytes in MiB, or from 1 GiB on in GiB, with two decimals."""
    if not isinstance(size, int | float):
        return "?"
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.2f} MiB"


def records(answer: object) -> list[Record]:
    """The objects of an array."""
    return [each for each in answer if isinstance(each, dict)] if isinstance(answer, list) else []


def record(answer: object) -> Record:
    """An object, or an empty one."""
    return answer if isinstance(answer, dict) else {}
