"""The header reader: what it keeps, what it skips, how fast, and what it refuses."""

from __future__ import annotations

import os
import random
import struct
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from gguf_writer import F32, Q4_0, Texts, header, text, value, write_sparse

from lmdeck.estimate.gguf import Header, NotGGUF, Tensor, read_header
from lmdeck.estimate.memory import estimate
from lmdeck.model.estimate import Ask, Estimate, Unknown


def raw(folder: Path, *parts: bytes) -> Path:
    path = folder / "raw.gguf"
    path.write_bytes(b"GGUF" + b"".join(parts))
    return path


def test_values_and_tensors(tmp_path: Path) -> None:
    keys = {"a": 7, "b": 2**40, "c": True, "d": "text", "e": 0.5, "f": [1, 2], "g": ["x", "y"], "h": Texts(500)}
    got = read_header(
        write_sparse(tmp_path / "m.gguf", keys, [("t", (64, 3), Q4_0), ("u", (5,), F32), ("v", (9,), 99)])
    )
    assert dict(got.keys) == {"a": 7, "b": 2**40, "c": True, "d": "text", "e": 0.5, "f": (1, 2), "g": ("x", "y")}
    assert dict(got.array_lengths) == {"f": 2, "g": 2, "h": 500}
    assert got.tensors == (Tensor("t", (64, 3), Q4_0, 108), Tensor("u", (5,), F32, 20), Tensor("v", (9,), 99, None))
    assert got.complete
    assert got.parameters == 64 * 3 + 5 + 9


def test_the_vocabulary_is_counted_by_its_list_its_key_or_the_embeddings(tmp_path: Path) -> None:
    base = {"general.architecture": "llama"}
    rows = [("token_embd.weight", (32, 11), Q4_0)]
    for extra, tensors, size in (
        ({"tokenizer.ggml.tokens": Texts(70), "llama.vocab_size": 9}, rows, 70),
        ({"llama.vocab_size": 9}, rows, 9),
        ({}, rows, 11),
        ({}, [], 0),
    ):
        assert read_header(write_sparse(tmp_path / f"{size}.gguf", base | extra, tensors)).vocabulary == size


def test_a_large_vocabulary_takes_less_than_150_ms(tmp_path: Path) -> None:
    keys = {"tokenizer.ggml.tokens": Texts(152_000), "tokenizer.ggml.merges": Texts(152_000)}
    times = []
    for n in range(3):
        path = write_sparse(tmp_path / f"{n}.gguf", keys, [("t", (2**20, 2**14), Q4_0)])
        start = time.perf_counter()
        assert read_header(path).array_lengths["tokenizer.ggml.tokens"] == 152_000
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15


def test_a_header_is_read_again_only_when_the_file_changes(tmp_path: Path) -> None:
    path = write_sparse(tmp_path / "m.gguf", {"a": 1})
    first = read_header(path)
    assert read_header(path) is first
    write_sparse(path, {"a": 2})
    os.utime(path, ns=(1, 1))
    assert read_header(path).keys["a"] == 2


def test_a_split_model(tmp_path: Path) -> None:
    first = write_sparse(tmp_path / "m-00001-of-00002.gguf", {"a": 1}, [("t", (32,), Q4_0)])
    with pytest.raises(NotGGUF, match="missing: m-00002-of-00002"):
        read_header(first)
    second = write_sparse(tmp_path / "m-00002-of-00002.gguf", {"a": 2, "split.no": 1}, [("u", (64,), Q4_0)])
    for path in (first, second):
        got = read_header(path)
        assert dict(got.keys) == {"a": 1}
        assert [tensor.name for tensor in got.tensors] == ["t", "u"]
    second.write_bytes(second.read_bytes()[:-29])  # 36 bytes of data are padded to 64
    assert not read_header(first).complete


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([struct.pack("<IQQ", 1, 0, 0)], "version 1"),
        ([struct.pack(">IQQ", 3, 0, 0)], "version"),
        ([struct.pack("<IQQ", 3, 2**60, 0)], "tensors"),
        ([struct.pack("<IQQ", 3, 0, 2**60)], "keys"),
        ([struct.pack("<IQQ", 3, 0, 1), struct.pack("<Q", 2**63)], "name"),
        ([struct.pack("<IQQ", 3, 0, 1), text("k"), struct.pack("<IQ", 8, 2**63)], "beyond"),
        ([struct.pack("<IQQ", 3, 0, 1), text("k"), struct.pack("<IIQ", 9, 4, 2**62)], "beyond"),
        ([struct.pack("<IQQ", 3, 0, 1), text("k"), struct.pack("<IIQ", 9, 8, 2**62)], "texts"),
        ([struct.pack("<IQQ", 3, 0, 1), text("k"), struct.pack("<IIQ", 9, 9, 1)], "unknown type 9"),
        ([struct.pack("<IQQ", 3, 0, 1), text("k"), struct.pack("<I", 77)], "unknown type 77"),
        ([struct.pack("<IQQ", 3, 1, 0), text("t"), struct.pack("<I", 5)], "dimensions"),
        ([struct.pack("<IQQ", 3, 1, 0), text("t"), struct.pack("<I", 1)], "ends"),
        ([], "ends"),
    ],
)
def test_lengths_that_lie(parts: list[bytes], reason: str, tmp_path: Path) -> None:
    with pytest.raises(NotGGUF, match=reason):
        read_header(raw(tmp_path, *parts))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows would fill the disk with the 100 GB hole")
