"""Keeps conversations, drafts and prompts in the history, as far as their owner allows it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from lmdeck.conversations.export import title_for
from lmdeck.model.conversation import NOWHERE, ChatPreset, Conversation, Turn
from lmdeck.model.problem import Problem
from lmdeck.store.errors import StoreError
from lmdeck.store.history import Store


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier sessions left: unsent texts by conversation id, prompts (oldest first), presets."""

    drafts: Mapping[str, str] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    presets: tuple[ChatPreset, ...] = ()


class Scribe:
    """Writes nothing of a conversation that is to be kept nowhere. Every method that is awaited raises StoreError; of
    what is written `later`, `note` is told what could not be."""

    def __init__(self, store: Store, note: Callable[[Problem], None]) -> None:
        self.store, self._note = store, note
        self._waiting: deque[Callable[[], Awaitable[object]]] = deque()
        self._wanted = asyncio.Event()

    def later(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write it without being waited for, in the order in which it was asked for."""
        self._waiting.append(write)
        self._wanted.set()

    async def write(self) -> None:
        """Write what waits, for ever; `write_rest` ends it."""
        while True:
            await self._wanted.wait()
            await self.write_rest()

    async def write_rest(self) -> None:
        """Write what waits."""
        self._wanted.clear()
        while self._waiting:
            try:
                await self._waiting.popleft()()
            except StoreError as error:
                self._note(error.problem)

    async def remembered(self) -> Remembered:
        """Everything that the chat begins with."""
        return Remembered(await self.store.drafts(), await self.store.prompts(), await self.store.chat_presets())

    async def keep(self, conversation: Conversation) -> None:
        """How a conversation is sent and called, without its turns; one without turns is not kept."""
        if conversation.turns and conversation.keeping != NOWHERE:
            await self.store.keep_conversation(conversation)

    async def keep_turn(self, conversation: Conversation, turn: Turn) -> None:
        """A turn, as far as it came."""
        if conversation.keeping != NOWHERE:
            await self.store.keep_turn(conversation.id, turn)

    async def keep_all(self, conversation: Conversation) -> None:
        """A conversation that came from elsewhere, or was to be kept nowhere before."""
        if conversation.turns and conversation.keeping != NOWHERE:
            await self.store.add_conversation(conversation)

    async def rename(self, id: str, title: str) -> None:
        """Another title for a kept conversation; an empty one stands for the first words of the first prompt."""
        if (kept := await self.store.conversation(id)) is not None:
            await self.store.keep_conversation(titled(kept, title))

    async def pin(self, id: str, pinned: bool) -> None:
        """To the top of the list, or back."""
        if (kept := await self.store.conversation(id)) is not None:
            await self.store.keep_conversation(replace(kept, pinned=pinned))

    async def keep_draft(self, conversation: Conversation, key: str, text: str) -> None:
        """What is typed and not sent."""
        if conversation.keeping != NOWHERE:
            await self.store.keep_draft(key, text)

    async def keep_prompt(self, conversation: Conversation, text: str) -> None:
        """What was sent, for the editor's history."""
        if conversation.keeping != NOWHERE:
            await self.store.keep_prompt(text)


def titled(conversation: Conversation, title: str) -> Conversation:
    """Called so, or by the first words of the first prompt."""
    first = conversation.turns[0].text if conversation.turns else ""
    return replace(conversation, title=title or title_for(first))
