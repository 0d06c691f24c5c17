"""A GGUF file as the catalogue's models."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from lmdeck.demo.catalog import CatalogModel
from lmdeck.estimate.gguf import Header
from lmdeck.estimate.memory import estimate
from lmdeck.model.estimate import Ask, Unknown

# llama.cpp's llama_ftype, as far as it is in use.
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
_SAMPLE = 4096


def describe(file: Path, header: Header) -> tuple[CatalogModel, ...]:
    """The chat and the embedding model that one GGUF file makes."""
    stem = re.sub(r"[-.](?:I?Q\d\w*|B?F16|F32|MXFP4)$", "", file.stem, flags=re.IGNORECASE)
    slug = re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-")
    publisher = re.sub(r"[^\w.-]+", "-", header.text("general.organization") or "local").strip("-.") or "local"
    name = stem.replace("-", " ").replace("_", " ")
    chat = CatalogModel(
        key=slug,
        display_name=name,
        publisher=publisher,
        architecture=header.architecture or "unknown",
        quantization=_quantization(header),
        size_bytes=file.stat().st_size,
        max_context_length=_number(header, "context_length") or 2048,
        path=f"{publisher}/{stem}-GGUF/{file.name}",
        params=_params(header.parameters),
        tools="tools" in (header.text("tokenizer.chat_template") or ""),
        kv_bytes_per_token=_kv_bytes_per_token(header),
        layers=_number(header, "block_count") or 0,
    )
    twin = f"text-embedding-{slug.removesuffix('-instruct')}"
    return chat, replace(chat, key=twin, display_name=f"{name} (embedding)", embedding=True, tools=False)


def _quantization(header: Header) -> str:
    """The file type's name, e.g. `Q4_K_M`."""
    kind = header.keys.get("general.file_type")
    return _FILE_TYPES.get(kind, f"type {kind}") if isinstance(kind, int) else "unknown"


def _kv_bytes_per_token(header: Header) -> int:
    """Bytes of cache for one token of context; 0 where the architecture is not covered."""
    answer = estimate(header, Ask(context=_SAMPLE))
    return 0 if isinstance(answer, Unknown) else answer.kv_bytes // answer.n_ctx


def _number(header: Header, name: str) -> int | None:
    value = header.own(name)
    return value if isinstance(value, int) else None


def _params(count: int) -> str:
    """`135M`, `1.5B`."""
    return f"{count / 1e9:.3g}B" if count >= 1e9 else f"{count / 1e6:.0f}M"
