"""`lmdeck log`: the log as the deck shows it, line by line and without a screen."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lmdeck.backend.errors import BackendError
from lmdeck.backend.logfiles import tail_of_logs
from lmdeck.config.models_folder import logs_folder
from lmdeck.config.settings import Settings, load_settings, read_token
from lmdeck.exchanges.join import Joiner
from lmdeck.feeds.chosen import Chosen
from lmdeck.feeds.logs import merged
from lmdeck.model.log import SOURCES, DeckNote, LogEntry
from lmdeck.model.log_json import entry_record, summary_record
from lmdeck.model.log_query import BadQuery, Query, parse_query
from lmdeck.model.text import one_line
from lmdeck.model.units import rate, ttft
from lmdeck.plain.frame import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, Failed, end_on_signals, run_blocking
from lmdeck.widgets.paint.line import Line, Span, Tone, plain
from lmdeck.widgets.paint.log_line import summary

if TYPE_CHECKING:
    from lmdeck.backend.protocol import Backend
    from lmdeck.exchanges.tally import Tally
    from lmdeck.model.statistics import Summary

_LOCAL = ("127.0.0.1", "localhost", "::1", "0.0.0.0")
_LAST = 500
_FILE_BYTES, _FILE_ENTRIES = 16 * 2**20, 100_000
_LOOK_S = 2.0
_NO_LMS = (
    "LM Studio's `lms` command, which tells the log, was not found. Start LM Studio once, or run "
    "`npx lmstudio install-cli`; name it with --lms if it is not on PATH."
)
_COLOURS: dict[Tone, str] = {"strong": "1", "muted": "2", "accent": "36", "good": "32", "warn": "33", "bad": "31"}


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `log` until Ctrl+C, the reader's end, or with --no-follow the last line; answers the
    exit code."""
    return run_blocking(_parser(), argv, _run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lmdeck log",
        description="Prints what LM Studio's model, its server and its engine log, merged by time, as it comes.",
        epilog="QUERY is the deck's filter: words, re:PATTERN, model:NAME, source:NAME, level:warn, stop:REASON, "
        "tps<20, ttft>2, since:10m; -TERM leaves out. Exit codes: 0 done (Ctrl+C too), 1 no `lms` or no log files, "
        "2 usage, 3 server unreachable, 4 token not accepted.",
    )
    parser.add_argument(
        "--source", action="extend", nargs="+", choices=SOURCES, metavar="NAME", help=f"{', '.join(SOURCES)} [all]"
    )
    parser.add_argument("--filter", default="", metavar="QUERY", help="print only what passes")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, whole texts in it, for programs")
    parser.add_argument("--stats", action="store_true", help="totals of every model at the end")
    parser.add_argument("--search", metavar="WORDS", help="not the log but the kept requests with all these words")
    parser.add_argument("--hide-text", action="store_true", help="no prompts and no answers")
    parser.add_argument("--last", type=int, metavar="N", help="begin with the last N entries of LM Studio's log files")
    parser.add_argument("--no-follow", dest="follow", action="store_false", help=f"end after those [--last {_LAST}]")
    parser.add_argument("--url", help="the server's address [LMDECK_URL, or http://127.0.0.1:1234]")
    parser.add_argument("--profile", metavar="NAME", help="a [profiles.NAME] table of the configuration file")
    parser.add_argument("--lms", metavar="PATH", help="LM Studio's command line [LMDECK_LMS, or found]")
    parser.add_argument("--config", metavar="FILE", help="the configuration file [LMDECK_CONFIG]")
    return parser


def _run(options: argparse.Namespace) -> int:
    flags = {name: getattr(options, name) for name in ("url", "profile", "lms", "config")}
    settings = load_settings(flags, os.environ)
    if options.search is not None:
        from lmdeck.history_command import search

        most = options.last or _LAST
        return search(settings.history, options.search, most=most, as_json=options.json, hide_text=options.hide_text)
    try:
        query = parse_query(options.filter, time.time())
    except BadQuery as error:
        raise Failed(f"--filter: {error.words}", EXIT_USAGE) from None
    last = _LAST if options.last is None and not options.follow else options.last or 0
    if last < 0:
        raise Failed("--last is a number of entries", EXIT_USAGE)
    if last and urlsplit(settings.url).hostname not in _LOCAL:
        raise Failed(f"--last reads log files of this machine, not of {settings.url}", EXIT_USAGE)
    printer = _Printer(options, query)
    with suppress(KeyboardInterrupt, asyncio.CancelledError):  # Ctrl+C, or told to end
        asyncio.run(_print(settings, printer, last, follow=options.follow))
    printer.end()
    return EXIT_DONE


async def _print(settings: Settings, printer: _Printer, last: int, *, follow: bool) -> None:
    """Print the end of the files, then what comes, until cancelled. Raises BackendError, ConfigError, OSError."""
    end_on_signals()
    if last:
        found = await tail_of_logs(logs_folder(Path.home()), _FILE_BYTES, _FILE_ENTRIES)
        if not found and not follow:
            raise Failed(
                f"no log files in {logs_folder(Path.home())}; LM Studio's settings switch them on", EXIT_FAILED
            )
        await printer.show(found, last)
    if follow:
        await _follow(settings, printer)


