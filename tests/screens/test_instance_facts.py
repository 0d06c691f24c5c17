"""An instance's page, and its story."""

from lmdeck.model.allocation import Allocation
from lmdeck.model.context import Claim, ContextReading, Proof
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.model.machine import EngineProcess
from lmdeck.model.rows import LoadedRow
from lmdeck.model.timeline import Happening
from lmdeck.screens.instance_facts import instance_facts, record_facts, story

GIB = 2**30


def test_the_four_values_stand_with_their_sources() -> None:
    context = ContextReading(
        Claim(32768, "this deck"),
        Claim(32768, "lms ps"),
        Claim(8192, "runtime log: n_ctx_seq"),
        Proof(8150, 8280),
        "the runtime allocated less",
        (Claim(32768, "/api/v1/models"), Claim(32768, "lms ps")),
    )
    facts = dict(instance_facts(LoadedRow("qwen", "qwen", "idle", context)))
    assert facts["context"] == "✗ collapsed"
    assert facts["  requested"] == "32768 (this deck)"
    assert facts["  reported"] == "32768 (/api/v1/models), 32768 (lms ps)"
    assert facts["  allocated"] == "8192 (runtime log: n_ctx_seq)"
    assert facts["  proven"] == "8150 tokens went in whole, 8280 did not"
    assert facts["  likely reason"] == "the runtime allocated less"


def test_what_nobody_said_is_said_so() -> None:
    facts = dict(instance_facts(LoadedRow("qwen", "qwen", "idle")))
    assert facts["  allocated"] == "– nobody has said"
    assert facts["  proven"] == "nobody tried: v does"


def test_allocation_and_process() -> None:
    row = LoadedRow(
        "qwen",
        "qwen",
        "idle",
        allocation=Allocation("qwen", 7, kv_bytes=GIB, slots=4, unified=True, gpu_layers=48, layers=49, build=9873),
        engine=EngineProcess(7, "llama-server", 12.0, GIB, None),
        spill="48 of 49 layers are on the GPU",
    )
    facts = dict(instance_facts(row))
    assert facts["  KV cache"] == "1.0 GiB"
    assert facts["  cache"] == "4 slots, one cache for all slots"
    assert facts["  layers on GPU"] == "48 of 49"
    assert facts["process"] == "llama-server 7: VRAM not told by the driver, RAM 1.0 GiB, CPU 12 %"
    assert facts["spilling?"].startswith("48 of 49")


def test_three_figures_side_by_side_with_their_errors() -> None:
    record = LoadRecord(
        0.0,
        "http://x",
        "GPU",
        "qwen",
        "qwen",
        LoadRequest("qwen", context_length=8192),
        predicted_gpu=11 * GIB,
        lmstudio_gpu=20 * GIB,
        measured_gpu=10 * GIB,
    )
    ((_, words),) = record_facts([record])
    assert words == (
        "context 8192 · predicted GPU 11.0 GiB · LM Studio 20.0 GiB · measured GPU 10.0 GiB"
        " · ours +10% · LM Studio's +100%"
    )


def test_the_newest_comes_first() -> None:
    told = [
        Happening(1.0, "JIT loaded", "qwen", "qwen", "loaded for a request", "server log: chat"),
        Happening(2.0, "TTL expired", "qwen", "qwen", "idle too long"),
    ]
    first, second = story(told).splitlines()
    assert "TTL expired" in first
    assert second.endswith("qwen: loaded for a request  [server log: chat]")
