"""What everything that acts for the user works with: one connection's collaborators and the deck's state."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.app import App

from lmdeck.backend.protocol import Backend, CommandLine
from lmdeck.commands import Commands
from lmdeck.notices import Notices
from lmdeck.screens.dashboard import Dashboard
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Event

if TYPE_CHECKING:
    from lmdeck.forecaster import Forecaster
    from lmdeck.keeper import Keeper

_TAIL = 2000


@dataclass(eq=False)
class Desk:
    """`apply` steps the state, `state` answers it, `look_again` reads every source now. `keeper` is None while there is
    no store. `runtime_tail` holds the runtime log's last lines, each with its Unix time."""

    app: App[None]
    dashboard: Dashboard
    notices: Notices
    backend: Backend
    cli: CommandLine | None
    commands: Commands
    forecaster: Forecaster
    apply: Callable[[Event], None]
    state: Callable[[], DeckState]
    look_again: Callable[[], None]
    keeper: Keeper | None = None
    runtime_tail: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_TAIL))

    def copies(self, key: str) -> frozenset[str]:
        """The instances of a model."""
        model = self.state().model(key)
        return frozenset(instance.id for instance in model.instances) if model else frozenset()
