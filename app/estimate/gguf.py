"""A GGUF file's header: its keys and its table of tensors, read without touching the tensors.

Layout (versions 2 and 3, little-endian): magic, version, tensor count, key count; then the keys, each with a typed
value; then for each tensor its name, dimensions, type and offset. Specification: ggml-org/ggml docs/gguf.md.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType

from lmdeck.estimate.ggml import tensor_bytes
from lmdeck.estimate.gguf_stream import NotGGUF, Scalar, Stream, Value

__all__ = ["Header", "NotGGUF", "Scalar", "Tensor", "Value", "read_header"]

_MAX_KEYS = 65_536
_MAX_TENSORS = 65_536
_MAX_SHARDS = 512
_MAX_NAME = 65_535
_SHARD = re.compile(r"(?P<stem>.+)-(?P<index>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as the table has it. `shape` starts with the row's length; `bytes` is None for an unknown type."""

    name: str
    shape: tuple[int, ...]
    type: int
    bytes: int | None


@dataclass(frozen=True)
class Header:
    """A model's header. Of a split model: the keys of its first file, the tensors of all."""

    keys: Mapping[str, Value]
    """Long texts and long arrays (vocabularies) are left out."""
    array_lengths: Mapping[str, int]
    """The length of every array, the skipped ones included."""
    tensors: tuple[Tensor, ...]
    complete: bool
    """Every file is as long as its tensor table needs."""

    @property
    def architecture(self) -> str:
        """`general.architecture`, or an empty string."""
        return self.text("general.architecture") or ""

    def text(self, key: str) -> str | None:
        """A string key, or None."""
        value = self.keys.get(key)
        return value if isinstance(value, str) else None

    def own(self, name: str) -> Value | None:
        """A key of the architecture: `own("block_count")` is `llama.block_count`."""
        return self.keys.get(f"{self.architecture}.{name}")

    @cached_property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    @cached_property
    def vocabulary(self) -> int:
        """Tokens in the vocabulary, by its list, else by its key, else by the embedding's rows; 0 if there is none."""
        listed, key = self.array_lengths.get("tokenizer.ggml.tokens", 0), self.own("vocab_size")
        if listed or (isinstance(key, int) and key > 0):
            return listed or int(key)  # type: ignore[arg-type]  # narrowed by the line above
        return next((t.shape[1] for t in self.tensors if t.name == "token_embd.weight" and len(t.shape) > 1), 0)


def read_header(path: Path) -> Header:
    """The header of a model file; of a split model (`…-00001-of-00003.gguf`) any of its files may be given. Cached
    until a file's size or time changes. Raises NotGGUF for whatever is wrong with the content, a missing shard
    included; OSError where `path` itself cannot be read."""
    files = shards(path)
    return _read(files, tuple(_stamp(file, path) for file in files))


def shards(path: Path) -> tuple[Path, ...]:
    """All files of the model that `path` belongs to, by their names, in order."""
    if (match := _SHARD.fullmatch(path.name)) is None:
        return (path,)
    count = int(match["count"])
    if not 1 <= count <= _MAX_SHARDS:
        raise NotGGUF(f"a model in {count} files")
    return tuple(path.with_name(f"{match['stem']}-{n:05}-of-{match['count']}.gguf") for n in range(1, count + 1))


def _stamp(file: Path, asked: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except FileNotFoundError as error:
        if file == asked:
            raise
        raise NotGGUF(f"a part of the model is missing: {file.name}") from error
    if not stat.S_ISREG(status.st_mode):
        raise NotGGUF(f"{file.name} is no file")  # opening a pipe would wait for ever
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=128)
def _read(files: tuple[Path, ...], stamps: tuple[tuple[int, int], ...]) -> Header:
    """`stamps` are part of the cache's key only."""
    first, *others = (_named(file) for file in files)
    tensors = sum((part.tensors for part in others), first.tensors)
    if len(tensors) > _MAX_TENSORS:
        raise NotGGUF(f"{len(tensors)} tensors")
    return Header(first.keys, first.array_lengths, tensors, first.complete and all(part.complete for part in others))


def _named(path: Path) -> Header:
    """`_read_file`, where an error says which file it is."""
    try:
        return _read_file(path)
    except NotGGUF as error:
        raise NotGGUF(f"{path.name}: {error}") from None


def _read_file(path: Path) -> Header:
    with path.open("rb") as file:
        stream = Stream(file, path.stat().st_size)
        if stream.take(4) != b"GGUF":
            raise NotGGUF("it does not start as a GGUF file does")
        if (version := stream.number("I")) not in (2, 3):
            raise NotGGUF(f"GGUF version {version} is not supported")
        tensor_count, key_count = stream.count(_MAX_TENSORS, "tensors"), stream.count(_MAX_KEYS, "keys")
        keys: dict[str, Value] = {}
        lengths: dict[str, int] = {}
        for _ in range(key_count):
            name = stream.name(_MAX_NAME)
            value, length = stream.value()
            if value is not None:
                keys[name] = value
            if length is not None:
                lengths[name] = length
        entries = tuple(_entries(stream, tensor_count))
        end = max((offset + (tensor.bytes or 0) for tensor, offset in entries), default=0)
        complete = _aligned(stream.position, keys.get("general.alignment")) + end <= stream.size or not entries
    return Header(MappingProxyType(keys), MappingProxyType(lengths), tuple(tensor for tensor, _ in entries), complete)


def _aligned(position: int, alignment: Value | None) -> int:
    """Where the data starts: the header is padded to 32 bytes, or as a key says."""
    step = alignment if isinstance(alignment, int) and 0 < alignment <= 65_536 else 32
    return -(-position // step) * step


def _entries(stream: Stream, count: int) -> Iterator[tuple[Tensor, int]]:
    """The tensors, each with its offset in the data that follows the header."""
    for _ in range(count):
        name = stream.name(_MAX_NAME)
        if (dimensions := stream.number("I")) > 4:  # GGML_MAX_DIMS
            raise NotGGUF(f"a tensor with {dimensions} dimensions")
        shape = tuple(stream.number("Q") for _ in range(dimensions))
        kind, offset = stream.number("I"), stream.number("Q")
        yield Tensor(name, shape, kind, tensor_bytes(kind, shape)), offset
