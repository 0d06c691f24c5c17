"""The metrics on the web: Prometheus' official client serves them, in threads of its own."""

from collections.abc import Callable, Mapping
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics, start_http_server

from lmdeck.exporter.accuracy import Comparison
from lmdeck.exporter.counts import Counts
from lmdeck.exporter.gauges import Gauges
from lmdeck.state.deck import DeckState


class MetricsServer:
    """Everything that one scrape answers: counters, gauges, and this process's own CPU and memory."""

    def __init__(self) -> None:
        # They are a further series for each counter, of use to nobody here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.counts = Counts(self.registry)
        ProcessCollector(namespace="lmdeck_exporter", registry=self.registry)
        self._running: tuple[WSGIServer, Thread] | None = None

    def show(self, state: Callable[[], DeckState], comparisons: Callable[[], Mapping[str, Comparison]]) -> None:
        """Answer with gauges of this state, too."""
        self.registry.register(Gauges(state, comparisons))

    def open(self, host: str, port: int) -> int:
        """Serve at this address; answers the port, which the system chooses for 0. Blocks; raises OSError."""
        self._running = start_http_server(port, host, self.registry)
        return self._running[0].server_port

    def close(self) -> None:
        """End serving. Blocks for a moment; safe to call again."""
        running, self._running = self._running, None
        if running is not None:
            server, thread = running
            server.shutdown()
            server.server_close()
            thread.join()
