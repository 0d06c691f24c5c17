"""What the Loaded and Available panes show, one value a line. `state/views.py` makes them from the state."""

from dataclasses import dataclass

from lmdeck.model.catalog import Model


@dataclass(frozen=True, slots=True)
class ContextReading:
    """A context length (tokens) by who says it: `requested` by this deck, `reported` by the server's API."""

    requested: int | None = None
    reported: int | None = None

    @property
    def differs(self) -> bool:
        """Whether the server reports less than what was asked for."""
        return self.requested is not None and self.reported is not None and self.reported < self.requested


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
    context: ContextReading = ContextReading()
    slots: int | None = None
    queue: int | None = None
    ttl_deadline: float | None = None
    size_bytes: int | None = None
    tokens_per_second: float | None = None
    duplicate: bool = False
    """Another copy of the same model is in memory too."""
    since: float | None = None

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
