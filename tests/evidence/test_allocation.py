"""Variants of runtime lines, whose they are, and what a smaller context is blamed on."""

# ruff: noqa: E501  (log lines are quoted as they come)

import pytest

from lmdeck.evidence.allocation import MOST_STREAMS, AllocationReader, claims, shortfall_reason
from lmdeck.evidence.load_trace import MOST_HINTS, may_tell
from lmdeck.model.allocation import Allocation
from lmdeck.model.context import Claim, ContextReading, Proof
from lmdeck.model.log import DeckNote, LogEntry, PredictionInput, RuntimeLine, ServerLine

MIB = 2**20
OVERFLOW = (
    "[2025-07-22 01:19:05][DEBUG] [LM Studio] Not using full context length for VRAM overflow calculations due to "
    "single GPU setup. Instead, using '8192' as context length for the calculation. Original context length: '131072'."
)
FIT = (
    "[context_fit][INFO]: Model context auto-fit: family=qwen3_5 max=262,144 fitted=152,576 working_set=36.00GiB "
    "reserve=3.00GiB safe_ceiling=33.00GiB baseline=20.15GiB full_kv=20480B/token"
)
TARGET = "[cache_store][INFO]: VLM prompt cache context target: configured=200,000 fitted=152,576\n  effective=152,576"


def read(*texts: str) -> Allocation:
    told = AllocationReader().feed(RuntimeLine(float(at), text) for at, text in enumerate(texts))
    assert len(told) == 1
    return told[0]


