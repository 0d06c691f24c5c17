"""The models a server knows, and their records in the three dialects: v1, v0 and `lms ls`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lmdeck.demo.fields import Json


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """One model on disk. Lengths are tokens, sizes bytes; `kv_bytes_per_token` is what one token of context costs."""

    key: str
    display_name: str
    publisher: str
    architecture: str
    quantization: str
    size_bytes: int
    max_context_length: int
    path: str
    params: str | None = None
    embedding: bool = False
    vision: bool = False
    tools: bool = False
    reasoning: tuple[str, ...] = ()
    reasoning_default: str = "off"
    description: str | None = None
    variants: tuple[str, ...] = ()
    kv_bytes_per_token: int = 0
    layers: int = 0
    kv_layers: int = 0
    """Layers that have a KV cache; 0 is all of them."""
    latent: bool = False
    """The cache holds no values, only keys (MLA)."""
    recurrent_bytes: int = 0
    """Recurrent state of one slot."""
    compute_bytes: int = 64 * 2**20
    vocabulary: int = 32_000
    format: str = "gguf"

    @property
    def type(self) -> str:
        """`llm` or `embedding`, as v1 and `lms` say."""
        return "embedding" if self.embedding else "llm"

    @property
    def bits(self) -> int | None:
        """Nominal bits per weight: 4 for Q4_K_M."""
        match = re.search(r"\d+", self.quantization)
        return int(match[0]) if match else None

    def memory(self, context_length: int) -> int:
        """Bytes it needs with that context: weights, KV cache and a small compute buffer. An estimate."""
        return self.size_bytes + self.kv_bytes_per_token * context_length + 64 * 2**20


def v1_record(model: CatalogModel, instances: list[Json]) -> Json:
    """The model in `GET /api/v1/models`."""
    record: Json = {
        "type": model.type,
        "publisher": model.publisher,
        "key": model.key,
        "display_name": model.display_name,
        "quantization": {"name": model.quantization, "bits_per_weight": model.bits},
        "size_bytes": model.size_bytes,
        "params_string": model.params,
        "loaded_instances": instances,
        "max_context_length": model.max_context_length,
        "format": model.format,
    }
    if not model.embedding:
        record["architecture"] = model.architecture
        record["capabilities"] = _capabilities(model)
        record["description"] = model.description
    if model.variants:
        record |= {"variants": list(model.variants), "selected_variant": model.variants[0]}
    return record


def _capabilities(model: CatalogModel) -> Json:
    abilities: Json = {"vision": model.vision, "trained_for_tool_use": model.tools}
    if model.reasoning:
        abilities["reasoning"] = {"allowed_options": list(model.reasoning), "default": model.reasoning_default}
    return abilities


def v0_record(model: CatalogModel, loaded_context: int | None, *, id: str | None = None) -> Json:
    """The model in `GET /api/v0/models`; `loaded_context` is None while it is not loaded."""
    kind = "embeddings" if model.embedding else "vlm" if model.vision else "llm"
    record: Json = {
        "id": id or model.key,
        "object": "model",
        "type": kind,
        "publisher": model.publisher,
        "arch": model.architecture,
        "compatibility_type": model.format,
        "quantization": model.quantization,
        "state": "not-loaded" if loaded_context is None else "loaded",
        "max_context_length": model.max_context_length,
    }
    if loaded_context is not None:
        record["loaded_context_length"] = loaded_context
    if model.tools:
        record["capabilities"] = ["tool_use"]
    return record


def lms_record(model: CatalogModel) -> Json:
    """The model in `lms ls --json`."""
    record: Json = {
        "type": model.type,
        "modelKey": model.key,
        "format": model.format,
        "displayName": model.display_name,
        "publisher": model.publisher,
        "path": model.path,
        "sizeBytes": model.size_bytes,
        "indexedModelIdentifier": model.path,
        "deviceIdentifier": None,
        "architecture": model.architecture,
        "quantization": {"name": model.quantization, "bits": model.bits},
        "maxContextLength": model.max_context_length,
    }
    if model.params:
        record["paramsString"] = model.params
    if model.variants:
        record |= {"variants": list(model.variants), "selectedVariant": model.variants[0]}
    if not model.embedding:
        record |= {"vision": model.vision, "trainedForToolUse": model.tools}
    return record
