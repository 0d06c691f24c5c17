"""All checks, one after the other: nothing is changed, and every part says how it is."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from lmdeck.backend.lms import Lms
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.backend.protocol import Secret
from lmdeck.config.settings import Settings
from lmdeck.diagnosis import machine
from lmdeck.diagnosis.server import APIS, api_finding, server_finding, token_finding
from lmdeck.diagnosis.terminal import terminal_findings, this_terminal
from lmdeck.diagnosis.tools import lms_finding, reach_finding, stream_finding
from lmdeck.feeds.sources import Machine
from lmdeck.model.finding import Finding
from lmdeck.model.problem import Problem
from lmdeck.model.text import one_line

_LMS_PARTS = ("lms ps", "log stream")
_MASK = "***"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: the collaborators of one connection, who belong to somebody else. `lms` is the path of `lms`,
    `cli` what runs it and None without one, then `cli_missing` says why."""

    settings: Settings
    backend: LMStudio
    token: Secret | None
    lms: str | None
    cli: Lms | None
    cli_missing: Problem | None
    open_machine: Callable[[], Machine]
    models: Path | None


async def checkup(subject: Subject) -> AsyncGenerator[Finding]:
    """Every finding as soon as it is there. No words hold the token, whoever says them."""
    async with aclosing(_findings(subject)) as findings:
        async for finding in findings:
            yield _safe(finding, subject.token)


async def _findings(subject: Subject) -> AsyncGenerator[Finding]:
    settings = subject.settings
    yield machine.program_finding()
    yield await asyncio.to_thread(machine.configuration_finding, settings)
    yield await asyncio.to_thread(machine.history_finding, settings.history)
    reached = await server_finding(subject.backend)
    yield reached
    admitted = reached
    if reached.state == "ok":
        admitted = await token_finding(subject.backend, settings)
        yield admitted
    else:
        yield _skipped("token", reached)
    for api in APIS:
        yield _skipped(api.part, admitted) if admitted.state == "fail" else await api_finding(subject.backend, api)
    async for finding in _of_lms(subject, admitted):
        yield finding
    yield await asyncio.to_thread(machine.models_finding, subject.models, settings)
    yield await asyncio.to_thread(machine.gpu_finding, subject.open_machine, settings)
    for finding in terminal_findings(this_terminal()):
        yield finding


async def _of_lms(subject: Subject, admitted: Finding) -> AsyncGenerator[Finding]:
    """`lms` itself, then what it does; it is not run for a server that is not there: it would wake up LM Studio."""
    if subject.cli is None or subject.lms is None:
        why = subject.cli_missing or Problem("not found")
        missing = Finding("lms", "fail" if subject.settings.lms else "warn", why.sentence, why.next_step)
    else:
        missing = await lms_finding(subject.lms)
    yield missing
    if subject.cli is None or "fail" in (missing.state, admitted.state):
        for part in _LMS_PARTS:
            yield _skipped(part, missing if missing.state != "ok" else admitted)
        return
    yield await reach_finding(subject.cli)
    yield await stream_finding(subject.cli, subject.backend)


def _skipped(part: str, because: Finding) -> Finding:
    return Finding(part, "unknown", f"not looked at: {because.part} comes first")


def _safe(finding: Finding, token: Secret | None) -> Finding:
    """Fit for the screen and for others' eyes."""

    def safe(words: str) -> str:
        return one_line(words.replace(token.reveal(), _MASK) if token else words)

    return replace(finding, words=safe(finding.words), next_step=safe(finding.next_step))