def block(n_ctx: int, n_ctx_seq: int | None = None, unified: str = "true", slots: int = 4) -> list[str]:
    values = {"n_seq_max": slots, "n_ctx": n_ctx, "n_ctx_seq": n_ctx_seq or n_ctx, "kv_unified": unified}
    return [f"llama_context: {name:<22}= {value}" for name, value in values.items()]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("llama_new_context_with_model: n_ctx      = 512", "n_ctx", 512),
        ("llama_init_from_model: n_ctx         = 8192", "n_ctx", 8192),
        ("llama_context: n_ctx_per_seq = 2048", "n_ctx_seq", 2048),
        ("llama_context: n_ctx_seq             = 2048", "n_ctx_seq", 2048),
        ("llama_context: n_seq_max     = 4", "slots", 4),
        ("llama_context: flash_attn    = 1", "flash_attention", True),
        ("llama_context: flash_attn    = 0", "flash_attention", False),
        ("llama_context: flash_attn            = enabled", "flash_attention", True),
        ("llama_context: flash_attn            = disabled", "flash_attention", False),
        ("llama_context: Flash Attention was auto, set to enabled", "flash_attention", True),
        ("resolve_fused_ops: Flash Attention enabled", "flash_attention", True),
        ("llama_context: kv_unified    = true", "unified", True),
        ("llama_context: kv_unified    = false", "unified", False),
        ("srv    load_model: initializing, n_slots = 4, n_ctx_slot = 2048, kv_unified = 'false'", "unified", False),
        ("srv    load_model: initializing, n_slots = 4, n_ctx_slot = 2048, kv_unified = 'false'", "slot_context", 2048),
        ("srv          init: initializing slots, n_slots = 6", "slots", 6),
        ("slot         init: id  0 | task -1 | new slot n_ctx_slot = 2048", "slot_context", 2048),
        ("slot   load_model: id  3 | task -1 | new slot, n_ctx = 1024", "slot_context", 1024),
        ("slot update_slots: id  0 | task 5 | new prompt, n_ctx_slot = 4096, n_keep = 0, task.n_tokens = 9",
         "slot_context", 4096),
        ("llama_context: n_ctx_seq (2048) < n_ctx_train (32768) -- the full capacity will not be utilized",
         "train_context", 32768),
        ("llama_context: n_ctx_per_seq (9000) > n_ctx_train (8192) -- possible training context overflow",
         "train_context", 8192),
        ("print_info: n_ctx_train      = 131072", "train_context", 131072),
        ("srv load_model: the slot context (32768) exceeds the training context of the model (8192) - capping",
         "train_context", 8192),
        ("llama_init_from_model: KV self size  =  180.00 MiB, K (f16):   90.00 MiB, V (f16):   90.00 MiB",
         "kv_bytes", 180 * MIB),
        ("llama_kv_cache: size =  768.00 MiB ( 32768 cells,  12 layers,  4/1 seqs), K (f16):  384.00 MiB",
         "kv_bytes", 768 * MIB),
        ("llama_kv_cache:      CUDA0 KV buffer size =   144.00 MiB", "kv_bytes", 144 * MIB),
        ("llama_memory_recurrent: size =  301.50 MiB (     4 cells,  48 layers,  4 seqs  0 rs_seq)",
         "recurrent_bytes", int(301.5 * MIB)),
        ("llama_memory_recurrent:        CPU RS buffer size =   301.50 MiB", "recurrent_bytes", int(301.5 * MIB)),
        ("sched_reserve:      CUDA0 compute buffer size =   122.00 MiB", "compute_bytes", 122 * MIB),
        ("llama_init_from_model:      CUDA0 compute buffer size =   122.00 MiB", "compute_bytes", 122 * MIB),
        ("llama_context:        CPU  output buffer size =     4.00 MiB", "output_bytes", 4 * MIB),
        ("load_tensors:        CUDA0 model buffer size =  3715.00 MiB", "weights_bytes", 3715 * MIB),
        ("llm_load_tensors:      CUDA0 buffer size =  3946.00 MiB", "weights_bytes", 3946 * MIB),
        ("load_tensors: offloaded 19/37 layers to GPU", "gpu_layers", 19),
        ("load_tensors: offloaded 19/37 layers to GPU", "layers", 37),
        ("build: 4798 (1782cdfe) with cc (GCC) 10.2.1 for x86_64-redhat-linux", "build", 4798),
        ("0.00.001.843 I cmn  common_param: common_params_print_info: build 11549 (abcdef12) with GNU", "build", 11549),
        ("srv          main: build_info: b7710-2bbe4c2cf", "build", 7710),
        ("main: build = 992 (0919a0f)", "build", 992),
        ("version: 0.4.1-dev (build 11059, commit 059a34f8d)", "build", 11059),
        (FIT, "fitted", 152576),
        (TARGET, "configured", 200000),
        (TARGET, "fitted", 152576),
        ("[DEBUG] mlx-llm-mac-arm64-apple-metal-advsimd@1.10.1 (mlx-llm) qwen3.6-35b pid=6416 " + FIT, "pid", 6416),
        ("[DEBUG] mlx-llm-mac-arm64@1.10.1 (mlx-llm) qwen3.6-35b pid=6416 " + FIT, "instance_id", "qwen3.6-35b"),
    ],
)  # fmt: skip
def test_a_line_tells(text: str, field: str, value: object) -> None:
    assert getattr(read(text), field) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "build: 0 (unknown) with GNU 10.2.1 for Linux x86_64",
        "Generate: n_ctx = 131072, n_batch = 512, n_predict = 2500, n_keep = 849",
        "llama_context: n_ctx = many",
        "alloc_compute_meta:        CPU compute buffer size =    32.00 MiB",
        "warmup: n_ctx = 512",
        "user: what does llama_context: n_ctx = 512 mean?",
        "llama_perf_context_print: load time = 12.00 ms / 13 tokens, buffer size = 3.00 MiB",
        "load: token to piece cache size = 0.9311 MB",
        "load_tensors: CPU compute buffer size = 3.00 MiB",
        "llama_kv_cache:        CPU KV buffer size =     0.00 MiB",
    ],
)
def test_these_tell_nothing(text: str) -> None:
    told = AllocationReader().feed([RuntimeLine(1.0, text)])
    assert [claims(one) for one in told if one.kv_bytes or one.weights_bytes or one.compute_bytes or one.build] == []
    assert not any(claims(one) for one in told)


@pytest.mark.parametrize(
    "entry",
    [
        ServerLine(1.0, "[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/x with body {\nllama_context: n_ctx = 512"),
        ServerLine(1.0, "[2026-04-17 18:32:17][INFO][gemma] Generated prediction: {\nllama_context: n_ctx = 512\n}"),
        ServerLine(1.0, "[2026-04-17 18:32:17][INFO] [gemma] Accumulated 3 tokens: x\nllama_context: n_ctx = 512"),
        PredictionInput(1.0, "x", "llama_context: n_ctx = 512"),
        DeckNote(1.0, "llama_context: n_ctx = 512"),
    ],
)  # fmt: skip
def test_what_clients_and_models_say_is_no_evidence(entry: LogEntry) -> None:
    assert AllocationReader().feed([entry]) == []


