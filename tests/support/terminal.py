"""A program in a pseudo-terminal, driven and watched as its user would. POSIX only."""

import os
import pty
import re
import select
import signal
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pyte

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "esc": "\x1b",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pageup": "\x1b[5~",
    "end": "\x1b[F",
    "backspace": "\x7f",
} | {f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"}

# What Textual asks a terminal, and what one that knows synchronized output answers.
_QUERIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[c": b"\x1b[?62;22c", b"\x1b[6n": b"\x1b[1;1R"}
# pyte does not know these; real terminals do and show nothing for them.
_UNKNOWN = re.compile(rb"\x1b[P_^\]].*?(?:\x1b\\|\x07)|\x1b\[[<=>?][0-9;:]*[umqpnc]|\x1b\[[0-9;?]*\$[a-z]", re.DOTALL)


def display(screen: pyte.Screen) -> str:
    """The screen's text, one line a row. (pyte's own stumbles over half of a wide character.)"""
    rows = (screen.buffer[y] for y in range(screen.lines))
    return "\n".join("".join(row[x].data for x in range(screen.columns)).rstrip() for row in rows)


class Terminal:
    """Starts `argv` at once. Every wait has a time-out; `close` ends the program and what it left in its group."""

    def __init__(
        self, argv: Sequence[str], size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._pending: list[bytes] = []
        self._held = b""
        self.chunks: list[tuple[float, int]] = []
        self.raw = bytearray()
        self.code: int | None = None
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            termios.tcsetwinsize(0, (size[1], size[0]))
            full = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | dict(env or {})
            os.execvpe(argv[0], list(argv), {k: v for k, v in full.items() if k not in ("COLUMNS", "LINES")})
        os.set_blocking(self._fd, False)

    # Reading

    def pump(self, seconds: float) -> bool:
        """Read what comes within `seconds`, until the first chunk; False when nothing came."""
        if self.code is not None or not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return False
        data = b""
        with suppress(OSError):
            data = os.read(self._fd, 65536)
        if not data:
            self._reap(5.0)
            return False
        self.chunks.append((time.perf_counter(), len(data)))
        self._pending.append(data)
        self.raw += data
        for query, answer in _QUERIES.items():
            for _ in range(data.count(query)):
                self._write(answer)
        return True

    def text(self) -> str:
        """The screen now, one line a row."""
        data, self._held = self._held + b"".join(self._pending), b""
        self._pending.clear()
        # A sequence cut by the end of a read waits for its rest.
        cut = data.rfind(b"\x1b")
        if cut >= 0 and len(data) - cut < 64 and not re.match(rb"\x1b(\[[0-9;:?<=>$ ]*[@-~]|[^\[P\]_^])", data[cut:]):
            data, self._held = data[:cut], data[cut:]
        self._stream.feed(_UNKNOWN.sub(b"", data.replace(b"\x1b[?1049h", b"\x1b[2J\x1b[H")))
        return display(self.screen)

    def wait_until(self, holds: Callable[[str], object], what: str, timeout: float = 15.0) -> str:
        """Read until `holds(screen)`; answers the screen. Raises AssertionError with the screen otherwise."""
        deadline = time.perf_counter() + timeout
        while not holds(text := self.text()):
            if self.code is not None or time.perf_counter() > deadline:
                raise AssertionError(f"no {what} (exit code {self.code}) on the screen:\n{text}")
            self.pump(0.05)
        return text

    def wait_for(self, pattern: str, timeout: float = 15.0) -> str:
        """Read until the regular expression is on the screen."""
        return self.wait_until(lambda text: re.search(pattern, text, re.MULTILINE), repr(pattern), timeout)

    def wait_gone(self, pattern: str, timeout: float = 15.0) -> str:
        """Read until it is not."""
        return self.wait_until(lambda text: not re.search(pattern, text, re.MULTILINE), f"end of {pattern!r}", timeout)

    def wait_quiet(self, quiet: float, timeout: float = 15.0) -> None:
        """Read until nothing came for `quiet` seconds."""
        deadline = time.perf_counter() + timeout
        while self.pump(quiet) and time.perf_counter() < deadline:
            pass

    # Writing

    def _write(self, data: bytes) -> None:
        with suppress(OSError):  # when the program is gone, the next read says so
            os.write(self._fd, data)

    def press(self, *keys: str) -> float:
        """Send keys by name, or text; answers the moment just before."""
        stamp = time.perf_counter()
        for key in keys:
            self._write(KEYS.get(key, key).encode())
        return stamp

    def resize(self, columns: int, rows: int) -> None:
        """Another window size."""
        self.text()
        self.screen.resize(rows, columns)
        termios.tcsetwinsize(self._fd, (rows, columns))
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGWINCH)

    # Ending

    def family(self) -> list[psutil.Process]:
        """The program and all its descendants."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        return []

    def wait_exit(self, timeout: float = 15.0) -> int:
        """Read until the program has ended; answers its exit code."""
        deadline = time.perf_counter() + timeout
        while self.code is None:
            if time.perf_counter() > deadline:
                raise AssertionError(f"still running:\n{self.text()}")
            if not self.pump(0.02):
                self._reap(0.0)
        return self.code

    def _reap(self, timeout: float) -> None:
        deadline = time.perf_counter() + timeout
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.perf_counter() >= deadline:
                return
            else:
                time.sleep(0.002)

    def close(self) -> None:
        """End it if it still runs, by signals to its own group."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self.code is None:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, sign)
                deadline = time.perf_counter() + 5.0
                while self.code is None and time.perf_counter() < deadline:
                    if not self.pump(0.02):
                        self._reap(0.0)
        os.close(self._fd)

    def save(self, path: Path) -> None:
        """The screen's text in a file, to look at."""
        path.write_text(self.text(), encoding="utf-8")
