"""The log of one load by each of eight llama.cpp builds, and five measuring passes for large models."""

from pathlib import Path

import pytest

from lmdeck.evidence.allocation import AllocationReader, claims
from lmdeck.model.allocation import Allocation
from lmdeck.model.context import Claim
from lmdeck.model.log import RuntimeLine, ServerLine

DATA = Path(__file__).parent / "data"
SYNTH = "synth-{}-c32768-p4-{}-faon-f16-ub512.log"
PREFIXES = {
    "plain": "{}",
    "stamped": "0.02.187.708 I {}",
    "server log": "[2026-04-17 18:32:17][DEBUG] {}",
    "server log, both": "[2026-04-17 18:32:17][DEBUG] 0.02.187.708 I {}",
    "two lines": "2025-07-22 01:19:15 [DEBUG]\n {}",
    "router": "[42027] 0.00.094.919 I {}",
    "coloured": "\x1b[34m0.00.094.919\x1b[0m \x1b[32mI \x1b[0m{}\x1b[0m",
    "runtime as text": "[DEBUG] llama.cpp-linux-x86_64@2.3.0 (llama.cpp) gemma-3 pid=6416 {}",
}


def lines(name: str) -> list[str]:
    return (DATA / name).read_text(encoding="utf-8").splitlines()


def read(texts: list[str], batch: int = 1) -> Allocation:
    reader = AllocationReader()
    told: list[Allocation] = []
    for start in range(0, len(texts), batch):
        told += reader.feed(RuntimeLine(1.0, text, pid=7) for text in texts[start : start + batch])
    return told[-1]


def mib(size: int | None) -> float | None:
    return None if size is None else round(size / 2**20, 2)


def shape(found: Allocation) -> tuple[object, ...]:
    sizes = (found.weights_bytes, found.kv_bytes, found.recurrent_bytes, found.compute_bytes, found.output_bytes)
    context = (found.n_ctx, found.n_ctx_seq, found.slot_context, found.slots, found.unified, found.train_context)
    return *context, found.flash_attention, found.build, *map(mib, sizes)


SPLIT = (8192, 2048, 2048, 4, False, 32768, True)
WHOLE = (32768, 32768, None, 4, True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "b4798-2025-03.log",
            (8192, 2048, 2048, 4, None, 8192, True, 4798, 92.10, 180.0, None, 97.12, 0.75),
        ),
        (
            "b5671-2025-06.log",
            (8192, 2048, 2048, 4, None, 32768, True, 5671, 247.82, 61.5, None, 513.25, 4.0),
        ),
        ("b6123-2025-08.log", (*SPLIT, 6123, 247.82, 84.0, None, 519.02, 4.0)),
        ("b6900-2025-11.log", (*SPLIT, 6900, 247.82, 84.0, None, 519.02, 4.0)),
        ("b7710-2026-01.log", (*SPLIT, 7710, 235.17, 84.0, None, 519.02, 4.0)),
        ("b8929-2026-04.log", (*SPLIT, None, 247.82, 84.0, None, 520.27, 4.0)),
        ("b9873-2026-07.log", (*SPLIT, None, 247.82, 84.0, None, 20.77, 4.0)),
        ("b11549-2026-10.log", (*SPLIT, None, 247.82, 84.0, None, 21.28, 4.0)),
        (
            SYNTH.format("b11549-glm-4.7-flash", "u1"),
            (*WHOLE, 202752, None, None, None, 1692.0, None, 112.01, 2.36),
        ),
        (
            SYNTH.format("b11549-nemotron-3-nano", "u1"),
            (*WHOLE, 1048576, None, None, None, 192.0, 190.47, 118.95, 2.0),
        ),
        (
            SYNTH.format("b11549-qwen3-coder-next", "u1"),
            (*WHOLE, 262144, None, None, None, 768.0, 301.5, 122.02, 2.32),
        ),
        (
            SYNTH.format("b7710-glm-4.7-flash", "u1"),
            (*WHOLE, 202752, None, None, None, 3196.0, None, 330.88, 2.36),
        ),
        (
            SYNTH.format("b7710-qwen3-coder-next", "u0"),
            (32768, 8192, None, 4, False, 262144, None, None, None, 3072.0, 301.5, 308.78, 2.32),
        ),
    ],
)
def test_every_build_is_read(name: str, expected: tuple[object, ...]) -> None:
    assert shape(read(lines(name))) == expected
    assert shape(read(lines(name), batch=7)) == expected


def test_all_logs_are_replayed() -> None:
    assert len(list(DATA.glob("*.log"))) == 13


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=list(PREFIXES))
@pytest.mark.parametrize("name", ["b7710-2026-01.log", "b11549-2026-10.log"])
def test_every_prefix_comes_off(name: str, prefix: str) -> None:
    bare = [line.split(" I ", 1)[-1] for line in lines(name)]
    assert shape(read([prefix.format(line) for line in bare])) == shape(read(bare))


@pytest.mark.parametrize("name", ["b6900-2025-11.log", "b8929-2026-04.log"])
def test_the_trace_may_come_in_the_server_log_many_lines_an_entry(name: str) -> None:
    texts = lines(name)
    parts = [texts[start : start + 5] for start in range(0, len(texts), 5)]
    entries = [ServerLine(2.0, "2025-07-22 01:19:15 [DEBUG]\n " + "\n".join(part)) for part in parts]
    (found,) = AllocationReader().feed(entries)
    assert shape(found) == shape(read(texts))
    assert (found.pid, found.instance_id, found.at) == (None, None, 2.0)


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("b*.log")))
def test_the_same_load_again_gives_the_same_and_no_sums(name: str) -> None:
    once = read(lines(name))
    assert shape(read(lines(name) * 3)) == shape(once)


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("b*.log")))
def test_a_cpu_build_has_nothing_on_a_gpu(name: str) -> None:
    found = read(lines(name))
    assert found.gpu_bytes == 0
    parts = (found.weights_bytes, found.kv_bytes, found.compute_bytes, found.output_bytes)
    assert found.host_bytes == pytest.approx(sum(part or 0 for part in parts), abs=2**20 * 0.02)
    assert claims(found) in (Claim(2048, "runtime log: n_ctx_seq"), Claim(2048, "runtime log: slot context"))