def test_a_flood_is_looked_at_in_passing() -> None:
    assert not may_tell("0.02.187.708 I slot update_slots: id  0 | task 9 | prompt processing progress, n_tokens = 512")
    assert may_tell("llama_context: n_ctx = 512")


def test_caches_are_summed_and_devices_told_apart() -> None:
    found = read(
        "llama_model_loader: loaded meta data with 32 key-value pairs and 399 tensors from a.gguf (version GGUF V3)",
        "load_tensors: offloading 19 repeating layers to GPU",
        "load_tensors: offloaded 19/37 layers to GPU",
        "load_tensors:        CUDA0 model buffer size =  3000.00 MiB",
        "load_tensors:        CUDA1 model buffer size =   500.00 MiB",
        "load_tensors:   CPU_Mapped model buffer size =  4000.00 MiB",
        "load_tensors:   CPU_Mapped model buffer size =   100.00 MiB",
        *block(8192),
        "llama_context:  CUDA_Host  output buffer size =     1.00 MiB",
        "llama_kv_cache:      CUDA0 KV buffer size =   100.00 MiB",
        "llama_kv_cache:        CPU KV buffer size =    50.00 MiB",
        "llama_kv_cache: size =  150.00 MiB (  8192 cells,   3 layers,  4/1 seqs), K (f16): 75.00 MiB",
        "llama_kv_cache:      CUDA0 KV buffer size =    20.00 MiB",
        "llama_kv_cache: size =   20.00 MiB (  1024 cells,  15 layers,  4/1 seqs), K (f16): 10.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =   300.00 MiB",
        "sched_reserve:  CUDA_Host compute buffer size =    12.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =   310.00 MiB",
    )
    assert (found.weights_bytes, found.kv_bytes) == (7600 * MIB, 170 * MIB)
    assert found.compute_bytes == 322 * MIB, "reserved anew, not in addition"
    assert (found.gpu_bytes, found.host_bytes) == ((3500 + 120 + 310) * MIB, (4100 + 50 + 12 + 1) * MIB)


def test_the_last_context_counts_and_the_weights_stay() -> None:
    weights = "load_tensors:        CUDA0 model buffer size =  3000.00 MiB"
    kv = "llama_kv_cache: size = {:.2f} MiB (  8192 cells,   3 layers,  4/1 seqs)"
    found = read(weights, *block(32768), kv.format(400), *block(8192), kv.format(100))
    assert (found.n_ctx, found.kv_bytes, found.weights_bytes) == (8192, 100 * MIB, 3000 * MIB)


def test_another_model_in_the_same_process_inherits_nothing() -> None:
    loaded = "llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from {}.gguf (version GGUF V3)"
    weights = "load_tensors:        CUDA0 model buffer size =  {:.2f} MiB"
    recurrent = "llama_memory_recurrent: size =  301.50 MiB (     4 cells,  48 layers,  4 seqs)"
    first = [loaded.format("a"), weights.format(3000), *block(32768), recurrent]
    found = read(*first, loaded.format("b"), weights.format(50), *block(512))
    assert (found.n_ctx, found.recurrent_bytes, found.weights_bytes) == (512, None, 50 * MIB)


def test_a_load_that_failed_leaves_nothing_in_the_next() -> None:
    loaded = "llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from a.gguf (version GGUF V3)"
    weights = "load_tensors:        CUDA0 model buffer size =  3000.00 MiB"
    assert read(loaded, weights, loaded, weights).weights_bytes == 3000 * MIB


def test_a_hint_that_comes_before_its_load_stays_with_it() -> None:
    loaded = "llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from a.gguf (version GGUF V3)"
    capped = "srv load_model: the slot context (32768) exceeds the training context of the model (8192) - capping"
    first = [loaded, *block(32768), capped]
    found = read(*first, OVERFLOW, loaded, *block(4096))
    assert [hint.partition(" VRAM")[0] for hint in found.hints] == ["Not using full context length for"]
    assert read(*first, OVERFLOW, loaded, *block(4096), loaded, *block(512)).hints == ()


