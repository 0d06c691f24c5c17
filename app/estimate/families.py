"""llama.cpp's architectures by the kind of memory they keep (`llama_model::create_memory`)."""

from __future__ import annotations

# Keys and values on every layer for the whole context, or as `attention.head_count_kv` says; MLA by its keys.
PLAIN = frozenset((
    "llama", "mistral3", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "phi2",
    "phi3", "phimoe", "gemma", "starcoder", "starcoder2", "stablelm", "internlm2", "granite", "granitemoe", "olmo",
    "olmoe", "deepseek", "deepseek2", "glm4", "glm4moe", "chatglm", "command-r", "exaone", "smollm3", "ernie4_5",
    "ernie4_5-moe", "hunyuan-dense", "hunyuan-moe", "seed_oss", "bailingmoe", "bailingmoe2", "dots1", "nemotron",
    "falcon", "gpt2", "gptneox", "mpt", "bloom", "baichuan", "minicpm", "minicpm3", "orion", "xverse", "arcee",
    "apertus", "dbrx", "grok", "decilm", "minimax-m2",
))  # fmt: skip

# A window on some layers: the architecture's period, where the header has no pattern.
SLIDING = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4}

# Encoders: nothing is kept between calls.
BERT = frozenset(("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "modern-bert", "neo-bert"))

# Attention on every n-th layer, gated delta nets on the others.
GATED_DELTA = ("qwen3next", "qwen35", "qwen35moe")

# The first build that loads it, where a test needs to know.
SINCE = {"gemma3": 4875}  # llama.cpp PR 12343, March 2025

# Compared with what llama.cpp allocated (tests/estimate/data/vram_grid.json).
TESTED = frozenset((
    "llama", "gemma3", "qwen2", "qwen3moe", "qwen3next", "nemotron_h_moe", "deepseek2", "mistral3", "nomic-bert",
))  # fmt: skip
