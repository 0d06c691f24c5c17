"""The GGUF header reader, on the real model and on broken files."""

import struct

import pytest

from lmdeck.demo import gguf
from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.engines.llama import describe


@pytest.fixture(scope="module")
def smollm():
    file = find_model(None)
    assert file is not None
    return file


def test_the_real_header_is_told_truthfully(smollm):
    chat, embedding = describe(smollm, gguf.read(smollm))
    assert (chat.key, chat.architecture, chat.quantization) == ("smollm2-135m-instruct", "llama", "Q4_1")
    assert (chat.params, chat.max_context_length, chat.layers) == ("135M", 8192, 30)
    assert chat.kv_bytes_per_token == 30 * 3 * (64 + 64) * 2  # llama.cpp allocates 90 MiB for 4096 tokens
    assert chat.size_bytes == smollm.stat().st_size
    assert not chat.tools
    assert (embedding.key, embedding.type) == ("text-embedding-smollm2-135m", "embedding")


@pytest.mark.parametrize("size", [0, 3, 4, 20, 100, 5000, 100_000])
def test_a_truncated_header_is_an_error(smollm, tmp_path, size):
    with smollm.open("rb") as file:
        head = file.read(size)
    short = tmp_path / "short.gguf"
    short.write_bytes(head)
    with pytest.raises(gguf.GgufError):
        gguf.read(short)


@pytest.mark.parametrize(
    "body",
    [
        struct.pack("<IQQ", 9, 0, 0),  # a version from the future
        struct.pack("<IQQ", 3, 0, 2**60),  # more keys than any file has
        struct.pack("<IQQQ", 3, 0, 1, 2**63),  # a string beyond the end
        struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<I", 99),  # a type nobody knows
        struct.pack("<IQQQ", 3, 1, 0, 1) + b"t" + struct.pack("<I", 2**31),  # a tensor of too many dimensions
    ],
)
def test_a_hostile_header_is_an_error(tmp_path, body):
    file = tmp_path / "hostile.gguf"
    file.write_bytes(b"GGUF" + body)
    with pytest.raises(gguf.GgufError):
        gguf.read(file)


def test_values_of_every_kind_are_read(tmp_path):
    def key(name: str, kind: int, value: bytes) -> bytes:
        return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", kind) + value

    arch = struct.pack("<Q", 5) + b"qwen2"
    keys = [
        key("general.architecture", 8, arch),
        key("general.file_type", 4, struct.pack("<I", 15)),
        key("qwen2.block_count", 4, struct.pack("<I", 2)),
        key("qwen2.attention.head_count", 4, struct.pack("<I", 4)),
        key("qwen2.embedding_length", 4, struct.pack("<I", 64)),
        key("qwen2.attention.head_count_kv", 9, struct.pack("<IQ2i", 5, 2, 1, 3)),
        key("long", 9, struct.pack("<IQ", 0, 2000) + bytes(2000)),
        key("flag", 7, b"\x01"),
    ]
    tensor = struct.pack("<Q", 1) + b"w" + struct.pack("<IQQIQ", 2, 3, 5, 0, 0)
    file = tmp_path / "made.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys)) + b"".join(keys) + tensor)
    header = gguf.read(file)
    assert (header.architecture, header.quantization, header.parameters) == ("qwen2", "Q4_K_M", 15)
    assert header.kv_bytes_per_token == (1 + 3) * (16 + 16) * 2
    assert header.keys["long"] is None
    assert header.keys["flag"] is True
