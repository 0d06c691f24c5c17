"""`lmdeck doctor`: every part that the deck needs, how it is, and what to do about it."""

import argparse
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Final

from lmdeck.config.errors import ConfigError
from lmdeck.connect import NotConfigured, open_sources
from lmdeck.diagnosis.terminal import terminal_findings, this_terminal
from lmdeck.model.finding import Finding, report, verdict, worst
from lmdeck.plain.frame import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_UNAUTHORIZED,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    new_parser,
    run,
    settings_of,
    tell,
)
from lmdeck.plain.printing import document, emit, write

_CODES: Final[Mapping[str, int]] = {
    "configuration": EXIT_USAGE,
    "server": EXIT_UNREACHABLE,
    "token": EXIT_UNAUTHORIZED,
}


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `doctor`; answers 0, or the exit code of the first part that failed."""
    words = (
        "Checks every part: settings, server, token, endpoints, lms and its log stream, models folder, GPU, terminal, "
        "and says how to mend what fails. Nothing is changed: endpoints are asked with requests that they must refuse."
    )
    return run(new_parser("doctor", words), argv, _doctor)


async def _doctor(options: argparse.Namespace) -> int:
    findings = list[Finding]()
    async with aclosing(_findings(options)) as coming:
        async for finding in coming:
            findings.append(finding)
            if not options.json:
                write("\n".join(report(finding)))
    if options.json:
        emit(options, document("doctor", {"state": worst(findings), "findings": list(map(asdict, findings))}), "")
    tell("lmdeck doctor", verdict(findings))
    failed = next((finding.part for finding in findings if finding.state == "fail"), None)
    return EXIT_DONE if failed is None else _CODES.get(failed, EXIT_FAILED)


async def _findings(options: argparse.Namespace) -> AsyncGenerator[Finding]:
    """With settings that cannot be used only the terminal is left to look at."""
    try:
        async with open_sources(settings_of(options)) as sources, aclosing(sources.checkup()) as findings:
            async for finding in findings:
                yield finding
    except (ConfigError, NotConfigured) as error:
        words = error.detail if isinstance(error, NotConfigured) else str(error)
        yield Finding("configuration", "fail", words, "Mend it, then run `lmdeck doctor` again: the rest needs it.")
        for finding in terminal_findings(this_terminal()):
            yield finding
