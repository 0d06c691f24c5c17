"""What is set for a conversation, in a few words."""

from lmdeck.model.conversation import KEPT, NOWHERE, Conversation
from lmdeck.model.endpoints import NATIVE
from lmdeck.model.parameters import spelled
from lmdeck.model.text import one_line

_KEEPING = {NOWHERE: "kept nowhere"}
_MOST_NAMED = 3


def heading(conversation: Conversation) -> str:
    """`/v1/messages · not on server · temperature 0.2 · system prompt`; empty where everything is the default."""
    parts = [conversation.endpoint] if conversation.endpoint != NATIVE.path else []
    if conversation.keeping != KEPT:
        parts.append(_KEEPING.get(conversation.keeping, conversation.keeping))
    if len(conversation.parameters) <= _MOST_NAMED:
        parts += [f"{name} {one_line(spelled(value), 24)}" for name, value in conversation.parameters.items()]
    else:
        parts.append(f"{len(conversation.parameters)} parameters")
    if conversation.system_prompt:
        parts.append("system prompt")
    parts += [f"tools {label}" for label in conversation.integrations]
    return " · ".join(parts)
