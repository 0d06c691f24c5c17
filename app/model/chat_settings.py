"""How the next turns of a conversation are sent: what the chat's panel edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lmdeck.model.chat import Value
from lmdeck.model.conversation import KEPT, Conversation, Keeping
from lmdeck.model.endpoints import NATIVE


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """`endpoint` is a path, `parameters` hold only what the user set, `integrations` are labels of tools."""

    endpoint: str = NATIVE.path
    parameters: Mapping[str, Value] = field(default_factory=dict)
    system_prompt: str = ""
    integrations: tuple[str, ...] = ()
    keeping: Keeping = KEPT

    @classmethod
    def of(cls, conversation: Conversation) -> ChatSettings:
        """As this conversation is sent."""
        return cls(
            conversation.endpoint,
            conversation.parameters,
            conversation.system_prompt,
            conversation.integrations,
            conversation.keeping,
        )

    def applied(self, conversation: Conversation) -> Conversation:
        """The conversation, sent this way from its next turn on."""
        return replace(
            conversation,
            endpoint=self.endpoint,
            parameters=self.parameters,
            system_prompt=self.system_prompt,
            integrations=self.integrations,
            keeping=self.keeping,
        )
