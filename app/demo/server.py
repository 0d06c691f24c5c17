"""The running server: hub, engine, ports and the `lms` launcher, with one owner."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from lmdeck.demo.app import build
from lmdeck.demo.chat import NativeChat
from lmdeck.demo.control import Control
from lmdeck.demo.conversations import Conversations
from lmdeck.demo.engines.base import Engine
from lmdeck.demo.engines.find_model import HINT, find_model
from lmdeck.demo.engines.llama import LlamaEngine
from lmdeck.demo.engines.scripted import ScriptedEngine, Timings, parse_timings
from lmdeck.demo.faults import Faults
from lmdeck.demo.hub import Hub
from lmdeck.demo.listener import Listener
from lmdeck.demo.logs import LogHub
from lmdeck.demo.native import NativeModels
from lmdeck.demo.openai_compatible import Compatible
from lmdeck.demo.v0 import V0Models

FOLDER = "lmdeck-demo-"


class StartError(Exception):
    """The server cannot start; the message is the sentence to print."""


class DemoApp:
    """Everything that runs, from `async with` to its end. Raises StartError without a model, NotGGUF for a file that
    is none, OSError for a taken port, ValueError for bad timings."""

    def __init__(self, options: argparse.Namespace, faults: Faults, token: str) -> None:
        self._options, self._faults, self._token = options, faults, token
        self._timings = Timings()
        self._log = LogHub()
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))  # mode 0700
        self.lms = self._folder / ("lms.cmd" if os.name == "nt" else "lms")
        self.port = 0
        self.models: Path | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    async def _start(self) -> None:
        options = self._options
        parse_timings(options.timings, self._timings)
        engine = self._engine()
        models = await engine.catalogue()
        self.models = engine.models_folder
        hub = Hub(engine, models, self._log, jit=not options.no_jit, jit_ttl_s=options.jit_ttl)
        native = NativeModels(hub, downloads=options.engine == "scripted")
        chat = NativeChat(hub, Conversations(self._faults))
        self._compatible = Compatible(hub, Conversations(self._faults))
        self._public, self._private = Listener(options.port), Listener()
        control = Control(hub, self._faults, self._timings, self._public).routes()
        routes = [*native.routes(), *chat.routes(), *V0Models(hub).routes(), *self._compatible.routes(), *control]
        self._public.app = build(routes, self._token, self._faults, self._log)
        self._private.app = build(control, self._token, self._faults, self._log)
        self._hub = hub
        await self._public.start()
        await self._private.start()
        self.port = self._public.port
        self._reaper = asyncio.create_task(hub.reap())
        _write_launcher(self.lms, self._private.port)

    def _engine(self) -> Engine:
        if self._options.engine == "scripted":
            return ScriptedEngine(self._faults, self._timings)
        given = self._options.model
        file = find_model(given)
        if file is None:
            raise StartError(f"No such model file: {given}" if given else HINT)
        return LlamaEngine(file, self._folder / "models", self._faults)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reaper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reaper
        self._log.close()
        await self._hub.close()
        await self._compatible.close()
        await asyncio.gather(self._public.stop(), self._private.stop())
        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of servers that were killed before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _write_launcher(path: Path, port: int) -> None:
    """A file to run as `lms`: it knows the private port, and finds the token in LM_API_TOKEN as the real one does."""
    if os.name == "nt":
        script = f'@set LMDECK_DEMO_PORT={port}\r\n@"{sys.executable}" -m lmdeck.demo.lms %*\r\n'
    else:
        script = f'#!/bin/sh\nLMDECK_DEMO_PORT={port} exec {shlex.quote(sys.executable)} -m lmdeck.demo.lms "$@"\n'
    path.write_text(script, encoding="utf-8", newline="")
    path.chmod(0o700)