def test_a_draft_model_is_not_the_instances_context() -> None:
    weights = "load_tensors:        CUDA0 model buffer size =  {:.2f} MiB"
    for start in ("srv    load_model: loading draft model 'small.gguf'",
                  "srv    load_model: creating MTP draft context against the target model 'a.gguf'"):  # fmt: skip
        slots = "srv    load_model: initializing, n_slots = 4, n_ctx_slot = 32768, kv_unified = 'true'"
        found = read(weights.format(3000), *block(32768), start, weights.format(50), *block(512), slots)
        assert (found.n_ctx, found.weights_bytes, found.slot_context) == (32768, 3000 * MIB, 32768)


def test_flash_attention_on_auto_is_unknown_until_resolved() -> None:
    auto = ["llama_context: n_seq_max = 1", "llama_context: flash_attn            = auto"]
    assert read(*auto).flash_attention is None
    assert read(*auto, "sched_reserve: Flash Attention was auto, set to disabled").flash_attention is False


def test_what_says_nothing_new_is_not_told() -> None:
    reader = AllocationReader()
    line = "slot update_slots: id  0 | task 5 | new prompt, n_ctx_slot = 4096, n_keep = 0, task.n_tokens = 9"
    assert len(reader.feed([RuntimeLine(1.0, line, pid=3)])) == 1
    assert reader.feed([RuntimeLine(2.0, line, pid=3)]) == []


def test_processes_are_kept_apart() -> None:
    reader = AllocationReader()
    mixed = [RuntimeLine(1.0, text, instance_id=name, pid=pid)
             for a, b in zip(block(32768), block(8192), strict=True)
             for text, name, pid in ((a, "big", 1), (b, "small", 2))]  # fmt: skip
    told = {one.instance_id: (one.pid, one.n_ctx) for one in reader.feed(mixed)}
    assert told == {"big": (1, 32768), "small": (2, 8192)}


def test_a_new_process_of_an_instance_replaces_the_old_one() -> None:
    reader = AllocationReader()
    reader.feed(RuntimeLine(1.0, text, instance_id="a", pid=1) for text in block(32768))
    (found,) = reader.feed(RuntimeLine(2.0, text, instance_id="a", pid=2) for text in block(8192)[1:2])
    assert (found.pid, found.n_ctx, found.unified) == (2, 8192, None)
    (found,) = reader.feed([RuntimeLine(3.0, "llama_context: kv_unified = false", instance_id="a")])
    assert (found.pid, found.unified) == (2, False), "a line without a pid belongs to its instance's process"


def test_memory_is_bounded() -> None:
    reader = AllocationReader()
    for pid in range(MOST_STREAMS * 3):
        reader.feed(RuntimeLine(1.0, text, instance_id=f"i{pid}", pid=pid) for text in block(4096))
    assert len(reader._streams) == len(reader._owner) == MOST_STREAMS
    many = [f"[context_fit][INFO]: Model context auto-fit: max=9 {n} fitted=5" + " x" * 900 for n in range(50)]
    hints = read(*(hint.replace("Model context auto-fit", "VLM prompt cache context target").replace(
        "fitted", "configured=7 fitted") for hint in many)).hints  # fmt: skip
    assert len(hints) == MOST_HINTS
    assert max(map(len, hints)) <= 300


@pytest.mark.parametrize(
    ("allocation", "expected"),
    [
        (Allocation(), None),
        (Allocation(n_ctx=32768, n_ctx_seq=32768, unified=True), Claim(32768, "runtime log: n_ctx_seq")),
        (Allocation(n_ctx=1024, n_ctx_seq=1024, unified=True), Claim(1024, "runtime log: n_ctx_seq")),
        (Allocation(n_ctx=8192, n_ctx_seq=2048, unified=True), Claim(8192, "runtime log: n_ctx")),
        (Allocation(n_ctx=8192, n_ctx_seq=2048), Claim(8192, "runtime log: n_ctx")),
        (Allocation(n_ctx=8192, n_ctx_seq=2048, unified=False), Claim(2048, "runtime log: n_ctx_seq")),
        (Allocation(n_ctx=8192, n_ctx_seq=2048, slot_context=2048), Claim(2048, "runtime log: slot context")),
        (Allocation(n_ctx=32768, n_ctx_seq=32768, slot_context=8192), Claim(8192, "runtime log: slot context")),
        (Allocation(fitted=4096), Claim(4096, "runtime log: context auto-fit")),
        (Allocation(n_ctx=8192, fitted=4096), Claim(4096, "runtime log: context auto-fit")),
        (Allocation(n_ctx=8192, n_ctx_seq=8192, fitted=8192), Claim(8192, "runtime log: n_ctx_seq")),
        (Allocation(hints=("something",), build=4798), None),
    ],
)  # fmt: skip
def test_what_one_request_can_use(allocation: Allocation, expected: Claim | None) -> None:
    assert claims(allocation) == expected


