"""The token from a password manager or another program."""

import asyncio
import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from lmdeck.config.errors import ConfigError
from lmdeck.config.token import Token

COMMAND_S = 10.0
MAX_OUTPUT = 64 * 2**10


async def ask(command: Sequence[str], setting: str = "token_command") -> Token:
    """The first line that `command` prints, run without a shell. Raises ConfigError, which names the setting, the
    program and how it failed but never what it printed."""
    program, *arguments = command
    name = f"{setting} ({Path(program).name})"
    output = await _output([shutil.which(program) or program, *arguments], name)
    first_line = output.decode("utf-8", "replace").strip().partition("\n")[0]
    try:
        return Token(first_line)
    except ConfigError:
        raise ConfigError(f"{name} printed no token on its first line.") from None


async def _output(argv: Sequence[str], name: str) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} cannot be run: {getattr(error, 'strerror', error)}.") from None
    assert process.stdout is not None
    output = b""
    try:
        async with asyncio.timeout(COMMAND_S):
            while piece := await process.stdout.read(MAX_OUTPUT):
                output = (output + piece)[:MAX_OUTPUT]
            code = await process.wait()
    except TimeoutError:
        raise ConfigError(f"{name} gave no token within {COMMAND_S:g} s.") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if code:
        raise ConfigError(f"{name} failed with exit code {code}.")
    return output
