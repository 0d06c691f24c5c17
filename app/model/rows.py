"""What the Loaded and Available panes show, one value a line. `state/views.py` makes them from the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lmdeck.model.context import UNREAD, ContextReading

if TYPE_CHECKING:
    from lmdeck.model.allocation import Allocation
    from lmdeck.model.catalog import Model
    from lmdeck.model.machine import EngineProcess
    from lmdeck.model.outlook import Outlook


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """One instance in memory, or a load or unload under way.

    `state` is the server's word (`idle`, `processingPrompt`, `generating`, `computingEmbedding`) or the deck's
    (`loaded` when activity is unknown, `loading`, `unloading`); `since` the monotonic second it began, for the
    deck's own two. `ttl_deadline` is the monotonic second of the eviction; None when it stays.
    """

    id: str
    model_key: str
    state: str
    context: ContextReading = UNREAD
    slots: int | None = None
    queue: int | None = None
    ttl_deadline: float | None = None
    size_bytes: int | None = None
    tokens_per_second: float | None = None
    duplicate: bool = False
    """Another copy of the same model is in memory too."""
    since: float | None = None
    allocation: Allocation | None = None
    engine: EngineProcess | None = None
    spill: str = ""
    """Why the model seems to have spilled into RAM, in one sentence; empty while nothing says so."""

    @property
    def busy(self) -> bool:
        """Whether somebody's request is running or waiting."""
        return bool(self.queue) or self.state in ("processingPrompt", "generating", "computingEmbedding")

    @property
    def pending(self) -> bool:
        """Whether the deck itself is loading or unloading it now."""
        return self.state in ("loading", "unloading")


@dataclass(frozen=True, slots=True)
class AvailableRow:
    """One model on disk; `copies` of it are in memory."""

    model: Model
    copies: int = 0
    loading: bool = False
    outlook: Outlook | None = None
    """The forecast for its last-used or default settings; None until it is made."""
