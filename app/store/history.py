"""What is kept in `history.db`, for the event loop: loads, exchanges, conversations, presets, downloads."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from lmdeck.model.download import Download
from lmdeck.model.exchange import ExchangeRecord, ExchangeText, PastExchange
from lmdeck.model.history import LoadRecord, Preset
from lmdeck.model.problem import Problem
from lmdeck.model.statistics import Day
from lmdeck.store.errors import StoreError

if TYPE_CHECKING:
    from lmdeck.model.conversation import ChatPreset, Conversation, ConversationSummary, Turn
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

    async def past_exchanges(self, query: str, limit: int) -> tuple[PastExchange, ...]:
        """As `exchanges`, each with the number under which its text is found."""
        return await self._run(lambda database: database.exchanges.past(query, limit))

    async def exchange_text(self, number: int) -> ExchangeText | None:
        """Prompt and answer of one exchange, where they were kept."""
        return await self._run(lambda database: database.exchanges.text(number))

    async def days(self, days: int = 30) -> tuple[Day, ...]:
        """Totals by local day and model over the last `days` days, today included; newest first."""
        return await self._run(lambda database: database.exchanges.days(days))

    async def conversations(self, query: str = "", limit: int = 200) -> "tuple[ConversationSummary, ...]":
        """Pinned ones first, then the newest first: those that hold the beginnings of all words of `query` in the title
        or in what was said, each with a snippet where a text holds one."""
        return await self._run(lambda database: database.conversations.found(query, limit))

    async def conversation(self, id: str) -> "Conversation | None":
        """A whole conversation with its files."""
        return await self._run(lambda database: database.conversations.whole(id))

    async def keep_conversation(self, conversation: "Conversation") -> None:
        """Keep everything but the turns, in place of what was kept of it."""
        await self._run(lambda database: database.conversations.keep(conversation))

    async def keep_turn(self, conversation_id: str, turn: "Turn") -> None:
        """Keep a turn, in place of the one of its id; a new one becomes the end of the conversation's path (`leaf`),
        and begins the conversation if it is not kept. Cheap: a growing answer can be kept every few seconds."""
        await self._run(lambda database: database.conversations.keep_turn(conversation_id, turn))

    async def add_conversation(self, conversation: "Conversation") -> None:
        """Keep a conversation with all its turns, an imported one, or nothing of it."""
        await self._run(lambda database: database.conversations.add(conversation))

    async def drop_conversation(self, id: str) -> None:
        """Forget a conversation, if there is one; its texts are overwritten, its words in the index by `prune`."""
        await self._run(lambda database: database.conversations.drop(id))

    async def drafts(self) -> Mapping[str, str]:
        """What was typed and not sent, by key."""
        return await self._run(lambda database: database.writings.drafts())

    async def keep_draft(self, key: str, text: str) -> None:
        """Keep a draft in place of the one of this key; an empty one is forgotten. The oldest beyond 200 go."""
        await self._run(lambda database: database.writings.keep_draft(key, text))

    async def prompts(self, limit: int = 500) -> tuple[str, ...]:
        """The last prompts that were sent, each once, oldest first."""
        return await self._run(lambda database: database.writings.prompts(limit))

    async def keep_prompt(self, text: str) -> None:
        """Keep a prompt as the newest; one of more than 2¹⁶ characters is not kept. The oldest beyond 1,000 go."""
        await self._run(lambda database: database.writings.keep_prompt(text))

    async def chat_presets(self) -> "tuple[ChatPreset, ...]":
        """All presets of the chat, by kind and name."""
        return await self._run(lambda database: database.writings.presets())

    async def keep_chat_preset(self, preset: "ChatPreset") -> None:
        """Keep a preset, in place of one of the same kind and name."""
        await self._run(lambda database: database.writings.keep_preset(preset))

    async def drop_chat_preset(self, kind: str, name: str) -> None:
        """Forget a preset, if there is one."""
        await self._run(lambda database: database.writings.drop_preset(kind, name))

    async def downloads(self, server: str) -> tuple[Download, ...]:
        """The downloads of a server that were not seen to their end, oldest first."""
        return await self._run(lambda database: database.downloads.of(server))

    async def keep_download(self, server: str, download: Download) -> None:
        """Keep a download that runs; the oldest beyond 100 go."""
        await self._run(lambda database: database.downloads.keep(server, download))

    async def drop_download(self, server: str, job_id: str) -> None:
        """Forget a download, if it is kept."""
        await self._run(lambda database: database.downloads.drop(server, job_id))

    async def prune(self, days: int = 90, megabytes: int = 200) -> None:
        """Forget exchanges that are older than `days`, and the oldest beyond `megabytes` of the whole file; gives the
        space back. Conversations go only beyond 2,000 or half of `megabytes`, the oldest first and no pinned one. It
        works in pieces of some ten milliseconds, between which other calls are served."""
        pieces = await self._run(lambda database: database.prune(days, megabytes))
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