def reason(asked: int, allocation: Allocation | None, *, reported: int | None = None, proof: Proof | None = None,
           model_max: int | None = 262144) -> str:  # fmt: skip
    reading = ContextReading(
        Claim(asked, "server log"),
        None if reported is None else Claim(reported, "/api/v1/models"),
        claims(allocation) if allocation else None,
        proof,
    )
    return shortfall_reason(reading, allocation, model_max)


def test_reasons_of_a_collapse() -> None:
    assert reason(200000, read(FIT, TARGET), reported=200000) == (
        "LM Studio's context auto-fit left 152576 of 200000 tokens to stay within memory."
    )
    split = read(*block(32768, 8192, "false"))
    assert reason(32768, split) == (
        "The context of 32768 tokens is split among 4 slots, 8192 each, because the KV cache is not unified."
    )
    old = read(*block(8192, 2048, "true"), "srv init: initializing slots, n_slots = 4",
               "slot init: id  0 | task -1 | new slot n_ctx_slot = 2048")  # fmt: skip
    assert reason(8192, old) == "The context of 8192 tokens is split among 4 slots, 2048 each."
    capped = read(
        *block(32768, slots=1),
        "srv load_model: the slot context (32768) exceeds the training context of the model (8192) - capping",
        "srv load_model: initializing, n_slots = 1, n_ctx_slot = 8192, kv_unified = 'true'",
    )
    assert reason(32768, capped) == "The runtime capped each slot at the model's training context of 8192 tokens."
    assert reason(400000, None, reported=262144) == "400000 tokens are more than the model's maximum of 262144."
    assert reason(131072, read(*block(8192))) == "The runtime allocated 8192 of 131072 tokens without saying why."
    assert reason(131072, None, reported=4096) == "The server reports 4096 tokens, less than the 131072 asked for."
    proven = Proof(8000, 9000)
    assert reason(131072, None, proof=proven) == (
        "A prompt of more than 8000 of 131072 tokens does not go in; the log does not say why."
    )
    fit = "common_params_fit_impl: context size reduced from 262144 to 65536 -> need 300 MiB less memory in total"
    smaller = read(fit, *block(65536))
    assert "context size reduced from 262144 to 65536" in reason(262144, smaller)


def test_nobody_is_accused_without_two_numbers_that_contradict() -> None:
    healthy = read(*OVERFLOW.split("\n"), *block(131072))
    assert "using '8192'" in healthy.hints[0]
    assert claims(healthy) == Claim(131072, "runtime log: n_ctx_seq")
    assert reason(131072, healthy, reported=131072) == ""
    assert reason(1000, read(*block(1024))) == "", "padded up"
    raised = read("[cache_store][INFO]: VLM prompt cache context target: configured=16,384 fitted=208,384")
    assert reason(16384, raised) == "", "auto-fit may also give more"
    assert shortfall_reason(ContextReading(), Allocation(fitted=1), 1) == ""
    assert shortfall_reason(ContextReading(reported=Claim(8192, "x")), None, None) == ""


def test_the_demo_servers_collapse() -> None:
    found = read(
        "llama_model_loader: loaded meta data from x.gguf (version GGUF V3 (latest))",
        "[context_fit][INFO]: Model context auto-fit: max=131,072 fitted=8,192 reason=vram",
        *block(8192),
        "llama_kv_cache: size =   192.00 MiB (  8192 cells,  48 layers)",
    )
    assert (found.fitted, found.kv_bytes) == (8192, 192 * MIB)
    assert reason(131072, found, reported=131072) == (
        "LM Studio's context auto-fit left 8192 of 131072 tokens to stay within memory."
    )


def test_a_server_that_is_joined_late_tells_its_slots_with_the_next_prompt() -> None:
    line = "[2026-09-21 18:32:17][DEBUG] 0.02.187.708 I slot update_slots: id 3 | task 0 | new prompt, n_ctx_slot = 8192, n_keep = 0"
    (found,) = AllocationReader().feed([ServerLine(5.0, line)])
    assert claims(found) == Claim(8192, "runtime log: slot context")
