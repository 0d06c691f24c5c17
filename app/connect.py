"""Makes the collaborators of one connection from the settings, once the first frame is on the screen."""

import asyncio
import shutil
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lmdeck.backend.errors import BackendError
from lmdeck.config.address import normal_url
from lmdeck.config.errors import ConfigError
from lmdeck.config.models_folder import logs_folder, models_folder
from lmdeck.config.settings import Settings, read_token
from lmdeck.config.token import Token
from lmdeck.feeds.sources import Machine, Sources
from lmdeck.model.problem import Problem
from lmdeck.model.server import exposure
from lmdeck.state.hardware import is_local

if TYPE_CHECKING:
    from lmdeck.demo.launch import DemoEndpoint, DemoServer
    from lmdeck.model.finding import Finding

_NO_LMS = Problem(
    "log, queue and idle times need LM Studio's `lms` command, which was not found",
    next_step="Start LM Studio once, or run `npx lmstudio install-cli`; name it with --lms if it is not on PATH.",
)


class NotConfigured(BackendError):
    """The settings cannot be used; the detail says why."""

    title = "configuration"
    next_step = "Mend it and start lmdeck again."


@dataclass(frozen=True, slots=True)
class _Server:
    """Where to connect: `root_pid` is the process that holds the engine's, when it is known (the demo's); `models` the
    folder with its models, `logs` the one with LM Studio's log files, `history` what outlives the session."""

    url: str
    token: Token | None
    lms: str | None
    root_pid: int | None = None
    models: Path | None = None
    history: Path | None = None
    logs: Path | None = None


@asynccontextmanager
async def open_sources(settings: Settings, demo: "DemoServer | None" = None) -> AsyncIterator[Sources]:
    """The sources for the server in `settings`, or for `demo`, which is started here and ended at the end.

    Raises BackendError: the demo server could not start, or the settings' token could not be read.
    """
    async with AsyncExitStack() as stack:
        if demo is not None:
            stack.push_async_callback(demo.close)
            endpoint = await demo.start()
            server = _demo_server(settings, endpoint)
        else:
            folder = await asyncio.to_thread(models_folder, settings.models_folder, Path.home())
            token = await _token(settings)
            logs = await asyncio.to_thread(logs_folder, Path.home()) if is_local(settings.url) else None
            server = _Server(settings.url, token, settings.lms, models=folder, history=settings.history, logs=logs)
        # httpx takes longer to import than a keyboard should wait.
        sources = await asyncio.to_thread(_make, settings, server)
        stack.push_async_callback(sources.backend.close)
        if sources.cli is not None:
            stack.push_async_callback(sources.cli.close)
        yield sources


def _demo_server(settings: Settings, endpoint: "DemoEndpoint") -> _Server:
    """The demo's loads teach nothing about LM Studio's: they have a history of their own."""
    history = settings.history.with_name("demo.db") if settings.history else None
    models = Path(endpoint.models) if endpoint.models else None
    return _Server(endpoint.url, Token(endpoint.token), endpoint.lms, endpoint.pid, models, history)


async def _token(settings: Settings) -> Token | None:
    try:
        return await read_token(settings)
    except ConfigError as error:
        raise NotConfigured(str(error)) from error


def _make(settings: Settings, server: _Server) -> Sources:
    # Where click is installed (the demo's web server brings it) httpx imports its own command line too, with click,
    # pygments and more of rich: a third of its time. A name that is None cannot be imported, and httpx does without.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

    from lmdeck.backend.lms import Lms, find_lms
    from lmdeck.backend.lmstudio import LMStudio

    path, missing = find_lms(server.lms), _NO_LMS
    if path and server.lms and not shutil.which(path):
        path, missing = (
            None,
            Problem(f"{path} is no program: log, queue and idle times need LM Studio's `lms`", "", _NO_LMS.next_step),
        )
    parts = urlsplit(server.url)
    backend = LMStudio(server.url, server.token, ca_file=settings.ca_file)
    cli = Lms(path, host=parts.hostname, port=parts.port, token=server.token) if path else None
    open_machine = partial(_machine, settings, server)

    def check() -> "AsyncGenerator[Finding]":
        from lmdeck.diagnosis.checkup import Subject, checkup

        known = replace(settings, url=server.url, history=server.history)
        return checkup(Subject(known, backend, server.token, path, cli, missing, open_machine, server.models))

    return Sources(
        backend=backend,
        cli=cli,
        cli_missing=None if path else missing,
        open_machine=open_machine,
        checkup=check,
        models_folder=server.models,
        history=server.history,
        keep_text=settings.log_text,
        log_days=settings.log_days,
        log_megabytes=settings.log_megabytes,
        log_folder=server.logs,
        tools=settings.tools,
        presets=settings.presets,
        intervals=settings.intervals,
        warning=exposure(server.url, server.token is not None),
    )


def _machine(settings: Settings, server: _Server) -> Machine:
    from lmdeck.telemetry.host import Host
    from lmdeck.telemetry.nvml import Nvml, driver_present
    from lmdeck.telemetry.processes import LMStudioProcesses
    from lmdeck.telemetry.simulated import SimulatedGpu

    processes = LMStudioProcesses(server.root_pid)
    if not settings.gpu:
        return Machine(None, Host(processes))
    if settings.gpu_url and server.root_pid is None:
        from lmdeck.telemetry.prometheus import PrometheusGpus

        return Machine(PrometheusGpus(normal_url(settings.gpu_url), ca_file=settings.ca_file), Host(processes))
    simulated = server.root_pid is not None and not driver_present()
    return Machine(SimulatedGpu(processes) if simulated else Nvml(processes), Host(processes))
