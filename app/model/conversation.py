"""A conversation: a tree of turns, of which one path is on the screen. `branches.py` walks and grows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lmdeck.model.chat import ChatStats, ToolCall, Value
from lmdeck.model.endpoints import NATIVE

Role = Literal["user", "assistant"]

Keeping = Literal["kept", "not on server", "nowhere"]
"""Where a conversation stays: on the server and on disk; on disk only (`store: false`); neither."""
KEPT: Final = "kept"
NOT_ON_SERVER: Final = "not on server"
NOWHERE: Final = "nowhere"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a turn. `content` is the text of a text file, or the base64 of an image."""

    kind: Literal["text", "image"]
    name: str
    media_type: str
    content: str
    size_bytes: int

    @property
    def data_url(self) -> str:
        """An image as `data:image/png;base64,…`."""
        return f"data:{self.media_type};base64,{self.content}"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `parent` is the turn it answers or follows, None at the beginning; `at` is Unix time.

    Of an answer: who gave it (`instance_id`, by `endpoint`), `stats`, `response_id` to go on from (known to `server`
    alone), and `cut_off`, the reason why it ended early, empty when it is whole.
    """

    id: str
    parent: str | None
    role: Role
    text: str
    at: float
    attachments: tuple[Attachment, ...] = ()
    reasoning: str = ""
    tools: tuple[ToolCall, ...] = ()
    instance_id: str = ""
    endpoint: str = ""
    server: str = ""
    response_id: str | None = None
    stats: ChatStats | None = None
    cut_off: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns, in the order in which they came, and how the next one is sent. `leaf` is the last turn of the path
    on the screen; `model` an instance id or model key; `parameters` hold only what the user set (`parameters.py`);
    `integrations` are labels of tools; `created` and `changed` are Unix times."""

    id: str
    created: float
    changed: float
    title: str = ""
    pinned: bool = False
    turns: tuple[Turn, ...] = ()
    leaf: str | None = None
    model: str = ""
    endpoint: str = NATIVE.path
    system_prompt: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    integrations: tuple[str, ...] = ()
    keeping: Keeping = KEPT


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A line of the list of conversations. `snippet` shows where a search's words were found."""

    id: str
    title: str
    changed: float
    model: str
    turns: int
    pinned: bool = False
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class ChatPreset:
    """Parameters, or a system prompt (`kind`), under a name of the user's."""

    kind: Literal["parameters", "system prompt"]
    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    system_prompt: str = ""


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn on the screen: the `number`th of `count` that stand in its place, counted from 1."""

    turn: Turn
    number: int = 1
    count: int = 1


@dataclass(frozen=True, slots=True)
class ContextMeter:
    """How full the context is: `used` tokens after the last answer (None before one), of `size` (None where nobody
    knows), and who says the size: `allocated`, `proven`, `reported`."""

    used: int | None = None
    size: int | None = None
    source: str = ""
