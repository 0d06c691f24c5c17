"""How often the deck looks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between two looks while things change; polls are slower at rest."""

    models: float = 2.0
    activity: float = 10.0
    """`lms ps`."""
    machine: float = 1.0
    """GPU and RAM."""


USUAL = Intervals()
