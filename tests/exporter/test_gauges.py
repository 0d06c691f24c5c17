"""From a state of the deck to what a scrape says."""

import time
from collections.abc import Sequence
from dataclasses import replace

from everything import COMPARISONS, EVERYTHING, GIB
from prometheus_client import CollectorRegistry
from scrape import Scrape

from lmdeck.exporter.accuracy import Comparison
from lmdeck.exporter.gauges import Gauges
from lmdeck.exporter.names import MOST_NAMES
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.machine import GpuSample
from lmdeck.model.problem import Problem
from lmdeck.state.deck import DeckState


def scraped(state: DeckState, comparisons: Sequence[Comparison] = ()) -> Scrape:
    registry = CollectorRegistry()
    found = {f"{one.memory} {one.model_key}": one for one in comparisons}
    registry.register(Gauges(lambda: state, lambda: found))
    return Scrape(registry)


def test_nothing_is_claimed_before_the_server_has_answered() -> None:
    scrape = scraped(DeckState("http://127.0.0.1:1234"))
    assert scrape("up") == 0
    assert scrape.names() == {"lmstudio_up", "lmstudio_source_up", "lmstudio_info"}


def test_the_server_and_what_is_loaded() -> None:
    scrape = scraped(EVERYTHING)
    assert (scrape("up"), scrape("response_seconds"), scrape("models"), scrape("instances")) == (1, 0.004, 2, 1)
    assert scrape("info", url="http://127.0.0.1:1234", runtime="llama.cpp@2.3.0") == 1
    assert [scrape("source_up", source=source) for source in ("models", "lms", "gpu")] == [1, 1, 1]
    names = {"model": "qwen/qwen3", "model_instance": "qwen3:2"}
    sources = ("requested", "reported", "allocated", "proven")
    contexts = [scrape("instance_context_tokens", **names, source=source) for source in sources]
    assert contexts == [32_768, 32_768, 8_192, 8_000]
    for name, value in {
        "context_collapsed": 1, "busy": 1, "slots": 4, "queued_requests": 3, "size_bytes": 5 * GIB, "spilled": 1,
        "memory_bytes": GIB, "gpu_memory_bytes": 6 * GIB,
    }.items():  # fmt: skip
        assert scrape(f"instance_{name}", **names) == value, name
    assert 0 < (scrape("instance_unload_seconds", **names) or 0) <= 600


def test_the_hardware_in_units_of_prometheus() -> None:
    scrape = scraped(EVERYTHING)
    gpu = {"gpu": "0", "name": "RTX 4090"}
    assert scrape("gpu_memory_used_bytes", **gpu) == 10 * GIB
    assert scrape("gpu_memory_total_bytes", **gpu) == 24 * GIB
    assert scrape("gpu_memory_held_bytes", **gpu) == 6 * GIB
    assert scrape("gpu_utilization_ratio", **gpu) == 0.87
    assert (scrape("gpu_temperature_celsius", **gpu), scrape("gpu_power_watts", **gpu)) == (61, 312)
    assert (scrape("host_cpu_ratio"), scrape("host_memory_total_bytes")) == (0.25, 64 * GIB)
    assert (scrape("process_group_cpu_ratio"), scrape("process_group_memory_bytes")) == (0.125, 2 * GIB)


def test_what_is_not_known_is_left_out() -> None:
    assert EVERYTHING.gpus is not None
    silent = replace(EVERYTHING, gpus=GpuSample((replace(EVERYTHING.gpus.gpus[0], power=None),)))
    assert "lmstudio_gpu_power_watts" not in scraped(silent).names()


def test_old_news_of_a_lost_server_is_none() -> None:
    scrape = scraped(replace(EVERYTHING, problem=Problem("down: connection refused")))
    assert scrape("up") == 0
    assert not {name for name in scrape.names() if name.startswith(("lmstudio_instance", "lmstudio_models"))}
    assert scrape("host_cpu_ratio") == 0.25


def test_this_machines_hardware_is_not_another_servers() -> None:
    remote = replace(EVERYTHING, url="http://gpu-box:1234")
    assert not {name for name in scraped(remote).names() if "_gpu_" in name or "_host_" in name}
    assert remote.gpus is not None
    told = scraped(replace(remote, gpus=replace(remote.gpus, origin="gpu-box")))
    assert told("gpu_memory_total_bytes", gpu="0", name="RTX 4090") == 24 * GIB
    assert "lmstudio_host_cpu_ratio" not in told.names()


def test_how_good_the_estimates_were() -> None:
    scrape = scraped(EVERYTHING, COMPARISONS)
    at = {"model": "qwen/qwen3", "memory": "gpu"}
    assert (scrape("estimate_predicted_bytes", **at), scrape("estimate_measured_bytes", **at)) == (4 * GIB, 5 * GIB)
    assert scrape("estimate_error_ratio", **at) == 0.25


def test_however_much_is_loaded_the_series_stay_few() -> None:
    many = tuple(Instance(f"qwen:{at}", "qwen") for at in range(3 * MOST_NAMES))
    scrape = scraped(replace(EVERYTHING, models=(Model("qwen", instances=many),), seen_at=time.monotonic()))
    assert scrape("instances") == 3 * MOST_NAMES
    assert [name for name, _ in scrape.series].count("lmstudio_instance_busy") == MOST_NAMES