async def _follow(settings: Settings, printer: _Printer) -> None:
    from lmdeck.backend.lms import Lms, find_lms
    from lmdeck.backend.lmstudio import LMStudio

    path = find_lms(settings.lms)
    if path is None:
        raise Failed(_NO_LMS, EXIT_FAILED)
    token, server = await read_token(settings), urlsplit(settings.url)
    backend = LMStudio(settings.url, token, ca_file=settings.ca_file)
    lms = Lms(path, host=server.hostname, port=server.port, token=token)
    online, watch = asyncio.Event(), None
    try:
        await backend.greet()
        await backend.models()  # the greeting asks for no token
        online.set()
        watch = asyncio.create_task(_watch(backend, online))
        async with aclosing(merged([lms.log(source, online) for source in printer.needed])) as batches:
            async for batch in batches:
                if any(isinstance(entry, DeckNote) and entry.level == "warn" for entry in batch):
                    online.clear()  # a stream ended: whether LM Studio still runs is looked at first
                await printer.show(batch)
    finally:
        if watch is not None:
            watch.cancel()
        await lms.close()
        await backend.close()


async def _watch(backend: Backend, online: asyncio.Event) -> None:
    """Keep `lms` from waking up an LM Studio that somebody has quit."""
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            await backend.greet()
        except BackendError:
            online.clear()
        else:
            online.set()


class _Printer:
    """Entries to standard output, lmdeck's own words to standard error."""

    def __init__(self, options: argparse.Namespace, query: Query) -> None:
        self._sources: Sequence[str] = tuple(dict.fromkeys(options.source or SOURCES))
        self._json, self._hide_text = options.json, options.hide_text
        self._joiner = Joiner() if options.stats or query.by_exchange else None
        self._chosen = Chosen(query, self._sources, self._joiner)
        self._tally = _new_tally() if options.stats else None
        self._colours = sys.stdout.isatty() and os.name != "nt" and not os.environ.get("NO_COLOR")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # what a narrow encoding lacks becomes a question mark

    @property
    def needed(self) -> Sequence[str]:
        """The sources to follow: exchanges are joined from all of them."""
        return self._sources if self._joiner is None else SOURCES

    async def show(self, entries: Sequence[LogEntry], last: int | None = None) -> None:
        """Print the entries that are asked for, of those the `last` ones. Raises OSError."""
        for entry in entries:
            if isinstance(entry, DeckNote):
                print(f"lmdeck log: {one_line(entry.text)}", file=sys.stderr)
        changed = self._joiner.feed(entries) if self._joiner else ()
        if self._tally is not None:
            for exchange in changed:
                if not exchange.probe:
                    self._tally.add(exchange)
        wanted = self._chosen.take(entries, changed)
        text = "".join(f"{self._line(entry)}\n" for entry in (wanted if last is None else wanted[-last:]))
        if text:
            await asyncio.to_thread(_write, text)

    def end(self) -> None:
        """Print the totals, if they are asked for. Raises OSError."""
        summaries = self._tally.summaries("session", time.time()) if self._tally else ()
        for one in summaries:
            _write((json.dumps(summary_record(one)) if self._json else _totals(one)) + "\n")

    def _line(self, entry: LogEntry) -> str:
        if self._json:
            return json.dumps(entry_record(entry, hide_text=self._hide_text))
        clock, *others = summary(entry, self._hide_text)
        line: Line = (clock, Span(f" {entry.source:<7}", "muted"), *_without(entry.source, others))
        return _painted(line) if self._colours else plain(line)


def _new_tally() -> Tally:
    from lmdeck.exchanges.tally import Tally  # brings the sketches of percentiles

    return Tally()


def _without(source: str, line: list[Span]) -> list[Span]:
    """The line without its own word for the source, and the blank behind that."""
    for place, span in enumerate(line[:-1]):
        if span.text.strip() == source:
            behind = line[place + 1]
            return [*line[:place], behind._replace(text=behind.text[1:]), *line[place + 2 :]]
    return line


def _painted(line: Line) -> str:
    return "".join(f"\x1b[{_COLOURS[tone]}m{text}\x1b[0m" if tone else text for text, tone in line)


def _totals(one: Summary) -> str:
    """A model's totals on a line: medians, and 95th percentiles in brackets."""
    speed = f"{rate(one.speed.p50)} (p95 {rate(one.speed.p95)})"
    delay = f"{ttft(one.ttft.p50)} (p95 {ttft(one.ttft.p95).removeprefix('TTFT ')})"
    tokens = f"{one.tokens_in}→{one.tokens_out} tok"
    ends = f"{one.errors} errors  {one.truncated} cut off"
    return f"{one_line(one.instance_id) or 'all models'}  {one.requests} requests  {tokens}  {speed}  {delay}  {ends}"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