def test_a_huge_hole_is_not_walked(tmp_path: Path) -> None:
    """100 GB of zeros would be billions of empty strings."""
    lied = struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 10**10)
    path = raw(tmp_path, lied)
    os.truncate(path, 10**11)
    start = time.perf_counter()
    with pytest.raises(NotGGUF, match="texts"):
        read_header(path)
    assert time.perf_counter() - start < 1


def test_what_is_kept_in_memory_is_bounded(tmp_path: Path) -> None:
    """Texts of just under a MiB: each may be kept, not all."""
    one = text("k") + value("x" * (2**20 - 1))
    path = raw(tmp_path, struct.pack("<IQQ", 3, 0, 30), one * 30)
    tracemalloc.start()
    with pytest.raises(NotGGUF, match="unreasonable"):
        read_header(path)
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_text_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    got = read_header(write_sparse(tmp_path / "m.gguf", {"long": "x" * (2**20 + 1), "after": 1}))
    assert dict(got.keys) == {"after": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no named pipes in folders")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.gguf")
    with pytest.raises(NotGGUF):
        read_header(tmp_path / "m.gguf")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_header(tmp_path / "m.gguf")
    (tmp_path / "empty.gguf").touch()
    with pytest.raises(NotGGUF):
        read_header(tmp_path / "empty.gguf")


def _real_header(smollm2_file: Path) -> bytes:
    with smollm2_file.open("rb") as file:
        return file.read(1_800_000)


def _small_header() -> bytes:
    keys = {
        "general.architecture": "gemma3", "gemma3.block_count": 4, "gemma3.context_length": 4096,
        "gemma3.embedding_length": 64, "gemma3.feed_forward_length": 128, "gemma3.attention.head_count": 4,
        "gemma3.attention.head_count_kv": [1, 2, 1, 2], "gemma3.attention.sliding_window": 512,
        "tokenizer.ggml.tokens": Texts(100), "general.languages": ["en", "de"],
    }  # fmt: skip
    return header(keys, [(f"blk.{n}.ffn_up.weight", (64, 128), Q4_0) for n in range(4)])[0]


def _mutate(draw: random.Random, whole: bytes) -> bytes:
    """A few bytes changed, numbers of 64 bits that lie, a cut, or a piece of the file somewhere else."""
    broken = bytearray(whole)
    for _ in range(draw.randint(1, 3)):
        at, kind = draw.randrange(len(broken)), draw.randrange(4)
        if kind == 0:
            broken[at] = draw.randrange(256)
        elif kind == 1:
            broken[at : at + 8] = struct.pack("<Q", draw.choice((0, 1, 2**31, 2**32, 2**63, 2**64 - 1)))
        elif kind == 2:
            del broken[max(at, 8) :]
        else:
            broken[at : at + 16] = whole[draw.randrange(len(whole)) :][:16]
        if not broken:
            break
    return bytes(broken)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_headers_are_a_header_or_refused(seed: int, smollm2_file: Path, tmp_path: Path) -> None:
    """Whatever is broken: NotGGUF or a Header, in bounded time and memory, and then an estimate or Unknown."""
    draw, real, small = random.Random(seed), _real_header(smollm2_file), _small_header()
    path = tmp_path / "m.gguf"
    accepted = refused = 0
    tracemalloc.start()
    for n in range(160):
        source = real if n % 10 == 0 else small
        path.write_bytes(_mutate(draw, source))
        start = time.perf_counter()
        try:
            found = read_header(path)
        except NotGGUF:
            refused += 1
        else:
            accepted += 1
            assert isinstance(found, Header)
            assert isinstance(estimate(replace(found, complete=True), Ask()), Estimate | Unknown)
        assert time.perf_counter() - start < 3  # tracing slows it down
    assert tracemalloc.get_traced_memory()[1] < 100 << 20
    tracemalloc.stop()
    assert min(accepted, refused) > 10  # both happen


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = _small_header().rstrip(b"\0")
    path = tmp_path / "m.gguf"
    for end in range(0, len(whole) - 12, 3):
        path.write_bytes(whole[:end])
        with pytest.raises(NotGGUF):
            read_header(path)


def test_the_writer_writes_what_the_format_says() -> None:
    assert value(True) == b"\x07\0\0\0\x01"
    assert value([1]) == b"\x09\0\0\0\x04\0\0\0" + struct.pack("<QI", 1, 1)
