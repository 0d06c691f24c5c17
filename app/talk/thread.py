"""The conversation that is in the chat, and everything that has to follow when it changes."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from lmdeck.conversations.heading import heading
from lmdeck.desk import Desk
from lmdeck.model.branches import grown, path, shown
from lmdeck.model.chat import Tools
from lmdeck.model.conversation import NOWHERE, Attachment, ChatPreset, Conversation, Turn
from lmdeck.state.views import context_meter
from lmdeck.talk.scribe import Remembered, Scribe, titled

NEW = "new"
"""The key of the draft for a conversation that has no turn yet."""


class Thread:
    """One conversation, its attachments to come, and where it is kept. `tools` are all that are configured, by label.

    `scribe` is None while there is no history; then everything lasts as long as the deck.
    """

    def __init__(self, desk: Desk, tools: Mapping[str, Tools], presets: Sequence[ChatPreset] = ()) -> None:
        self.desk, self.pane, self.tools = desk, desk.dashboard.chat, tools
        self.scribe: Scribe | None = None
        self._presets = tuple(presets)
        self.remembered = Remembered(presets=self._presets)
        self.attachments: tuple[Attachment, ...] = ()
        self.conversation = fresh()

    @property
    def draft_key(self) -> str:
        """Under which an unsent text is kept."""
        return self.conversation.id if self.conversation.turns else NEW

    def with_configured(self, kept: Sequence[ChatPreset]) -> tuple[ChatPreset, ...]:
        """The presets that were kept, and those of the configuration file that none of them stands in for."""
        taken = {(preset.kind, preset.name) for preset in kept}
        return (*kept, *(preset for preset in self._presets if (preset.kind, preset.name) not in taken))

    def parent_for_next(self) -> str | None:
        """What the next prompt follows: the last turn, but never a prompt without an answer or one whose answer failed
        before its first word. Those stay as branches."""
        turns = self._followed
        return turns[-1].id if turns else None

    @property
    def _followed(self) -> Sequence[Turn]:
        """The path as far as the next prompt follows it."""
        turns = path(self.conversation)
        while turns and not _answers(turns[-1]):
            turns = turns[:-1]
        return turns

    # Changes

    def turn_to(self, conversation: Conversation) -> None:
        """Another conversation, or another branch of this one: show it, with its own unsent text."""
        other = conversation.id != self.conversation.id
        self.conversation = conversation
        if other:
            self.attach(())
            self.pane.write(self.remembered.drafts.get(self.draft_key, ""))
        self.show()

    def change(self, conversation: Conversation) -> None:
        """The same conversation, sent or called in another way."""
        before, self.conversation = self.conversation, conversation
        self.show()
        if conversation.keeping == NOWHERE != before.keeping:
            self.keep(lambda scribe: scribe.store.drop_conversation(conversation.id))
        elif before.keeping == NOWHERE != conversation.keeping:
            self.keep(lambda scribe: scribe.keep_all(conversation))
        else:
            self.keep(lambda scribe: scribe.keep(conversation))

    def rename(self, title: str) -> None:
        """Call it so; an empty title stands for the first words of the first prompt."""
        self.change(titled(self.conversation, title))

    def grow(self, turn: Turn) -> None:
        """A turn is new, or has its last form: it is the path's end."""
        self.conversation = conversation = grown(self.conversation, turn)
        self.keep_turn(turn)
        self.keep(lambda scribe: scribe.keep(conversation))

    def keep_turn(self, turn: Turn) -> None:
        """Write a turn as far as it came."""
        conversation = self.conversation
        self.keep(lambda scribe: scribe.keep_turn(conversation, turn))

    def forget(self, id: str) -> None:
        """A conversation is gone: its unsent text with it."""
        drafts = {key: text for key, text in self.remembered.drafts.items() if key != id}
        self.remembered = replace(self.remembered, drafts=drafts)

    def attach(self, attachments: tuple[Attachment, ...]) -> None:
        """These go with the next turn."""
        self.attachments = self.pane.attachments = attachments

    def draft(self, text: str) -> None:
        """This stands in the editor, unsent."""
        key = self.draft_key
        self.remembered = replace(self.remembered, drafts={**self.remembered.drafts, key: text})
        conversation = self.conversation
        self.keep(lambda scribe: scribe.keep_draft(conversation, key, text))

    def prompted(self, text: str) -> None:
        """This was sent."""
        prompts = (*(each for each in self.remembered.prompts if each != text), text)
        self.remembered = replace(self.remembered, prompts=prompts)
        self.pane.prompts = prompts
        conversation = self.conversation
        self.keep(lambda scribe: scribe.keep_prompt(conversation, text))

    def keep(self, write: Callable[[Scribe], Awaitable[object]]) -> None:
        """Write it, where there is a history; nobody waits for it."""
        if (scribe := self.scribe) is not None:
            scribe.later(lambda: write(scribe))

    # On the screen

    def show(self) -> None:
        """The path, and what is set."""
        self.pane.show(shown(self.conversation))
        self.pane.heading = heading(self.conversation)
        self.measure()

    def measure(self) -> None:
        """How full the context is; what failed before its first word fills nothing, whatever it counted."""
        self.pane.meter = context_meter(self.desk.state(), self.pane.target, self._followed)


def fresh(like: Conversation | None = None) -> Conversation:
    """A new conversation, sent as another one is."""
    now = time.time()
    begun = Conversation(uuid4().hex, now, now)
    if like is None:
        return begun
    return replace(
        begun,
        endpoint=like.endpoint,
        system_prompt=like.system_prompt,
        parameters=like.parameters,
        integrations=like.integrations,
        keeping=like.keeping,
        model=like.model,
    )


def _answers(turn: Turn) -> bool:
    return turn.role == "assistant" and bool(turn.text or turn.tools or not turn.cut_off)
