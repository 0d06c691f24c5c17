"""What the header line shows about the server, and what its address tells."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

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


def is_loopback(url: str) -> bool:
    """Whether the address leads to this machine and over no network."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def exposure(url: str, has_token: bool) -> Problem | None:
    """What is to be said about a token that goes over a network unencrypted; None if it does not."""
    if not has_token or not url.startswith("http://") or is_loopback(url):
        return None
    return Problem(
        f"the token goes to {urlsplit(url).hostname} over plain HTTP: whoever is on the way can read it",
        next_step="Use https:// (a reverse proxy in front of LM Studio), or an SSH tunnel to 127.0.0.1.",
    )
