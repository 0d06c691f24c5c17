"""`lmdeck exporter`: serves metrics to Prometheus, from the same feeds as the deck."""

import argparse
import asyncio
import importlib.util
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from lmdeck.plain.frame import Failed, new_parser, run, settings_of, tell

if TYPE_CHECKING:
    from lmdeck.exporter.serving import MetricsServer

DEFAULT: Final = "127.0.0.1:9464"
PROG: Final = "lmdeck exporter"
_NO_EXTRA = 'The exporter needs its extra: pip install "lmdeck[exporter]"'
_NO_LMS = "without `lms` there are no metrics of requests, tokens and queues; --lms names it"
_OPEN = "everybody who can reach {where} may read the names of models and how they are used; no token protects it"


class Address(NamedTuple):
    """Where to listen; `host` is a name or an address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `exporter` until Ctrl+C or SIGTERM; answers the exit code. A server that does not
    answer is a metric (`lmstudio_up 0`), no end."""
    words = (
        "Watches LM Studio as the deck does and serves metrics to Prometheus at /metrics, until Ctrl+C. "
        "docs/prometheus/alerts.yml and docs/grafana/lmdeck.json are made for them."
    )
    parser = new_parser("exporter", words, json=False)
    parser.add_argument(
        "--listen", type=_address, default=DEFAULT, metavar="HOST:PORT", help=f"where to serve them [{DEFAULT}]"
    )
    parser.add_argument("--no-gpu", dest="gpu", action="store_false", default=None, help="do not ask the GPU driver")
    return run(parser, argv, _export, endless=True)


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT such as {DEFAULT}")
    return Address(bare, int(port))


async def _export(options: argparse.Namespace) -> None:
    if importlib.util.find_spec("prometheus_client") is None:
        raise Failed(_NO_EXTRA)
    settings, address = settings_of(options), options.listen

    from lmdeck.connect import open_sources
    from lmdeck.exporter.serving import MetricsServer
    from lmdeck.exporter.watch import Watch

    async with open_sources(settings) as sources:
        if sources.cli is None:
            tell(PROG, _NO_LMS)
        server = MetricsServer()
        watch = Watch(sources, server.counts, partial(tell, PROG))
        server.show(lambda: watch.state, lambda: watch.accuracy.comparisons)
        try:
            _announce(await _opened(server, address), settings.url)
            await watch.run()
        finally:
            await asyncio.to_thread(server.close)


async def _opened(server: "MetricsServer", address: Address) -> Address:
    try:
        return address._replace(port=await asyncio.to_thread(server.open, address.host, address.port))
    except OSError as error:
        raise Failed(f"cannot listen on {address}: {error.strerror or error}") from None


def _announce(address: Address, url: str) -> None:
    tell(PROG, f"serving http://{address}/metrics of {url}")
    if not _is_loopback(address.host):
        tell(PROG, _OPEN.format(where=address))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
