"""llama.cpp's architectures by the kind of memory they keep (`llama_model::create_memory`)."""

from __future__ import annotations

from dataclasses import dataclass

# Keys and values on every layer for the whole context, or as `attention.head_count_kv` says; MLA by its keys.
PLAIN = frozenset((
    "llama", "llama-embed", "mistral3", "mistral4", "qwen", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe",
    "qwen3vl", "qwen3vlmoe", "phi2", "phi3", "phimoe", "gemma", "starcoder", "starcoder2", "stablelm", "internlm2",
    "granite", "granitemoe", "olmo", "olmoe", "openelm", "deepseek", "deepseek2", "deepseek2-ocr", "glm4", "glm4moe",
    "chatglm", "command-r", "exaone", "smollm3", "ernie4_5", "ernie4_5-moe", "paddleocr", "hunyuan-dense",
    "hunyuan-moe", "hunyuan_vl", "hy_v3", "seed_oss", "bailingmoe", "bailingmoe2", "dots1", "nemotron", "falcon",
    "gpt2", "gptj", "gptneox", "mpt", "bloom", "refact", "codeshell", "baichuan", "bitnet", "minicpm", "minicpm3",
    "orion", "plamo", "xverse", "arcee", "arctic", "apertus", "dbrx", "grok", "grovemoe", "deci", "jais", "jais2",
    "maincoder", "pangu-embedded", "cogvlm", "minimax-m2",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slide:
    """Which layers have a window, where the header does not say: i % period < period - 1, or with `full_first`
    i % period != 0."""

    period: int | None
    """None: the header's array is needed."""
    full_first: bool = False
    window: int = 0
    """Tokens, where the header does not say."""
    fixed: int = 0
    """Tokens, whatever the header says above zero."""
    blocks: int = 0
    """Only the model with so many blocks slides; 0 for all."""


SLIDING = {
    "gemma2": Slide(2, window=4096),
    "gemma3": Slide(6),
    "gemma3n": Slide(5),
    "gemma4": Slide(None),
    "gpt-oss": Slide(2),
    "cohere2": Slide(4),
    "cohere2moe": Slide(4, full_first=True),
    "llama4": Slide(4, window=8192, fixed=8192),
    "exaone4": Slide(4, window=4096, blocks=64),
    "exaone-moe": Slide(4, window=128),
    "olmo2": Slide(4),
    "afmoe": Slide(4),
    "mellum": Slide(4),
    "smallthinker": Slide(4, full_first=True, fixed=4096),
    "mimo2": Slide(None),
    "step35": Slide(None),
    "granite_swa": Slide(None),
}

# Encoders: nothing is kept between calls.
BERT = frozenset((
    "bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert", "eurobert",
    "gemma-embedding",
))  # fmt: skip

# Attention on every n-th layer, gated delta nets on the others.
GATED_DELTA = ("qwen3next", "qwen35", "qwen35moe")

NEMOTRON = ("nemotron_h", "nemotron_h_moe")
SHORT_CONVOLUTION = ("lfm2", "lfm2moe")

# The first build that loads it, where a test needs to know.
SINCE = {"gemma3": 4875}  # llama.cpp PR 12343, March 2025

# Compared with what llama.cpp allocated (tests/estimate/data/vram_grid.json).
TESTED = frozenset((
    "llama", "gemma3", "qwen2", "qwen3moe", "qwen3next", "nemotron_h_moe", "deepseek2", "mistral3", "nomic-bert",
))  # fmt: skip
