"""What the header line shows about the server."""

from dataclasses import dataclass

from lmdeck.model.problem import Problem


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """`latency_s` is None while nothing answers; `problem` then says why (None: still connecting).

    `auth` is `token`, `none` or `refused`; `speed` the tokens/s of the last finished answer of anybody.
    """

    url: str
    latency_s: float | None = None
    problem: Problem | None = None
    runtime: str | None = None
    auth: str = "none"
    loaded: int = 0
    busy: int = 0
    speed: float | None = None
    read_only: bool = False
