"""The `lms` command line: where it is, its one-shot calls and its log streams (implements `protocol.CommandLine`)."""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from lmdeck.backend.children import Child, Children
from lmdeck.backend.decode import fields, parse, text
from lmdeck.backend.errors import BackendError, CommandFailed, LoadFailed
from lmdeck.backend.lmsload import figure, identifier, is_about_lms, load_seconds
from lmdeck.backend.lmsoutput import Output, activities, model_files, plain, selected_runtime
from lmdeck.backend.logprocess import follow
from lmdeck.backend.protocol import Secret
from lmdeck.model.catalog import Activity, InstanceConfig, ModelFile
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.log import LogEntry
from lmdeck.model.outlook import LmsFigure
from lmdeck.model.text import one_line

T = TypeVar("T")

CALL_S = 15.0
ESTIMATE_S = 60.0
INTERRUPT_S = 5.0
MAX_OUTPUT = 16 * 2**20

_DEFAULT_HOSTS = (None, "127.0.0.1", "localhost")
_DEFAULT_PORTS = (None, 1234)
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
        return _listed("ps", activities, await self._call("ps", "--json"))

    async def ls(self) -> tuple[ModelFile, ...]:
        """`lms ls --json`: where the models are; raises CommandFailed."""
        return _listed("ls", model_files, await self._call("ls", "--json"))

    async def runtime(self) -> str | None:
        """The selected GGUF runtime as `name@version` from `lms runtime ls`; raises CommandFailed."""
        return selected_runtime(plain((await self._call("runtime", "ls")).text))

    async def version(self) -> str | None:
        """What `lms version` tells of itself (a commit); it takes no address. Raises CommandFailed."""
        said = await self._call("version", "--json")
        try:
            return text(fields(parse(said.stdout)).get("version"))
        except ValueError:
            return None

    async def estimate(self, request: LoadRequest) -> LmsFigure:
        """`lms load --estimate-only`: LM Studio's own figure, loading nothing; raises CommandFailed."""
        command, *options = replace(request, ttl_s=None, identifier=None).arguments()
        found = figure((await self._call(command, "--estimate-only", *options, within_s=ESTIMATE_S)).all_text)
        if found is None:
            raise CommandFailed("`lms load --estimate-only` told no figure")
        return found

    async def load(self, request: LoadRequest) -> LoadResult:
        """`lms load`, however long it takes; returns once `lms ps` lists the instance, since its exit code proves
        nothing. Raises CommandFailed, or LoadFailed in its own words. Cancelling it interrupts `lms`, whose end is
        awaited, and LM Studio gives the load up."""
        before = {each.instance_id for each in await self.ps()}
        said = await self._output(*request.arguments(), interrupt=True)
        named = identifier(said.all_text)
        if said.code != 0 or (named is None and said.complaint):
            raise _load_failure(said)
        after = await self.ps()
        found = next((each for each in after if each.instance_id == named), None) or _arrived(request, before, after)
        if found is None:
            raise LoadFailed(f"`lms load` ended, but `lms ps` does not list {one_line(named or request.model)}")
        config = InstanceConfig(found.context_length, found.parallel)
        return LoadResult(found.instance_id, load_seconds(said.all_text), config=config)

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
        options_end = arguments.index("--") if "--" in arguments else len(arguments)
        whole = (self._path, *arguments[:options_end], *self._address, *arguments[options_end:])
        return self._children.spawn(whole, self._environment())

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
        environment["NO_COLOR"] = "1"
        if self._token is not None:
            environment["LM_API_TOKEN"] = self._token.reveal()
        return environment

    async def _call(self, *arguments: str, within_s: float | None = None) -> Output:
        """The output of one call that ends by itself; CommandFailed with its words if it says that it failed."""
        within_s = within_s or CALL_S
        try:
            async with asyncio.timeout(within_s):
                said = await self._output(*arguments)
        except TimeoutError:
            raise CommandFailed(f"{_name(arguments)} gave no answer within {within_s:g} s") from None
        if said.code != 0 or said.complaint:
            raise CommandFailed(f"{_name(arguments)}: {said.last_words}")
        return said

    async def _output(self, *arguments: str, interrupt: bool = False) -> Output:
        """What one call printed. `interrupt`: cancelled, it is told so with Ctrl+C and gets a while to act on it."""
        async with self._spawn(*arguments) as child:
            try:
                output = await _read_all(child, _name(arguments))
                code = await child.exit_code()
            except asyncio.CancelledError:
                if interrupt:
                    await child.interrupt(INTERRUPT_S)
                raise
            return Output(output, child.stderr, tuple(child.stderr_lines()), code)


def _name(arguments: Sequence[str]) -> str:
    return f"`lms {' '.join(arguments)}`"


def _listed(name: str, read: Callable[[object], tuple[T, ...] | None], said: Output) -> tuple[T, ...]:
    try:
        found = read(parse(said.stdout))
    except ValueError:
        found = None
    if found is None:
        raise CommandFailed(f"`lms {name} --json` answered without a JSON list")
    return found


def _load_failure(said: Output) -> BackendError:
    """Why a load did not come about: the command's trouble or the model's, in its own words."""
    words = said.last_words
    return CommandFailed(f"`lms load`: {words}") if is_about_lms(words) else LoadFailed(words)


def _arrived(request: LoadRequest, before: set[str], after: Sequence[Activity]) -> Activity | None:
    """The instance that the load made, where `lms` did not name it."""
    new = [each for each in after if each.instance_id not in before]
    wanted = (request.identifier, request.model, request.model.partition("@")[0])
    return next((each for each in new if each.instance_id in wanted or each.model_key in wanted), None)


async def _read_all(child: Child, name: str) -> bytes:
    output = bytearray()
    while piece := await child.stdout.read(2**18):
        output += piece
        if len(output) > MAX_OUTPUT:
            raise CommandFailed(f"{name} printed more than {MAX_OUTPUT // 2**20} MiB")
    return bytes(output)
