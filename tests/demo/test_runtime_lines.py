"""The scripted engine's runtime log: llama.cpp's words, and numbers that agree with each other."""

import re
from dataclasses import replace

from lmdeck.demo.engines.base import LoadOptions
from lmdeck.demo.engines.context import Context
from lmdeck.demo.engines.runtime_lines import loading, opening
from lmdeck.demo.engines.seven import SEVEN

MODELS = {model.key: model for model in SEVEN}
QWEN, NEXT = MODELS["qwen/qwen3-coder-30b"], MODELS["qwen/qwen3-coder-next"]
OPTIONS = LoadOptions(32_768)


def lines(model=QWEN, options=OPTIONS, allocated: int = 32_768) -> list[str]:
    return loading(model, options, Context(options.context_length, allocated, allocated, options.context_length))


def sizes(found: list[str], name: str) -> list[float]:
    """The MiB of every `… name = N MiB`."""
    return [float(match[1]) for line in found if (match := re.search(rf"{name} size = +([\d.]+) MiB", line))]


def test_a_healthy_load():
    assert opening(QWEN)[0].startswith("build: 8929 (")
    found = lines()
    assert "load_tensors: offloaded 49/49 layers to GPU" in found
    assert "llama_context: n_ctx_seq     = 32768" in found
    assert "llama_kv_cache: size = 3072.00 MiB ( 32768 cells,  48 layers,  4/1 seqs), " in "".join(found)
    assert sizes(found, "KV buffer") == [3072.0]
    assert abs(sum(sizes(found, "model buffer")) - QWEN.size_bytes / 2**20) < 0.1
    assert sizes(found, "compute buffer") == [120.0]
    assert found[-1] == "slot   load_model: id  3 | task -1 | new slot, n_ctx = 32768"
    assert not any("Not using" in line for line in found)


def test_a_part_on_the_gpu():
    found = lines(options=replace(OPTIONS, gpu=0.5, parallel=2))
    assert "load_tensors: offloaded 24/49 layers to GPU" in found
    assert sum(sizes(found, "KV buffer")) == 3072.0
    assert len(sizes(found, "KV buffer")) == 2
    assert "srv    load_model: initializing slots, n_slots = 2" in found
    on_cpu = lines(options=replace(OPTIONS, gpu=0.0))
    assert "load_tensors: offloaded 0/49 layers to GPU" in on_cpu
    assert not any("CUDA0" in line for line in on_cpu)
    ram = lines(options=replace(OPTIONS, offload_kv_cache_to_gpu=False))
    assert any(line.startswith("llama_kv_cache:        CPU KV buffer") for line in ram)


def test_a_hybrid_has_state_for_each_slot():
    found = lines(NEXT)
    assert "12 layers" in next(line for line in found if line.startswith("llama_kv_cache: size"))
    assert sizes(found, "RS buffer") == [301.5]
    assert sizes(lines(NEXT, replace(OPTIONS, parallel=1)), "RS buffer") == [75.38]


def test_less_than_asked_is_said_the_way_lm_studio_does():
    found = lines(allocated=8192)
    assert "using '8192' as context length for the calculation. Original context length: '32768'." in found[0]
    assert "llama_context: n_ctx         = 8192" in found
    assert found[-1].endswith("n_ctx = 8192")
