"""The headers of the models that the memory grid was measured with, but for SmolLM2, which is on the disk.

Dimensions: shared/reference/vram.md section 6b. Types: all matrices at 4.5 bits, norms, routers and convolutions f32;
gemma3 as llama-quantize's Q4_K_M makes it (rows of 640 fall back from K-quants).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gguf_writer import F32, Q4_0, Q4_K, Q5_0, Q6_K, Q8_0, TensorSpec, Texts

Model = tuple[dict[str, object], list[TensorSpec]]


def _keys(arch: str, vocab: int, **own: object) -> dict[str, object]:
    named = {f"{arch}.{name.replace('__', '.')}": value for name, value in own.items()}
    return {"general.architecture": arch, **named, "tokenizer.ggml.tokens": Texts(vocab)}


def _ends(width: int, vocab: int) -> Iterator[TensorSpec]:
    yield "token_embd.weight", (width, vocab), Q4_0
    yield "output_norm.weight", (width,), F32
    yield "output.weight", (width, vocab), Q4_0


def _norms(block: int, sizes: dict[str, int]) -> Iterator[TensorSpec]:
    for name, size in sizes.items():
        yield f"blk.{block}.{name}.weight", (size,), F32


def _matrices(block: int, shapes: dict[str, tuple[int, ...]], kind: int = Q4_0) -> Iterator[TensorSpec]:
    for name, shape in shapes.items():
        yield f"blk.{block}.{name}.weight", shape, kind


def _attention(block: int, width: int, q: int, k: int, v: int, head: int = 0) -> Iterator[TensorSpec]:
    yield from _norms(block, {"attn_norm": width})
    if head:
        yield from _norms(block, {"attn_q_norm": head, "attn_k_norm": head})
    shapes = {"attn_q": (width, q), "attn_k": (width, k), "attn_v": (width, v), "attn_output": (q, width)}
    yield from _matrices(block, shapes)


def _dense(block: int, width: int, inner: int) -> Iterator[TensorSpec]:
    yield from _norms(block, {"ffn_norm": width})
    yield from _matrices(block, {"ffn_gate": (width, inner), "ffn_up": (width, inner), "ffn_down": (inner, width)})


def _experts(block: int, width: int, inner: int, count: int, gated: bool = True) -> Iterator[TensorSpec]:
    yield from _matrices(block, {"ffn_gate_inp": (width, count)}, F32)
    yield from _matrices(block, {"ffn_up_exps": (width, inner, count), "ffn_down_exps": (inner, width, count)})
    if gated:
        yield from _matrices(block, {"ffn_gate_exps": (width, inner, count)})


def _shared(block: int, width: int, inner: int, gated: bool = True) -> Iterator[TensorSpec]:
    yield from _matrices(block, {"ffn_up_shexp": (width, inner), "ffn_down_shexp": (inner, width)})
    if gated:
        yield from _matrices(block, {"ffn_gate_shexp": (width, inner)})


def gemma3() -> Model:
    keys = _keys(
        "gemma3", 262144, block_count=18, context_length=32768, embedding_length=640, feed_forward_length=2048,
        attention__head_count=4, attention__head_count_kv=1, attention__key_length=256, attention__value_length=256,
        attention__sliding_window=512,
    )  # fmt: skip
    tensors: list[TensorSpec] = [("token_embd.weight", (640, 262144), Q8_0), ("output_norm.weight", (640,), F32)]
    for i in range(18):
        names = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
        tensors += _norms(i, {**dict.fromkeys(names, 640), "attn_q_norm": 256, "attn_k_norm": 256})
        five = {"attn_q": (640, 1024), "attn_k": (640, 256), "ffn_gate": (640, 2048), "ffn_up": (640, 2048)}
        tensors += _matrices(i, five, Q5_0)
        tensors += _matrices(i, {"attn_output": (1024, 640)}, Q4_K)
        tensors += _matrices(i, {"attn_v": (640, 256)}, Q8_0 if i % 2 else Q5_0)
        tensors += _matrices(i, {"ffn_down": (2048, 640)}, Q6_K if i % 2 else Q4_K)
    return keys, tensors


def qwen3_coder_30b() -> Model:
    keys = _keys(
        "qwen3moe", 151936, block_count=48, context_length=262144, embedding_length=2048, feed_forward_length=5472,
        attention__head_count=32, attention__head_count_kv=4, attention__key_length=128, attention__value_length=128,
        expert_count=128, expert_used_count=8, expert_feed_forward_length=768,
    )  # fmt: skip
    tensors = list(_ends(2048, 151936))
    for i in range(48):
        tensors += _attention(i, 2048, 4096, 512, 512, head=128)
        tensors += _norms(i, {"ffn_norm": 2048})
        tensors += _experts(i, 2048, 768, 128)
    return keys, tensors


def qwen3_coder_next() -> Model:
    keys = _keys(
        "qwen3next", 151936, block_count=48, context_length=262144, embedding_length=2048, feed_forward_length=5120,
        attention__head_count=16, attention__head_count_kv=2, attention__key_length=256, attention__value_length=256,
        expert_count=512, expert_used_count=10, expert_feed_forward_length=512,
        expert_shared_feed_forward_length=512, full_attention_interval=4,
        ssm__conv_kernel=4, ssm__state_size=128, ssm__group_count=16, ssm__time_step_rank=32, ssm__inner_size=4096,
    )  # fmt: skip
    tensors = list(_ends(2048, 151936))
    for i in range(48):
        if i % 4 == 3:
            tensors += _attention(i, 2048, 8192, 512, 512, head=256)  # queries and their gates
            tensors[-1] = (f"blk.{i}.attn_output.weight", (4096, 2048), Q4_0)
        else:
            tensors += _norms(i, {"attn_norm": 2048, "ssm_norm": 128, "ssm_dt": 32, "ssm_a": 32})
            tensors += _matrices(i, {"ssm_conv1d": (4, 8192)}, F32)
            mixer = {"attn_qkv": (2048, 8192), "attn_gate": (2048, 4096), "ssm_ba": (2048, 64)}
            tensors += _matrices(i, {**mixer, "ssm_out": (4096, 2048)})
        tensors += _norms(i, {"post_attention_norm": 2048, "ffn_gate_inp_shexp": 2048})
        tensors += _experts(i, 2048, 512, 512)
        tensors += _shared(i, 2048, 512)
    return keys, tensors


def _nemotron_layer(i: int, kind: str) -> Iterator[TensorSpec]:
    if kind == "*":
        yield from _attention(i, 2688, 4096, 256, 256)
        return
    yield from _norms(i, {"attn_norm": 2688})
    if kind == "E":
        yield from _norms(i, {"exp_probs_b": 128})
        yield from _experts(i, 2688, 1856, 128, gated=False)
        yield from _shared(i, 2688, 3712, gated=False)
        return
    yield from _norms(i, {"ssm_dt": 64, "ssm_a": 64, "ssm_d": 64, "ssm_norm": 4096, "ssm_conv1d_bias": 6144})
    yield from _matrices(i, {"ssm_conv1d": (4, 6144)}, F32)
    yield from _matrices(i, {"ssm_in": (2688, 10304), "ssm_out": (4096, 2688)})


def nemotron_3_nano() -> Model:
    pattern = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
    keys = _keys(
        "nemotron_h_moe", 131072, block_count=52, context_length=1048576, embedding_length=2688,
        feed_forward_length=[1856 if kind == "E" else 0 for kind in pattern],
        attention__head_count=32, attention__head_count_kv=[2 if kind == "*" else 0 for kind in pattern],
        attention__key_length=128, attention__value_length=128, expert_count=128, expert_used_count=6,
        expert_feed_forward_length=1856, expert_shared_feed_forward_length=3712,
        ssm__conv_kernel=4, ssm__state_size=128, ssm__group_count=8, ssm__time_step_rank=64, ssm__inner_size=4096,
    )  # fmt: skip
    tensors = list(_ends(2688, 131072))
    for i, kind in enumerate(pattern):
        tensors += _nemotron_layer(i, kind)
    return keys, tensors


def glm_47_flash() -> Model:
    keys = _keys(
        "deepseek2", 154880, block_count=47, context_length=202752, embedding_length=2048, feed_forward_length=10240,
        attention__head_count=20, attention__head_count_kv=1, attention__key_length=576, attention__value_length=512,
        attention__key_length_mla=256, attention__value_length_mla=256, attention__q_lora_rank=768,
        attention__kv_lora_rank=512, rope__dimension_count=64, leading_dense_block_count=1,
        expert_count=64, expert_used_count=4, expert_feed_forward_length=1536, expert_shared_count=1,
    )  # fmt: skip
    tensors = list(_ends(2048, 154880))
    for i in range(47):
        tensors += _norms(i, {"attn_norm": 2048, "attn_q_a_norm": 768, "attn_kv_a_norm": 512})
        low = {"attn_q_a": (2048, 768), "attn_q_b": (768, 5120), "attn_kv_a_mqa": (2048, 576)}
        back = {"attn_k_b": (192, 512, 20), "attn_v_b": (512, 256, 20), "attn_output": (5120, 2048)}
        tensors += _matrices(i, {**low, **back})
        if i == 0:
            tensors += _dense(i, 2048, 10240)
        else:
            tensors += _norms(i, {"ffn_norm": 2048, "exp_probs_b": 64})
            tensors += _experts(i, 2048, 1536, 64)
            tensors += _shared(i, 2048, 1536)
    return keys, tensors


def devstral_small_2() -> Model:
    keys = _keys(
        "mistral3", 131072, block_count=40, context_length=393216, embedding_length=5120, feed_forward_length=32768,
        attention__head_count=32, attention__head_count_kv=8, attention__key_length=128, attention__value_length=128,
    )  # fmt: skip
    tensors = list(_ends(5120, 131072))
    for i in range(40):
        tensors += _attention(i, 5120, 4096, 1024, 1024)
        tensors += _dense(i, 5120, 32768)
    return keys, tensors


def qwen25_14b() -> Model:
    keys = _keys(
        "qwen2", 152064, block_count=48, context_length=131072, embedding_length=5120, feed_forward_length=13824,
        attention__head_count=40, attention__head_count_kv=8,
    )  # fmt: skip
    tensors = list(_ends(5120, 152064))
    for i in range(48):
        tensors += _attention(i, 5120, 5120, 1024, 1024)
        biases = {"attn_q.bias": 5120, "attn_k.bias": 1024, "attn_v.bias": 1024}
        tensors += [(f"blk.{i}.{name}", (size,), F32) for name, size in biases.items()]
        tensors += _dense(i, 5120, 13824)
    return keys, tensors


def nomic_embed() -> Model:
    keys = _keys(
        "nomic-bert", 30522, block_count=12, context_length=2048, embedding_length=768, feed_forward_length=3072,
        attention__head_count=12, attention__causal=False, pooling_type=1,
    )  # fmt: skip
    tensors: list[TensorSpec] = [("token_embd.weight", (768, 30522), Q4_0), ("token_types.weight", (768, 2), F32)]
    for i in range(12):
        tensors += _matrices(i, {"attn_qkv": (768, 2304), "attn_output": (768, 768)})
        tensors += _dense(i, 768, 3072)
        tensors += _norms(i, {"attn_output_norm": 768, "layer_output_norm": 768})
    return keys, tensors


MODELS: dict[str, Callable[[], Model]] = {
    "gemma3": gemma3,
    "qwen3-coder-30b": qwen3_coder_30b,
    "qwen3-coder-next": qwen3_coder_next,
    "nemotron-3-nano": nemotron_3_nano,
    "glm-4.7-flash": glm_47_flash,
    "devstral-small-2": devstral_small_2,
    "qwen2.5-14b": qwen25_14b,
    "nomic-embed": nomic_embed,
}
