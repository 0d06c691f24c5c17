"""The addresses to look at, from hosts and networks as a person writes them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from lmdeck.config.errors import ConfigError

MOST: Final = 4096
"""Addresses that are asked at most, of all that is named together: a /20."""
LMSTUDIO_PORT: Final = 1234

_HOST = re.compile(r"(?P<host>\[[^\]]+\]|[^:/\[\]\s]+)(?::(?P<port>[0-9]{1,5}))?")
_WORDS = "a host, HOST:PORT, or a network such as 192.168.1.0/24"


class Address(NamedTuple):
    """A host, by name or in numbers, and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Where LM Studio would be."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def addresses(names: Iterable[str], ports: Sequence[int] = (LMSTUDIO_PORT,)) -> tuple[Address, ...]:
    """Every address that is named, once: networks without their own and their broadcast address; `ports` for what names
    none itself. Raises ConfigError for what is none of these, and for more than MOST."""
    found: dict[Address, None] = {}
    for name in names:
        for host, port in _hosts(name.strip().removeprefix("http://").rstrip("/") if "://" in name else name.strip()):
            found.update(dict.fromkeys(Address(host, each) for each in ((port,) if port else ports)))
        if len(found) > MOST:
            raise _too_many("All that is named", len(found))
    return tuple(found)


def _hosts(name: str) -> Iterator[tuple[str, int | None]]:
    if "/" in name:
        yield from ((host, None) for host in _of_network(name))
        return
    try:
        yield str(ip_address(name)), None
    except ValueError:
        match = _HOST.fullmatch(name)
        port = int(match["port"]) if match and match["port"] else None
        if match is None or (port is not None and not 0 < port < 2**16) or name.startswith("-"):
            raise ConfigError(f"{name!r} is not {_WORDS}.") from None
        yield _literal(match["host"], name), port


def _literal(host: str, name: str) -> str:
    if not host.startswith("["):
        return host
    try:
        return str(IPv6Address(host[1:-1]))
    except ValueError:
        raise ConfigError(f"{name!r} is not {_WORDS}.") from None


def _of_network(name: str) -> Iterator[str]:
    try:
        network: IPv4Network | IPv6Network = ip_network(name, strict=False)
    except ValueError:
        raise ConfigError(f"{name!r} is not {_WORDS}.") from None
    if network.num_addresses > MOST:
        raise _too_many(name, network.num_addresses)
    return map(str, network.hosts())


def _too_many(what: str, count: int) -> ConfigError:
    limit = f"at most {MOST} are looked at (a /20)"
    return ConfigError(f"{what} has {count} addresses; {limit}: name smaller networks, one after the other.")
