"""The frame: exit codes and words for everything that can go wrong, and how commands end."""

import argparse
import os
import signal
import subprocess
import sys

import pytest

from lmdeck.backend import errors
from lmdeck.config.errors import ConfigError
from lmdeck.connect import NotConfigured
from lmdeck.plain.frame import Failed, guarded, new_parser, run
from lmdeck.store.errors import StoreError

posix = pytest.mark.skipif(os.name == "nt", reason="Windows knows neither SIGINT for a child nor EPIPE")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (errors.Unreachable("connection refused"), 3, "down: connection refused\nx: Start the server"),
        (errors.TimedOut("no answer within 5 s"), 3, "down: no answer"),
        (errors.NotLMStudio("a printer"), 3, "not LM Studio\nx: a printer\nx: Check the address"),
        (errors.Unauthorized("no"), 4, "401: token not accepted\nx: no\nx: Set LM_API_TOKEN"),
        (errors.Forbidden("no"), 4, "403"),
        (errors.NotFound("no such model"), 1, "404: not found: no such model\n"),
        (errors.BadReply("HTML"), 1, "bad reply: HTML\n"),
        (NotConfigured("the token command failed"), 2, "configuration: the token command failed"),
        (ConfigError("url is no address"), 2, "url is no address"),
        (StoreError("history", "locked"), 1, "locked"),
        (Failed("no such thing"), 1, "no such thing"),
        (Failed("wrong", 2), 2, "wrong"),
        (FileNotFoundError(2, "No such file", "a.txt"), 1, "a.txt: No such file"),
    ],
)
def test_every_failure_has_a_code_and_words(error, code, words, capsys) -> None:
    def work() -> int:
        raise error

    assert guarded("x", work) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("x: ")
    assert words in err
    assert "(r)" not in err


def test_what_is_said_cannot_command_the_terminal(capsys) -> None:
    def work() -> int:
        raise Failed("evil \x1b[2J")

    guarded("x", work)
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("endless", "arguments", "code"),
    [(False, [], 1), (True, [], 0), (False, ["--watch"], 0), (False, ["--watch", "1"], 0)],
)
def test_what_is_meant_to_be_ended_ends_well(endless, arguments, code, capsys) -> None:
    async def body(options: argparse.Namespace) -> None:
        raise KeyboardInterrupt

    assert run(new_parser("x", "", watch=True), arguments, body, endless=endless) == code
    assert ("interrupted" in capsys.readouterr().err) is bool(code)


@pytest.mark.parametrize("arguments", [["--no-such"], ["--watch", "0"], ["--watch", "soon"], ["--url"]])
def test_wrong_usage(arguments, capsys) -> None:
    async def body(options: argparse.Namespace) -> None:
        raise AssertionError

    assert run(new_parser("x", "", watch=True), arguments, body) == 2
    assert "usage: lmdeck x" in capsys.readouterr().err


def test_help_lists_the_exit_codes(capsys) -> None:
    async def body(options: argparse.Namespace) -> None:
        raise AssertionError

    assert run(new_parser("x", ""), ["--help"], body) == 0
    assert "5 verification failed" in capsys.readouterr().out


def _started(*arguments: str) -> "subprocess.Popen[bytes]":
    command = (sys.executable, "-m", "lmdeck", *arguments)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [["ls", "--watch"], ["events"]])
def test_a_signal_ends_what_runs_on(arguments, number, server) -> None:
    process = _started(*arguments)
    assert process.stdout
    assert process.stdout.readline()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")


@posix
def test_a_reader_that_has_gone_is_no_failure(server) -> None:
    process = _started("ls")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), said) == (0, b"")


@pytest.mark.parametrize("arguments", [["ls", "--json"], ["ps"], ["load", "--help"]])
def test_no_screen_is_loaded(arguments, server) -> None:
    code = (
        "import sys; from lmdeck.cli import main; code = main(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    code, *modules = ran.stderr.split()
    assert code == "0"
    assert "\x1b" not in ran.stdout
    assert not {*modules} & {"textual", "pynvml", "sqlite3"}
