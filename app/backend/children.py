"""Child processes, each with an owner that ends it: at the end of its block, on cancellation, in `close()`, and
when the program exits for whatever reason Python still hears of (atexit).

On POSIX a child leads its own session, so that its whole group is ended with it and no key pressed in the
terminal reaches it. On Windows its descendants are found by psutil. LM Studio itself, which `lms` may wake up,
is never ended: it detaches itself on POSIX and is spared by name on Windows.
"""

import asyncio
import atexit
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from lmdeck.backend.errors import CommandFailed
from lmdeck.model.text import one_line

GRACE_S = 1.0
KEPT_STDERR = 8 * 2**10
# asyncio reads on while its buffer holds less than twice this: so small, it reads a pipe only when it is asked,
# and a writer that is too fast waits in its own write.
READ_AHEAD = 1024

_SPARED_ON_WINDOWS = ("lm studio", "llmster")

_live: set[int] = set()


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """asyncio's streams, and the moment of the exit itself: `Process.wait` also waits until the pipes are closed,
    which a paused pipe or a grandchild puts off for ever."""

    def __init__(self) -> None:
        super().__init__(READ_AHEAD, asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class Child:
    """A running child: read `stdout`; its stderr is drained all the time and its end kept."""

    def __init__(self, transport: asyncio.SubprocessTransport, pipes: _Pipes) -> None:
        assert pipes.stdout is not None
        assert pipes.stderr is not None
        self.stdout: asyncio.StreamReader = pipes.stdout
        self.pid = transport.get_pid()
        self._stderr = pipes.stderr
        self._exited = pipes.exited
        self._transport = transport
        self._said = bytearray()
        self._drain = asyncio.create_task(self._keep_stderr(), name=f"stderr of {self.pid}")

    async def exit_code(self) -> int | None:
        """To be asked when its output has ended: its exit code once its stderr is read too, or None if it lives on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self._exited.wait()
        await asyncio.wait({self._drain}, timeout=GRACE_S)  # a grandchild may hold the pipe open
        return self._transport.get_returncode()

    @property
    def stderr(self) -> str:
        """The kept end of stderr as it came: to be read, not to be shown."""
        return self._said.decode("utf-8", "replace")

    def stderr_lines(self) -> list[str]:
        """The kept end of stderr: its lines that say something, made safe to show."""
        return [line for raw in self.stderr.splitlines() if (line := one_line(raw))]

    async def interrupt(self, within_s: float) -> None:
        """Ctrl+C for it, and its end awaited that long: it may have to take back what it has begun."""
        _interrupt(self.pid)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._exited.wait()

    async def end(self) -> None:
        """End it and its descendants: ask, then force. Safe to call again."""
        try:
            for force in (False, True):
                # The group may outlive its leader: it is signalled even if the leader has gone.
                _signal_tree(self.pid, force=force)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await self._exited.wait()
        finally:
            _signal_tree(self.pid, force=True)
            self._drain.cancel()
            self._transport.close()

    async def _keep_stderr(self) -> None:
        while piece := await self._stderr.read(KEPT_STDERR):
            self._said += piece
            del self._said[:-KEPT_STDERR]


class Children:
    """The children of one owner."""

    def __init__(self) -> None:
        self._running: set[Child] = set()
        self.closed = False

    @asynccontextmanager
    async def spawn(self, argv: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Child]:
        """Run `argv` without a shell for as long as the block lasts; CommandFailed if it cannot be started."""
        if self.closed:
            raise CommandFailed("the connection to it is closed")
        try:
            transport, pipes = await asyncio.get_running_loop().subprocess_exec(
                _Pipes,
                *argv,
                stdin=subprocess.DEVNULL,
                env=dict(env),
                start_new_session=True,
                creationflags=_CREATION_FLAGS,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CommandFailed(f"{argv[0]} cannot be run: {one_line(reason)}") from None
        child = Child(transport, pipes)
        _live.add(child.pid)
        self._running.add(child)
        try:
            yield child
        finally:
            try:
                await child.end()
            finally:
                self._running.discard(child)
                _live.discard(child.pid)

    async def close(self) -> None:
        """End every child, and start no more."""
        self.closed = True
        await asyncio.gather(*(child.end() for child in tuple(self._running)))


@atexit.register
def kill_all() -> None:
    """Kill every child that still runs, at once and without an event loop. Safe to call again."""
    for pid in tuple(_live):
        _signal_tree(pid, force=True)
        _live.discard(pid)


if sys.platform == "win32":
    _CREATION_FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP

    def _signal_tree(pid: int, *, force: bool) -> None:
        import psutil

        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            tree = [process, *process.children(recursive=True)]
            for member in tree:
                with contextlib.suppress(psutil.Error):
                    if not member.name().lower().startswith(_SPARED_ON_WINDOWS):
                        member.kill() if force else member.terminate()

    def _interrupt(pid: int) -> None:
        # A child without our console does not hear it: then nothing is awaited for long, it is ended like others.
        with contextlib.suppress(OSError):
            os.kill(pid, signal.CTRL_BREAK_EVENT)

else:
    _CREATION_FLAGS = 0

    def _signal_tree(pid: int, *, force: bool) -> None:
        # macOS answers EPERM for a group of which only zombies are left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)

    def _interrupt(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGINT)
