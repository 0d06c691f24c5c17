"""The `lms` command line: where it is, its one-shot calls and its log streams (implements `protocol.CommandLine`)."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from lmdeck.backend.children import Child, Children
from lmdeck.backend.decode import parse
from lmdeck.backend.errors import CommandFailed
from lmdeck.backend.lmsoutput import activities, selected_runtime
from lmdeck.backend.logprocess import follow
from lmdeck.backend.protocol import Secret
from lmdeck.model.catalog import Activity
from lmdeck.model.log import LogEntry

CALL_S = 15.0
MAX_OUTPUT = 16 * 2**20

_DEFAULT_HOSTS = (None, "127.0.0.1", "localhost")
_DEFAULT_PORTS = (None, 1234)
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_INSTALLED = (".lmstudio/bin", ".cache/lm-studio/bin")


def find_lms(explicit: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The path of `lms`: `explicit` (a path or a name; as given if it is not there, so that the failure names it),
    else on PATH, else where LM Studio puts it in the home folder; None if it is nowhere."""
    path = environ.get("PATH")
    if explicit:
        wanted = os.path.expanduser(explicit)
        return shutil.which(wanted, path=path) or wanted
    if found := shutil.which("lms", path=path):
        return found
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME") or str(Path.home())
    folders = (str(Path(home, folder)) for folder in _INSTALLED)
    return next((found for folder in folders if (found := shutil.which("lms", path=folder))), None)


class Lms:
    """`lms` for one server. `host` and `port` are given to it only where they are not its default; the token goes
    into its environment, never into its arguments."""

    def __init__(
        self, path: str, *, host: str | None = None, port: int | None = None, token: Secret | None = None
    ) -> None:
        self._path = path
        self._token = token
        self._children = Children()
        self._address: tuple[str, ...] = ()
        if host not in _DEFAULT_HOSTS or port not in _DEFAULT_PORTS:
            self._address = ("--host", host or "127.0.0.1", "--port", str(port or 1234))

    async def ps(self) -> tuple[Activity, ...]:
        """`lms ps --json`; raises CommandFailed."""
        output = await self._call("ps", "--json")
        try:
            found = activities(parse(output))
        except ValueError:
            found = None
        if found is None:
            raise CommandFailed("`lms ps --json` answered without a JSON list")
        return found

    async def runtime(self) -> str | None:
        """The selected GGUF runtime as `name@version` from `lms runtime ls`; raises CommandFailed."""
        output = await self._call("runtime", "ls")
        return selected_runtime(_COLOUR.sub("", output.decode("utf-8", "replace")))

    def log(self, source: str, allowed: asyncio.Event | None = None) -> AsyncGenerator[tuple[LogEntry, ...]]:
        """Batches of one source (`model`, `server`, `runtime`), restarted with back-off for as long as it is
        iterated, but only while `allowed` is set; closing the iterator ends the process."""
        only_model = ("--stats", "--filter", "input,output") if source == "model" else ()
        arguments = ("log", "stream", "--json", "-s", source, *only_model)
        return follow(lambda: self._spawn(*arguments), source, lambda: self._children.closed, allowed)

    async def close(self) -> None:
        """End every child process."""
        await self._children.close()

    def _spawn(self, *arguments: str) -> AbstractAsyncContextManager[Child]:
        return self._children.spawn((self._path, *arguments, *self._address), self._environment())

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
        environment["NO_COLOR"] = "1"
        if self._token is not None:
            environment["LM_API_TOKEN"] = self._token.reveal()
        return environment

    async def _call(self, *arguments: str) -> bytes:
        """The output of one call that ends by itself; CommandFailed with its words if it says that it failed."""
        name = f"`lms {' '.join(arguments)}`"
        try:
            async with asyncio.timeout(CALL_S), self._spawn(*arguments) as child:
                output = await _read_all(child, name)
                code = await child.exit_code()
                said = child.stderr_lines()
        except TimeoutError:
            raise CommandFailed(f"{name} gave no answer within {CALL_S:g} s") from None
        complaint = next((line for line in said if line.startswith("Error:")), None)
        if code != 0 or complaint:
            words = complaint or (said[-1] if said else "it does not end" if code is None else f"exit code {code}")
            raise CommandFailed(f"{name}: {words.removeprefix('Error:').strip()}")
        return output


async def _read_all(child: Child, name: str) -> bytes:
    output = bytearray()
    while piece := await child.stdout.read(2**18):
        output += piece
        if len(output) > MAX_OUTPUT:
            raise CommandFailed(f"{name} printed more than {MAX_OUTPUT // 2**20} MiB")
    return bytes(output)
