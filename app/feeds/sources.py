"""The collaborators of one connection, made by `connect.py` and owned by whoever entered it."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from lmdeck.backend.protocol import Backend, CommandLine
from lmdeck.config.intervals import USUAL, Intervals
from lmdeck.model.chat import Tools
from lmdeck.model.conversation import ChatPreset
from lmdeck.model.finding import Finding
from lmdeck.model.problem import Problem
from lmdeck.telemetry.source import GpuSource, HostSource

Checkup = Callable[[], AsyncGenerator[Finding]]


async def nothing_found() -> AsyncGenerator[Finding]:
    """The checkup of whoever has nothing to look at."""
    nothing: tuple[Finding, ...] = ()
    for finding in nothing:
        yield finding


@dataclass(frozen=True, slots=True)
class Machine:
    """Telemetry of this machine; `gpu` is None when switched off. All calls block: one thread makes them."""

    gpu: GpuSource | None
    host: HostSource

    def close(self) -> None:
        """Let the driver go."""
        if self.gpu is not None:
            self.gpu.close()


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything the deck reads from and acts on.

    `cli_missing` says in words why there is no `lms`; `open_machine` blocks: drivers and their bindings load slowly.
    `models_folder` is where this machine keeps its models, `history` the file of what outlives the session (None: keep
    nothing); `keep_text`: prompts and answers are kept in it, too;
    requests are kept for `log_days` and up to `log_megabytes`. `log_folder` holds LM Studio's own log files.
    `tools` may be used by the chat, each under a label of its own. `checkup` looks at every part of it all, and at the
    terminal.
    """

    backend: Backend
    cli: CommandLine | None
    cli_missing: Problem | None
    open_machine: Callable[[], Machine]
    models_folder: Path | None = None
    history: Path | None = None
    keep_text: bool = False
    log_days: int = 90
    log_megabytes: int = 200
    log_folder: Path | None = None
    tools: tuple[Tools, ...] = ()
    presets: tuple[ChatPreset, ...] = ()
    intervals: Intervals = USUAL
    warning: Problem | None = None
    checkup: Checkup = nothing_found
