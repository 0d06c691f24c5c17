"""GGUF files for tests: a real header and tensor table, and no data: the file is only as long as it claims to be."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lmdeck.estimate.ggml import tensor_bytes

F32, Q5_0, Q8_0, Q4_K, Q6_K, Q4_0 = 0, 6, 8, 12, 14, 2
TensorSpec = tuple[str, tuple[int, ...], int]


@dataclass(frozen=True)
class Texts:
    """An array of `count` short strings."""

    count: int


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(item: object) -> bytes:
    """A typed value: bool, int (u32, or u64 if it is larger), float, str, a list of them, or `Texts`."""
    match item:
        case bool():
            return struct.pack("<I?", 7, item)
        case int():
            return struct.pack("<II", 4, item) if item < 2**32 else struct.pack("<IQ", 10, item)
        case float():
            return struct.pack("<If", 6, item)
        case str():
            return struct.pack("<I", 8) + text(item)
        case Texts():
            return struct.pack("<IIQ", 9, 8, item.count) + b"".join(text(f"t{n}") for n in range(item.count))
        case [*items]:
            kind = value(items[0])[:4]
            return struct.pack("<I", 9) + kind + struct.pack("<Q", len(items)) + b"".join(value(i)[4:] for i in items)
    raise TypeError(type(item))


def header(keys: Mapping[str, object], tensors: Iterable[TensorSpec] = ()) -> tuple[bytes, int]:
    """The bytes before the data, and the length of the data."""
    table, offset, count = b"", 0, 0
    for name, shape, kind in tensors:
        table += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        offset += -(-(tensor_bytes(kind, shape) or 0) // 32) * 32
        count += 1
    pairs = b"".join(text(name) + value(item) for name, item in keys.items())
    raw = b"GGUF" + struct.pack("<IQQ", 3, count, len(keys)) + pairs + table
    return raw + bytes(-len(raw) % 32), offset


def write_sparse(path: Path, keys: Mapping[str, object], tensors: Iterable[TensorSpec] = ()) -> Path:
    """Write such a file; tens of GB long, some MB on the disk."""
    raw, size = header(keys, tensors)
    with path.open("wb") as file:
        file.write(raw)
        file.truncate(len(raw) + size)
    return path
