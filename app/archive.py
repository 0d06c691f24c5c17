"""What the log's screens show: an entry with its whole exchange, statistics, exports."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import TypeVar

from lmdeck.backend.errors import BackendError
from lmdeck.backend.protocol import REPEATABLE
from lmdeck.config.paths import exports_dir
from lmdeck.desk import Desk
from lmdeck.exchanges.records import as_csv, as_jsonl, as_markdown, record
from lmdeck.ledger import Ledger
from lmdeck.model.exchange import Exchange, PastExchange
from lmdeck.model.log import LogEntry
from lmdeck.model.problem import Problem
from lmdeck.model.statistics import WINDOWS
from lmdeck.screens import intents
from lmdeck.screens.exchange_screen import ExchangeAction, ExchangeScreen
from lmdeck.screens.past_columns import MOST
from lmdeck.screens.past_screen import PastScreen
from lmdeck.screens.past_text import past_exchange, past_sections
from lmdeck.screens.statistics_screen import StatisticsScreen
from lmdeck.store.errors import StoreError

S = TypeVar("S")

_POINTS, _EVERY_S = 60, 1.0
_NO_HISTORY = Problem("no history", "Days are counted from the history file, and there is none.")


class Archive:
    """Opens the screens that look back, and answers them while they are open."""

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        self._desk, self._ledger, self._app = desk, ledger, desk.app
        self._window = next(iter(WINDOWS))

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case intents.OpenEntry(entry=entry, hide_text=hide_text):
                self._open_entry(entry, hide_text)
            case intents.ShowStatistics():
                self._app.push_screen(StatisticsScreen(windows=tuple(WINDOWS), window=self._window))
                self._app.run_worker(self._refresh(), group="statistics", exclusive=True)
            case StatisticsScreen.WindowChosen(window=window):
                self._window = window
                self._show()
            case StatisticsScreen.DaysChosen(span=span):
                self._app.run_worker(self._days(span), group="days", exclusive=True)
            case StatisticsScreen.ExportRequested(kind=kind):
                entries = list(self._desk.dashboard.log_pane.shown())
                self._app.run_worker(self._export(entries, kind, with_text=False), group="export")
            case intents.ShowPast(hide_text=hide_text):
                self._app.push_screen(PastScreen(hide_text=hide_text))
            case PastScreen.Wanted(words=words):
                self._app.run_worker(self._find(words), group="past")
            case PastScreen.Opened(past=past, words=words, hide_text=hide_text):
                self._app.run_worker(self._open_past(past, words, hide_text), group="past-text", exclusive=True)
            case intents.ExportLog(entries=entries, kind=kind, with_text=with_text):
                self._app.run_worker(self._export(entries, kind, with_text), group="export")
            case _:
                return False
        return True

    def heard(self, changed: Sequence[Exchange]) -> None:
        """An open exchange goes on growing."""
        if changed and isinstance(screen := self._app.screen, ExchangeScreen):
            for exchange in changed:
                if exchange.number == screen.number:
                    screen.update(exchange)

    def _open_entry(self, entry: LogEntry, hide_text: bool) -> None:
        exchange = self._ledger.exchange_of(entry)
        if exchange is None:
            self._desk.dashboard.show_plain_entry(entry)
            return
        self._app.push_screen(ExchangeScreen(exchange, hide_text=hide_text, can_send=True), self._act)

    def _act(self, action: ExchangeAction | None) -> None:
        """What an exchange was left with."""
        if action is not None and action.kind == "chat":
            for screen in self._open(PastScreen):
                screen.dismiss()
            self._desk.dashboard.put_into_chat(action.text, action.exchange.instance_id)
        elif action is not None:
            self._app.run_worker(self._repeat(action), group="repeat")

    async def _repeat(self, action: ExchangeAction) -> None:
        """Send it again: as the server logged it, else the formatted prompt as it is, which comes to the same."""
        exchange, notices = action.exchange, self._desk.notices
        path, body = exchange.path, _decoded(action.text)
        if body is None and exchange.input is not None:
            path, body = "/v1/completions", {"model": exchange.instance_id, "prompt": exchange.input.text}
        if body is None or path not in REPEATABLE:
            notices.tell("Neither its body nor its prompt is known whole: it cannot be repeated.", severity="warning")
            return
        if self._desk.state().instance(exchange.instance_id) is None:
            notices.tell(f"{exchange.instance_id} is not loaded: repeating would load it.", severity="warning")
            return
        body.pop("context_length", None)  # native chat would reload the model for it
        notices.tell("Sent again: its answer shows in the log.")
        try:
            await self._desk.backend.repeat(path, body)
        except BackendError as error:
            notices.problem("Repeating", error.problem)

    # The history

    async def _find(self, words: str) -> None:
        keeper, problem, found = self._desk.keeper, self._desk.no_keeper, None
        if keeper is not None:
            try:
                found = await keeper.past(words, MOST + 1)
            except StoreError as error:
                problem = error.problem
        for screen in self._open(PastScreen):
            screen.fail(words, problem) if found is None else screen.show(words, found)

    async def _open_past(self, past: PastExchange, words: str, hide_text: bool) -> None:
        keeper, record = self._desk.keeper, past.record
        try:
            text = await keeper.past_text(past.number) if keeper else None
        except StoreError as error:
            self._desk.notices.problem("History", error.problem)
            return
        exchange, sections = past_exchange(record, text), past_sections(record, text)
        if isinstance(self._app.screen, PastScreen):
            screen = ExchangeScreen(
                exchange, hide_text=hide_text, can_send=exchange.input is not None, sections=sections, look_for=words
            )
            self._app.push_screen(screen, self._act)

    # The statistics

    async def _refresh(self) -> None:
        """Once a second, for as long as the statistics are open."""
        while self._open(StatisticsScreen):
            self._show()
            await asyncio.sleep(_EVERY_S)

    def _open(self, kind: type[S]) -> list[S]:
        return [screen for screen in self._app.screen_stack if isinstance(screen, kind)]

    def _show(self) -> None:
        now = time.time()
        summaries, series = self._ledger.summaries(self._window, now), self._ledger.series(self._window, now, _POINTS)
        for screen in self._open(StatisticsScreen):
            if screen.is_mounted:
                screen.show(summaries, series)

    async def _days(self, span: int) -> None:
        keeper = self._desk.keeper
        if keeper is None:
            self._desk.notices.note(_NO_HISTORY)
            return
        try:
            days = await keeper.days(span)
        except StoreError as error:
            self._desk.notices.problem("Statistics", error.problem)
            return
        for screen in self._open(StatisticsScreen):
            screen.show_days(days, span)

    async def _export(self, entries: Sequence[LogEntry], kind: str, with_text: bool) -> None:
        exchanges = self._ledger.exchanges_of(entries)
        if not exchanges:
            self._desk.notices.tell("No request is shown: there is nothing to export.", severity="warning")
            return
        try:
            path = await asyncio.to_thread(_write, exchanges, kind, with_text, self._desk.backend.url)
        except OSError as error:
            self._desk.notices.problem("Export", Problem("not written", str(error)))
        else:
            self._desk.notices.tell(f"{len(exchanges)} requests\n{path}", title="Written", timeout=10)


def _decoded(text: str) -> dict[str, object] | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _write(exchanges: Sequence[Exchange], kind: str, with_text: bool, server: str) -> str:
    folder = exports_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ending = {"jsonl": "jsonl", "csv": "csv", "markdown": "md"}[kind]
    path = folder / f"lmdeck-log-{time.strftime('%Y%m%d-%H%M%S')}.{ending}"
    match kind:
        case "jsonl":
            lines = as_jsonl(exchanges, with_text=with_text)
        case "csv":
            lines = as_csv([record(exchange, server) for exchange in exchanges])
        case _:
            lines = as_markdown(exchanges, with_text=with_text)
    with path.open("x", encoding="utf-8", newline="") as file:
        path.chmod(0o600)
        file.writelines(f"{line.rstrip(chr(10))}\n" for line in lines)
    return str(path)
