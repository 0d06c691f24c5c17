"""What everything that acts for the user works with: one connection's collaborators and the deck's state."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.app import App

from lmdeck.backend.protocol import Backend, CommandLine
from lmdeck.commands import Commands
from lmdeck.feeds.sources import Checkup, nothing_found
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import RuntimeLine
from lmdeck.model.problem import Problem
from lmdeck.notices import Notices
from lmdeck.screens.dashboard import Dashboard
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Event

if TYPE_CHECKING:
    from lmdeck.forecaster import Forecaster
    from lmdeck.keeper import Keeper

_TAIL = 2000
_NO_HISTORY = Problem("no history", "This deck was opened without a history file.", "LMDECK_DATA names its folder.")


@dataclass(eq=False)
class Desk:
    """`apply` steps the state, `state` answers it, `look_again` reads every source now. `keeper` is None while there is
    no store; `no_keeper` says why. `runtime_tail` holds the runtime log's last lines, each with the Unix time at which
    it came: the server's clock may be another."""

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
    checkup: Checkup = nothing_found
    keeper: Keeper | None = None
    no_keeper: Problem = _NO_HISTORY
    runtime_tail: deque[tuple[float, RuntimeLine]] = field(default_factory=lambda: deque(maxlen=_TAIL))

    def runtime_lines(self, request: LoadRequest, since: float) -> list[str]:
        """What the runtime said about this load since then; lines without a name may be about any."""
        names = {request.model, request.identifier}
        return [
            line.text
            for came, line in self.runtime_tail
            if came >= since and (line.instance_id is None or line.instance_id.partition(":")[0] in names)
        ]

    def copies(self, key: str) -> frozenset[str]:
        """The instances of a model."""
        model = self.state().model(key)
        return frozenset(instance.id for instance in model.instances) if model else frozenset()
