"""What holds at the moment of a scrape: the server, its instances, GPUs, host, and how good the estimates were."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lmdeck.exporter.accuracy import Comparison
from lmdeck.exporter.names import MOST_NAMES, label
from lmdeck.model.machine import Gpu
from lmdeck.model.rows import LoadedRow
from lmdeck.state.deck import DeckState
from lmdeck.state.hardware import is_local, server_gpus
from lmdeck.state.views import loaded_rows

_INSTANCE: Final = ("model", "model_instance")
_GPU: Final = ("gpu", "name")
_ESTIMATE: Final = ("model", "memory")

Value = float | None
Row = tuple[Sequence[str], Value]


class Gauges(Collector):
    """Reads the state whenever it is scraped, in the web server's thread: states are never changed in place."""

    def __init__(self, state: Callable[[], DeckState], comparisons: Callable[[], Mapping[str, Comparison]]) -> None:
        self._state, self._comparisons = state, comparisons

    def collect(self) -> Iterator[Metric]:
        """Every gauge that has a value."""
        state = self._state()
        families = (
            *_server(state),
            *(_instances(state) if state.online else ()),
            *_gpus(server_gpus(state)),
            *_host(state),
            *_estimates(self._comparisons().values()),
        )
        return (family for family in families if family.samples)


def _gauge(name: str, words: str, labels: Sequence[str], rows: Iterable[Row]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"lmstudio_{name}", words, labels=labels)
    for values, value in rows:
        if value is not None:
            family.add_metric(list(values), value)
    return family


def _server(state: DeckState) -> Iterator[GaugeMetricFamily]:
    online = state.online
    sources: list[Row] = [(("models",), online), (("lms",), state.has_cli and state.activity_problem is None)]
    if state.gpus is not None:
        sources.append((("gpu",), state.gpus.problem is None))
    yield _gauge("up", "Whether LM Studio's last answer was a list of models.", (), [((), online)])
    yield _gauge("source_up", "Whether a source could be read the last time.", ("source",), sources)
    info = (label(state.url), label(state.runtime or ""))
    yield _gauge("info", "The server and the engine that runs GGUF models.", ("url", "runtime"), [(info, 1)])
    if online:
        yield _gauge("response_seconds", "How long the last list of models took.", (), [((), state.latency_s)])
        yield _gauge("models", "Models on the disk.", (), [((), len(state.models or ()))])
        yield _gauge("instances", "Instances in memory.", (), [((), len(state.instances()))])


def _instances(state: DeckState) -> Iterator[GaugeMetricFamily]:
    there = (row for row in loaded_rows(state) or () if not row.pending)
    rows = {(label(row.model_key), label(row.id)): row for row in islice(there, MOST_NAMES)}

    def gauge(name: str, words: str, value: Callable[[LoadedRow], Value]) -> GaugeMetricFamily:
        found = ((names, value(row)) for names, row in rows.items())
        return _gauge(f"instance_{name}", words, _INSTANCE, found)

    yield _gauge(
        "instance_context_tokens",
        "Context length by who says it: requested, reported by the API, allocated by the engine's log, proven.",
        (*_INSTANCE, "source"),
        [((*names, source), tokens) for names, row in rows.items() for source, tokens in _contexts(row)],
    )
    yield gauge("context_collapsed", "Whether there is less context than promised.", lambda row: bool(_collapse(row)))
    yield gauge("busy", "Whether it reads a prompt or generates.", lambda row: row.busy)
    yield gauge("slots", "Requests that it can run at once.", lambda row: row.slots)
    yield gauge("queued_requests", "Requests that run or wait.", lambda row: row.queue)
    yield gauge("size_bytes", "Size of the model's file.", lambda row: row.size_bytes)
    yield gauge("spilled", "Whether it seems to run partly from RAM.", lambda row: bool(row.spill))
    yield gauge("memory_bytes", "RAM of its engine's process.", lambda row: row.engine.rss if row.engine else None)
    yield gauge("gpu_memory_bytes", "VRAM of that process.", lambda row: row.engine.vram if row.engine else None)
    now = time.monotonic()
    yield gauge("unload_seconds", "Until it is unloaded for idleness.", lambda row: _left(row.ttl_deadline, now))


def _contexts(row: LoadedRow) -> Iterator[tuple[str, Value]]:
    told = row.context
    for source, claim in (("requested", told.requested), ("reported", told.reported), ("allocated", told.allocated)):
        yield source, claim.tokens if claim else None
    yield "proven", told.proof.tokens if told.proof else None


def _collapse(row: LoadedRow) -> object:
    return row.context.collapse


def _left(deadline: float | None, now: float) -> Value:
    return None if deadline is None else max(0.0, deadline - now)


def _gpus(gpus: Sequence[Gpu]) -> Iterator[GaugeMetricFamily]:
    def gauge(name: str, words: str, value: Callable[[Gpu], Value]) -> GaugeMetricFamily:
        found = (((str(gpu.index), label(gpu.name)), value(gpu)) for gpu in gpus)
        return _gauge(f"gpu_{name}", words, _GPU, found)

    yield gauge("memory_used_bytes", "VRAM in use by anybody.", lambda gpu: gpu.vram_used)
    yield gauge("memory_total_bytes", "VRAM that there is.", lambda gpu: gpu.vram_total)
    yield gauge("memory_held_bytes", "VRAM that LM Studio's processes hold.", lambda gpu: gpu.vram_lmstudio)
    yield gauge("utilization_ratio", "How busy it is, 0 to 1.", lambda gpu: _ratio(gpu.utilisation))
    yield gauge("temperature_celsius", "Its temperature.", lambda gpu: gpu.temperature)
    yield gauge("power_watts", "What it draws.", lambda gpu: gpu.power)
    yield gauge("power_limit_watts", "What it may draw.", lambda gpu: gpu.power_limit)


def _host(state: DeckState) -> Iterator[GaugeMetricFamily]:
    """The machine that LM Studio runs on; nothing where that is another one."""
    host = state.host if is_local(state.url) else None
    if host is None:
        return
    for name, words, value in (
        ("host_cpu_ratio", "CPU in use, 0 to 1 (all cores).", host.cpu / 100),
        ("host_memory_used_bytes", "RAM that is not available.", host.ram_used),
        ("host_memory_total_bytes", "RAM that there is.", host.ram_total),
        ("process_group_cpu_ratio", "CPU of LM Studio's processes, 0 to 1 (all cores).", _ratio(host.lmstudio_cpu)),
        ("process_group_memory_bytes", "RAM of LM Studio's processes.", host.lmstudio_rss),
    ):
        yield _gauge(name, words, (), [((), value)])


def _estimates(found: Iterable[Comparison]) -> Iterator[GaugeMetricFamily]:
    kept = [((label(one.model_key), one.memory), one) for one in found]
    for name, words, rows in (
        ("predicted_bytes", "What the last load was expected to take.", [(at, one.predicted) for at, one in kept]),
        ("measured_bytes", "What the last load took.", [(at, one.measured) for at, one in kept]),
        ("error_ratio", "By how much more it took than expected.", [(at, one.error) for at, one in kept]),
    ):
        yield _gauge(f"estimate_{name}", words, _ESTIMATE, rows)


def _ratio(percent: float | None) -> Value:
    return None if percent is None else percent / 100
