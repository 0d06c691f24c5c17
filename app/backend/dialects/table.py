"""Which dialect each endpoint speaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lmdeck.backend.dialects import chat_completions, completions, messages, native, responses
from lmdeck.backend.dialects.common import Decoder, Fields, Reveal
from lmdeck.model.chat import ChatRequest
from lmdeck.model.endpoints import CHAT_COMPLETIONS, COMPLETIONS, MESSAGES, NATIVE, RESPONSES, V0_CHAT


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an endpoint is asked, and how its answer is read: `decoder` makes one for each answer."""

    body: Callable[[ChatRequest, Reveal], Fields]
    decoder: Callable[[], Decoder]


_COMPLETING = Dialect(chat_completions.body, chat_completions.Decoder)

DIALECTS: Final[Mapping[str, Dialect]] = {
    NATIVE.path: Dialect(native.body, native.Decoder),
    CHAT_COMPLETIONS.path: _COMPLETING,
    RESPONSES.path: Dialect(responses.body, responses.Decoder),
    MESSAGES.path: Dialect(messages.body, messages.Decoder),
    COMPLETIONS.path: Dialect(completions.body, chat_completions.Decoder),
    V0_CHAT.path: _COMPLETING,
}
"""By the endpoint's path."""
