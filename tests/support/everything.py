"""A state of the deck in which everything that can be told is told."""

import time

from lmdeck.exporter.accuracy import Comparison
from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Activity, Instance, InstanceConfig, Model
from lmdeck.model.context import Claim, Proof
from lmdeck.model.machine import EngineProcess, Gpu, GpuSample, HostSample
from lmdeck.state.deck import DeckState

GIB = 2**30
_ID = "qwen3:2"
_LOADED = Instance(_ID, "qwen/qwen3", InstanceConfig(context_length=32_768, parallel=4))
_GPU = Gpu(
    0, "RTX 4090", vram_used=10 * GIB, vram_total=24 * GIB, vram_lmstudio=6 * GIB, utilisation=87.0, temperature=61.0,
    power=312.0, power_limit=450.0,
)  # fmt: skip
EVERYTHING = DeckState(
    url="http://127.0.0.1:1234",
    latency_s=0.004,
    runtime="llama.cpp@2.3.0",
    models=(Model("qwen/qwen3", size_bytes=5 * GIB, instances=(_LOADED,)), Model("ha")),
    activity={_ID: Activity(_ID, "qwen/qwen3", status="generating", queued=3, parallel=4)},
    ttl_deadlines={_ID: time.monotonic() + 600},
    requested={_ID: Claim(32_768, "this deck")},
    allocations={_ID: Allocation(_ID, pid=7, slot_context=8_192, slots=1, gpu_layers=20, layers=49)},
    proofs={_ID: Proof(8_000, 8_200)},
    gpus=GpuSample((_GPU,)),
    host=HostSample(
        25.0, 20 * GIB, 64 * GIB, 0, 0, 12.5, 2 * GIB, (EngineProcess(7, "llama-server", rss=GIB, vram=6 * GIB),)
    ),
)
COMPARISONS = (
    Comparison("qwen/qwen3", "gpu", 4 * GIB, 5 * GIB),
    Comparison("qwen/qwen3", "ram", 2 * GIB, GIB),
)
