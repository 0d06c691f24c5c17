import asyncio
import sys
import time

import pytest

from lmdeck.config import tokencommand
from lmdeck.config.errors import ConfigError
from lmdeck.config.settings import Settings, read_token
from lmdeck.config.token import Token


def printing(code: str) -> Settings:
    return Settings(token_command=(sys.executable, "-S", "-E", "-c", f"import sys, time\n{code}"))


async def test_without_a_command_it_is_the_known_token():
    assert await read_token(Settings()) is None
    assert await read_token(Settings(token=Token("sk-x"))) == Token("sk-x")


async def test_the_first_line_counts():
    assert await read_token(printing("print('  sk-x \\r\\nsecond line')")) == Token("sk-x")


async def test_much_more_output_is_read_and_dropped():
    assert await read_token(printing("print('sk-x'); print('noise' * 1_000_000)")) == Token("sk-x")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('sk-secret'); sys.exit(3)", "failed with exit code 3"),
        ("print('Error: sk-secret is wrong')", "printed no token on its first line"),
        ("pass", "printed no token on its first line"),
    ],
)
async def test_a_failure_is_told_without_what_was_printed(code, words):
    with pytest.raises(ConfigError, match=words) as caught:
        await read_token(printing(code))
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_a_command_that_is_not_there():
    with pytest.raises(ConfigError, match=r"token_command \(no-such-program\) cannot be run: No such file"):
        await read_token(Settings(token_command=("/nowhere/no-such-program",)))


async def test_a_command_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(tokencommand, "COMMAND_S", 0.2)
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"no token within 0\.2 s"):
        await read_token(printing("time.sleep(600)"))
    assert time.monotonic() - began < 5


async def test_cancelling_ends_the_command(tmp_path):
    task = asyncio.create_task(read_token(printing("time.sleep(600)")))
    await asyncio.wait({task}, timeout=0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
