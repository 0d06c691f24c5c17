"""What llama.cpp (of April 2026, on one CUDA card) says while it loads, with the scripted engine's numbers in it."""

from __future__ import annotations

from lmdeck.demo.catalog import CatalogModel
from lmdeck.demo.engines.base import LoadOptions
from lmdeck.demo.engines.context import Context

BUILD = "build: 8929 (5d6f18c2a) with MSVC 19.44.35207.1 for Windows x86_64"
_MIB = 2**20
_EMBEDDINGS = 0.01  # the share of the weights that stays in RAM whatever is offloaded


def opening(model: CatalogModel) -> list[str]:
    """Before anything is allocated."""
    return [BUILD, f"llama_model_loader: loaded meta data from {model.path} (version GGUF V3 (latest))"]


def loading(model: CatalogModel, options: LoadOptions, context: Context) -> list[str]:
    """From the weights to the slots."""
    n_ctx = -(-context.allocated // 256) * 256
    lines = [*_weights(model, options), *_context(model, options, n_ctx)]
    if context.allocated < context.asked:
        lines.insert(
            0,
            "Not using full context length for VRAM overflow calculations due to single GPU setup. Instead, using "
            f"'{context.allocated}' as context length for the calculation. Original context length: '{context.asked}'.",
        )
    slot = min(n_ctx, model.max_context_length)
    lines.append(f"srv    load_model: initializing slots, n_slots = {options.parallel}")
    lines += [f"slot   load_model: id {n:2} | task -1 | new slot, n_ctx = {slot}" for n in range(options.parallel)]
    return lines


def drifted(model: CatalogModel, context: Context) -> list[str]:
    """When the context shrinks at the first prompt."""
    fit = f"family={model.architecture} max={model.max_context_length:,} fitted={context.allocated:,}"
    target = f"configured={context.asked:,} fitted={context.allocated:,}"
    return [
        f"[context_fit][INFO]: Model context auto-fit: {fit}",
        f"[context_fit][INFO]: VLM prompt cache context target: {target}",
    ]


def gpu_layers(model: CatalogModel, options: LoadOptions) -> int:
    """Layers on the GPU, the output layer counted as one."""
    return round(options.gpu * (model.layers + 1))


def _weights(model: CatalogModel, options: LoadOptions) -> list[str]:
    offloaded, layers = gpu_layers(model, options), model.layers + 1
    on_gpu = model.size_bytes * (1 - _EMBEDDINGS) * offloaded / layers
    lines = [
        f"print_info: file size   = {model.size_bytes / 2**30:.2f} GiB",
        f"print_info: arch                  = {model.architecture}",
        f"print_info: n_ctx_train           = {model.max_context_length}",
    ]
    if offloaded:
        lines += [
            "load_tensors: offloading output layer to GPU",
            f"load_tensors: offloading {offloaded - 1} repeating layers to GPU",
        ]
    lines += [
        f"load_tensors: offloaded {offloaded}/{layers} layers to GPU",
        f"load_tensors:   CPU_Mapped model buffer size = {_mib(model.size_bytes - on_gpu)}",
    ]
    return [*lines, f"load_tensors:        CUDA0 model buffer size = {_mib(on_gpu)}"] if offloaded else lines


def _context(model: CatalogModel, options: LoadOptions, n_ctx: int) -> list[str]:
    values = {
        "n_seq_max": options.parallel,
        "n_ctx": n_ctx,
        "n_ctx_seq": n_ctx,
        "n_batch": options.eval_batch_size,
        "n_ubatch": min(512, options.eval_batch_size),
        "causal_attn": 0 if model.embedding else 1,
        "flash_attn": "enabled" if options.flash_attention else "disabled",
        "kv_unified": "true",
    }
    lines = [f"llama_context: {name:<14}= {value}" for name, value in values.items()]
    if n_ctx < model.max_context_length:
        lines.append(
            f"llama_context: n_ctx_seq ({n_ctx}) < n_ctx_train ({model.max_context_length}) -- the full capacity of "
            "the model will not be utilized"
        )
    offloaded = gpu_layers(model, options)
    lines.append(
        f"llama_context: {'CUDA_Host':>10}  output buffer size = {_mib(4 * model.vocabulary * options.parallel)}"
    )
    share = max(offloaded - 1, 0) / max(model.layers, 1) if options.offload_kv_cache_to_gpu else 0.0
    if model.kv_bytes_per_token:
        lines += _kv(model, options, n_ctx, share)
    if model.recurrent_bytes:
        lines += _recurrent(model, options, share)
    lines.append(
        f"sched_reserve: {'CUDA0' if offloaded else 'CPU':>10} compute buffer size = {_mib(model.compute_bytes)}"
    )
    return lines


def _kv(model: CatalogModel, options: LoadOptions, n_ctx: int, share: float) -> list[str]:
    size = model.kv_bytes_per_token * n_ctx
    key = size if model.latent else size / 2
    layers = model.kv_layers or model.layers
    seqs = f"{options.parallel}/1 seqs"
    return [
        *_places("llama_kv_cache", "KV", size, share),
        f"llama_kv_cache: size = {size / _MIB:7.2f} MiB ({n_ctx:6} cells, {layers:3} layers, {seqs:>9}), "
        f"K (f16): {_mib(key)}, V (f16): {_mib(size - key)}",
    ]


def _recurrent(model: CatalogModel, options: LoadOptions, share: float) -> list[str]:
    size = model.recurrent_bytes * options.parallel
    words = f"({options.parallel:6} cells, {model.layers:3} layers, {options.parallel:2} seqs)"
    return [
        *_places("llama_memory_recurrent", "RS", size, share),
        f"llama_memory_recurrent: size = {size / _MIB:7.2f} MiB {words}",
    ]


def _places(who: str, what: str, size: float, share: float) -> list[str]:
    parts = {"CPU": size * (1 - share), "CUDA0": size * share}
    return [f"{who}: {place:>10} {what} buffer size = {_mib(part)}" for place, part in parts.items() if part >= 1]


def _mib(size: float) -> str:
    return f"{size / _MIB:8.2f} MiB"
