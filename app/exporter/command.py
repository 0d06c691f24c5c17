"""`lmdeck exporter`: serves metrics to Prometheus, from the same feeds as the deck."""

import argparse
import asyncio
import importlib.util
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from lmdeck.plain.address import Address, address
from lmdeck.plain.frame import Failed, new_parser, run, settings_of, tell

if TYPE_CHECKING:
    from lmdeck.exporter.serving import MetricsServer

DEFAULT: Final = "127.0.0.1:9464"
PROG: Final = "lmdeck exporter"
_NO_EXTRA = 'The exporter needs its extra: pip install "lmdeck[exporter]"'
_NO_LMS = "without `lms` there are no metrics of requests, tokens and queues; --lms names it"
_OPEN = "everybody who can reach {where} may read the names of models and how they are used; no token protects it"


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `exporter` until Ctrl+C or SIGTERM; answers the exit code. A server that does not
    answer is a metric (`lmstudio_up 0`), no end."""
    words = (
        "Watches LM Studio as the deck does and serves metrics to Prometheus at /metrics, until Ctrl+C. "
        "docs/prometheus/alerts.yml and docs/grafana/lmdeck.json are made for them."
    )
    parser = new_parser("exporter", words, json=False)
    parser.add_argument(
        "--listen", type=address, default=DEFAULT, metavar="HOST:PORT", help=f"where to serve them [{DEFAULT}]"
    )
    parser.add_argument("--no-gpu", dest="gpu", action="store_false", default=None, help="do not ask the GPU driver")
    return run(parser, argv, _export, endless=True)


async def _export(options: argparse.Namespace) -> None:
    if importlib.util.find_spec("prometheus_client") is None:
        raise Failed(_NO_EXTRA)
    settings = settings_of(options)

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
            _announce(await _opened(server, options.listen), settings.url)
            await watch.run()
        finally:
            await asyncio.to_thread(server.close)


async def _opened(server: "MetricsServer", at: Address) -> Address:
    try:
        return at._replace(port=await asyncio.to_thread(server.open, at.host, at.port))
    except OSError as error:
        raise Failed(f"cannot listen on {at}: {error.strerror or error}") from None


def _announce(at: Address, url: str) -> None:
    tell(PROG, f"serving http://{at}/metrics of {url}")
    if not at.is_loopback:
        tell(PROG, _OPEN.format(where=at))
