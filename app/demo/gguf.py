"""The little of a GGUF file's header that the catalogue shows.

Layout (GGUF v2 and v3, little-endian): magic, version, tensor count, key count; then the keys, each with a typed value;
then per tensor its name, dimensions, type and offset. Specification: ggml-org/ggml docs/gguf.md.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_COUNT = 10_000_000
_KEPT_ARRAY = 1024  # longer arrays are vocabularies

# llama.cpp's llama_ftype, as far as it is in use.
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip


class GgufError(ValueError):
    """The file is no GGUF file, or its header is broken."""


@dataclass(frozen=True, slots=True)
class Gguf:
    """A header: its keys (long arrays left out) and the number of parameters in all tensors."""

    keys: dict[str, object]
    parameters: int

    def text(self, key: str) -> str | None:
        """A string key, or None."""
        value = self.keys.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        """An integer key of the architecture (`block_count` is `llama.block_count`), or None."""
        value = self.keys.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) else None

    @property
    def architecture(self) -> str:
        """`general.architecture`."""
        return self.text("general.architecture") or "unknown"

    @property
    def quantization(self) -> str:
        """The file type's name, e.g. `Q4_K_M`."""
        kind = self.keys.get("general.file_type")
        return _FILE_TYPES.get(kind, f"type {kind}") if isinstance(kind, int) else "unknown"

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of an f16 KV cache for one token of context."""
        layers, heads = self.number("block_count") or 0, self.number("attention.head_count") or 1
        width = (self.number("embedding_length") or 0) // heads
        key = self.number("attention.key_length") or width
        value = self.number("attention.value_length") or width
        kv = self.keys.get(f"{self.architecture}.attention.head_count_kv")
        per_layer = [each for each in kv if isinstance(each, int)] if isinstance(kv, list) else None
        kv_heads = sum(per_layer) if per_layer else layers * (kv if isinstance(kv, int) else heads)
        return kv_heads * (key + value) * 2


def read(path: Path) -> Gguf:
    """The header of a file. Raises GgufError, OSError."""
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(data).header()
        except (struct.error, ValueError, OverflowError, UnicodeDecodeError) as error:
            raise GgufError(f"{path.name} is not a readable GGUF file: {error}") from error


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at = data, 0

    def header(self) -> Gguf:
        if self._data[:4] != b"GGUF":
            raise GgufError("no GGUF magic")
        self._at = 4
        version = self._scalar("I")
        if version not in (2, 3):
            raise GgufError(f"version {version}")
        tensors, keys = self._count(), self._count()
        found = {}
        for _ in range(keys):
            name = self._string()
            found[name] = self._value(int(self._scalar("I")))
        return Gguf(found, sum(self._tensor() for _ in range(tensors)))

    def _tensor(self) -> int:
        """Skip one tensor's entry; answers its number of elements."""
        self._string()
        dimensions = int(self._scalar("I"))
        if dimensions > 8:
            raise GgufError("a tensor with too many dimensions")
        sizes = [int(self._scalar("Q")) for _ in range(dimensions)]
        self._at += 4 + 8  # type, offset
        return math.prod(sizes)

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise GgufError(f"a value of unknown type {kind}")
        return self._scalar(_SCALARS[kind])

    def _array(self) -> list[object] | None:
        """An array's values; None for a long one, which is skipped."""
        kind, length = int(self._scalar("I")), self._count()
        if length <= _KEPT_ARRAY:
            return [self._value(kind) for _ in range(length)]
        if kind in _SCALARS:
            self._at += length * struct.calcsize(f"<{_SCALARS[kind]}")
        elif kind == _STRING:
            for _ in range(length):
                self._at += 8 + struct.unpack_from("<Q", self._data, self._at)[0]
        else:
            raise GgufError("a long array of arrays")
        return None

    def _count(self) -> int:
        count = int(self._scalar("Q"))
        if count > _MAX_COUNT:
            raise GgufError(f"a count of {count}")
        return count

    def _scalar(self, code: str) -> int | float:
        (value,) = struct.unpack_from(f"<{code}", self._data, self._at)
        self._at += struct.calcsize(f"<{code}")
        return value  # type: ignore[no-any-return]  # struct is untyped

    def _string(self) -> str:
        length = int(self._scalar("Q"))
        end = self._at + length
        if end > len(self._data):
            raise GgufError("a string beyond the end of the file")
        text = self._data[self._at : end].decode("utf-8", "replace")
        self._at = end
        return text
