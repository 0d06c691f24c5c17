"""What the catalogue makes of a GGUF file, and the models folder it is found in."""

import os
from pathlib import Path

import pytest

from lmdeck.demo.engines import shelf
from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.engines.gguf_model import describe
from lmdeck.demo.engines.shelf import shelve
from lmdeck.estimate.gguf import read_header


@pytest.fixture(scope="module")
def smollm():
    file = find_model(None)
    assert file is not None
    return file


def test_the_real_header_is_told_truthfully(smollm):
    chat, embedding = describe(smollm, read_header(smollm))
    assert (chat.key, chat.architecture, chat.quantization) == ("smollm2-135m-instruct", "llama", "Q4_1")
    assert (chat.params, chat.max_context_length, chat.layers) == ("135M", 8192, 30)
    assert chat.kv_bytes_per_token == 30 * 3 * (64 + 64) * 2  # llama.cpp allocates 90 MiB for 4096 tokens
    assert chat.size_bytes == smollm.stat().st_size
    assert not chat.tools
    assert (embedding.key, embedding.type) == ("text-embedding-smollm2-135m", "embedding")


def model_file(folder: Path, name: str = "one.gguf") -> Path:
    file = folder / name
    file.write_bytes(b"GGUF")
    return file


def test_a_file_is_found_below_the_models_folder_and_stays_where_it_is(tmp_path):
    file = model_file(tmp_path)
    folder, path = shelve(file, tmp_path / "models", "maker/one-GGUF/one.gguf")
    assert (folder, path) == (tmp_path / "models", "maker/one-GGUF/one.gguf")
    assert (folder / path).read_bytes() == b"GGUF"
    (folder / path).unlink()
    assert file.exists()


def test_all_parts_of_a_split_model_are_there(tmp_path):
    parts = [model_file(tmp_path, f"m-0000{n}-of-00002.gguf") for n in (1, 2)]
    folder, _ = shelve(parts[0], tmp_path / "models", f"maker/m/{parts[0].name}")
    assert sorted(file.name for file in (folder / "maker/m").iterdir()) == [part.name for part in parts]


def test_without_symbolic_links_hard_ones_and_without_any_the_files_own_folder(tmp_path, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise OSError("not permitted")

    file = model_file(tmp_path)
    monkeypatch.setattr(shelf.Path, "symlink_to", refuse)
    folder, path = shelve(file, tmp_path / "models", "maker/one/one.gguf")
    assert (folder / path).samefile(file)
    assert not (folder / path).is_symlink()
    monkeypatch.setattr(os, "link", refuse)
    assert shelve(file, tmp_path / "other", "maker/one/one.gguf") == (tmp_path.resolve(), "one.gguf")
