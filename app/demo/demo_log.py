"""`lmdeck demo-log`: replays log traffic as `lms log stream --json` prints it, at any rate and as hostile as wanted."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterable
from itertools import islice

from lmdeck.backend.output import until_closed
from lmdeck.demo.log_shapes import SHAPES, Event, events, line
from lmdeck.demo.logs import SOURCES

BANNER = b"Streaming logs from LM Studio\n\n"

_PIECE = 128 * 2**10
_TICK_S = 0.005
_FASTEST_REAL = 200.0
_NOMINAL_STEP_S = 0.05

_RUNTIME_TABLE = "LLM ENGINE                           SELECTED    MODEL FORMAT\nllama.cpp-demo@2.3.0    ✓    GGUF"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="lmdeck demo-log",
        description=__doc__,
        epilog="Shapes: mixed (all kinds of events), flood (short prompts and answers), parallel (four requests of one "
        "moment, answered the other way round), hostile (lines that are no events, 10 MB long or not UTF-8).",
    )
    parser.add_argument("--rate", type=float, default=20.0, metavar="N", help="events a second, 0: all at once [20]")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="events, 0: without end [0]")
    parser.add_argument("--shape", choices=SHAPES, default="mixed", help="[mixed]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed tells the same story [0]")
    parser.add_argument("--source", choices=SOURCES, help="only the events of this source [all]")
    parser.add_argument(
        "--start", type=int, metavar="MS", help="Unix ms of the first event, for repeatable times [now]"
    )
    parser.add_argument(
        "--as-lms",
        nargs=argparse.REMAINDER,
        metavar="…",
        help="behave as `lms …`: its log stream is this one, nothing is loaded; for a script in place of `lms`",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run with the arguments after `demo-log`; answers the exit code."""
    options = parser().parse_args(argv)
    try:
        with until_closed():
            return _stream(options) if options.as_lms is None else _as_lms(options)
    except KeyboardInterrupt:
        return 130
    return 0


def _as_lms(options: argparse.Namespace) -> int:
    """One call of `lms`. Its log stream ends only when it is killed, as the real one's."""
    match options.as_lms:
        case ["log", "stream", *arguments]:
            options.source = arguments[arguments.index("-s") + 1] if "-s" in arguments[:-1] else "model"
            _stream(options)
            threading.Event().wait()
        case ["ps" | "ls", *_]:
            print("[]")
        case ["runtime", "ls", *_]:
            sys.stdout.buffer.write(_RUNTIME_TABLE.encode() + b"\n")
        case arguments:
            print(f"Error: lms {' '.join(arguments)}: a replayed log can do nothing", file=sys.stderr)
            return 1
    return 0


def _stream(options: argparse.Namespace) -> int:
    """Tell the story, each event when it is due."""
    rate = max(options.rate, 0.0)
    story: Iterable[Event] = events(options.shape, options.seed, _step_s(rate))
    if options.count > 0:
        story = islice(story, options.count)
    began, out, moment_ms = time.monotonic(), _Pieces(), 0
    began_ms = round(time.time() * 1000) if options.start is None else options.start
    out.add(BANNER)
    for place, event in enumerate(story):
        elapsed_s = place / rate if rate else 0.0
        if rate and (wait_s := began + elapsed_s - time.monotonic()) > _TICK_S:
            out.write()
            time.sleep(wait_s)
        if not event.same_moment:
            moment_ms = began_ms + round((elapsed_s if rate else _since(began, options.start)) * 1000)
        if options.source in (None, event.source):
            out.add(line(event, moment_ms))
    out.write()
    return 0


def _step_s(rate: float) -> float:
    """Seconds between events that the statistics shall agree with; faster than any machine they agree with nothing."""
    return 1 / rate if 0 < rate <= _FASTEST_REAL else _NOMINAL_STEP_S


def _since(began: float, start_ms: int | None) -> float:
    """How much later than the first event it is, in seconds; where times shall be repeatable, no later."""
    return time.monotonic() - began if start_ms is None else 0.0


class _Pieces:
    """Standard output in large pieces."""

    def __init__(self) -> None:
        self._lines, self._size = list[bytes](), 0

    def add(self, line: bytes) -> None:
        """Gather a line; writes when there is enough."""
        self._lines.append(line)
        self._size += len(line)
        if self._size > _PIECE:
            self.write()

    def write(self) -> None:
        """Write what has been gathered."""
        sys.stdout.buffer.write(b"".join(self._lines))
        sys.stdout.buffer.flush()
        self._lines, self._size = [], 0
