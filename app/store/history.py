"""The history of loads and exchanges and the presets, kept in `history.db`, for the event loop."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from lmdeck.model.exchange import ExchangeRecord, ExchangeText, PastExchange
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.problem import Problem
from lmdeck.model.statistics import Day
from lmdeck.store.errors import StoreError

if TYPE_CHECKING:
    from lmdeck.store.database import Database

BUSY_S = 5.0

_OVER = object()

_T = TypeVar("_T")


class Store:
    """What lasts beyond a session. Make it with `open`, end it with `close` or as a context manager.

    Every method raises StoreError and never blocks the loop: SQLite runs in one thread of the store's own, and several
    lmdecks may use one file at once. A call that is cancelled is still carried out.
    """

    def __init__(self, database: "Database", executor: ThreadPoolExecutor) -> None:
        self._database: Database | None = database
        self._executor = executor
        self.problem: Problem | None = database.problem
        """What happened at the opening that the user should know: a damaged file was set aside."""

    @classmethod
    async def open(cls, path: Path, *, busy_s: float = BUSY_S) -> Self:
        """Open or make the file and its folder, which only the user may read. `busy_s`: how long another program's
        writing is waited for."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="store")
        opening = asyncio.get_running_loop().run_in_executor(executor, _opened, path, busy_s)
        try:
            return cls(await asyncio.shield(opening), executor)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_when_open)
            executor.shutdown(wait=False)
            raise
        except BaseException:
            executor.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Close the file once everything asked for has been done."""
        database, self._database = self._database, None
        if database is not None:
            closing = asyncio.get_running_loop().run_in_executor(self._executor, database.close)
            self._executor.shutdown(wait=False)
            await asyncio.shield(closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def add_load(self, record: LoadRecord) -> None:
        """Keep a load; the oldest beyond 2,000 go."""
        await self._run(lambda database: database.add_load(record))

    async def loads(
        self, model_key: str | None = None, machine: str | None = None, limit: int = 50
    ) -> tuple[LoadRecord, ...]:
        """The newest loads, newest first; of all models or machines where None."""
        return await self._run(lambda database: database.loads(model_key, machine, limit))

    async def presets(self) -> Mapping[str, tuple[Preset, ...]]:
        """All presets by model key, those of one model by name (the empty one, "as last time", first)."""
        return await self._run(lambda database: database.presets())

    async def keep_preset(self, preset: Preset) -> None:
        """Keep a preset for its settings' model, in place of one of the same name."""
        await self._run(lambda database: database.keep_preset(preset))

    async def drop_preset(self, model_key: str, name: str) -> None:
        """Forget a preset, if there is one."""
        await self._run(lambda database: database.drop_preset(model_key, name))

    async def add_exchanges(self, exchanges: Sequence[tuple[ExchangeRecord, ExchangeText | None]]) -> None:
        """Keep finished exchanges, all or none; their texts only where they are given, each shortened to 2¹⁸
        characters. Gather them: one call a second takes thousands."""
        kept = tuple(exchanges)
        await self._run(lambda database: database.exchanges.add(kept))

    async def exchanges(
        self, query: str = "", model: str | None = None, limit: int = 500
    ) -> tuple[ExchangeRecord, ...]:
        """The newest exchanges, newest first: those of one instance id, and those that hold the beginnings of all
        words of `query` in instance id, path, stop reason, error, or in a text that was kept."""
        found = await self._run(lambda database: database.exchanges.found(query, model, limit))
        return tuple(record for record, _ in found)

    async def search(self, text: str, limit: int = 50) -> tuple[tuple[ExchangeRecord, ExchangeText | None], ...]:
        """As `exchanges`, with the texts where they were kept."""
        return await self._run(lambda database: database.exchanges.found(text, None, limit, with_texts=True))

    async def past(self, query: str, limit: int) -> tuple[PastExchange, ...]:
        """As `exchanges`, each with the number under which its `text` is found."""
        return await self._run(lambda database: database.exchanges.past(query, limit))

    async def text(self, number: int) -> ExchangeText | None:
        """Prompt and answer of one exchange, where they were kept."""
        return await self._run(lambda database: database.exchanges.text(number))

    async def days(self, days: int = 30) -> tuple[Day, ...]:
        """Totals by local day and model over the last `days` days, today included; newest first."""
        return await self._run(lambda database: database.exchanges.days(days))

    async def prune(self, days: int = 90, megabytes: int = 200) -> None:
        """Forget exchanges that are older than `days`, and the oldest beyond `megabytes` of the whole file; gives the
        space back. It works in pieces of some ten milliseconds, between which other calls are served."""
        pieces = await self._run(lambda database: database.exchanges.prune(days, megabytes))
        while await self._run(lambda database: next(pieces, _OVER)) is not _OVER:
            pass

    async def _run(self, work: "Callable[[Database], _T]") -> _T:
        database = self._database
        if database is None:
            raise StoreError("history: it is closed")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, database)


def _opened(path: Path, busy_s: float) -> "Database":
    from lmdeck.store.database import Database  # SQLite is not loaded before the first screen

    return Database(path, busy_s=busy_s)


def _close_when_open(opening: "asyncio.Future[Database]") -> None:
    """Nobody waits for it any more; closing it takes no time, as nothing was written."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
