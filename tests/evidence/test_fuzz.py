"""Nothing that can stand in a log makes the readers fail, loop or grow."""

# ruff: noqa: E501  (log lines are quoted as they come)

import random
from pathlib import Path

import pytest

from lmdeck.evidence.allocation import MOST_STREAMS, AllocationReader, claims
from lmdeck.evidence.causes import find_cause
from lmdeck.evidence.exits import exit_words, exit_words_in
from lmdeck.evidence.lines import MOST_LINES, body, plain_lines
from lmdeck.evidence.server_log import facts
from lmdeck.model.log import RuntimeLine, ServerLine

SEEDS = range(8)
REAL = [
    line for file in sorted((Path(__file__).parent / "data").glob("*.log")) for line in file.read_text().splitlines()
]
OTHERS = [
    '[2026-04-17 18:32:17][DEBUG] Received request: POST to /api/v1/models/load with body {"model": "a", "context_length": 9}',
    "[context_fit][INFO]: Model context auto-fit: family=gemma4 max=262,144 fitted=4,096",
    "[cache_store][INFO]: VLM prompt cache context target: configured=200,000 fitted=152,576",
    "[42027] 0.00.094.919 I ggml_backend_cuda_buffer_type_alloc_buffer: allocating 1.5 MiB on device 0: cudaMalloc failed: "
    "out of memory",
    "The model 'a' has crashed without additional information. (Exit code: 18446744072635812000)",
    "[DEBUG] mlx-llm@1.10.1 (mlx-llm) qwen pid=6416 [context_fit][INFO]: x",
    "\x1b[31mllama_model_load: error loading model: unknown model architecture: '\x1b[0m",
]  # fmt: skip


def noise(rng: random.Random, length: int) -> str:
    raw = bytes(rng.randrange(256) for _ in range(length))
    return raw.decode(*rng.choice([("latin-1", "strict"), ("utf-8", "surrogateescape"), ("utf-16-le", "replace")]))


def spliced(rng: random.Random) -> str:
    """Pieces of real lines, cut anywhere, with noise and huge numbers between."""
    parts = []
    for _ in range(rng.randrange(1, 5)):
        line = rng.choice(REAL + OTHERS)
        start, end = sorted((rng.randrange(len(line) + 1), rng.randrange(len(line) + 1)))
        parts += [line[start:end], rng.choice(["", "\n", " ", "9" * rng.randrange(30), noise(rng, rng.randrange(12))])]
    return "".join(parts)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_text_is_too_strange(seed: int) -> None:
    rng = random.Random(seed)
    reader = AllocationReader()
    texts = [noise(rng, rng.randrange(200)) if rng.random() < 0.3 else spliced(rng) for _ in range(1000)]
    for text in texts:
        pid = rng.choice([None, 1, rng.randrange(10**6)])
        for entry in (RuntimeLine(1.0, text, instance_id=rng.choice([None, "a"]), pid=pid), ServerLine(1.0, text)):
            for allocation in reader.feed([entry]):
                claim = claims(allocation)
                assert claim is None or 0 < claim.tokens < 10**15
            for fact in facts(entry):
                assert len(fact.line) <= 1000
        exit_words_in(text)
        exit_words(text)
        cause = find_cause([text])
        assert cause is None or len(cause.line) <= 300
    find_cause(texts)
    assert len(reader._streams) <= MOST_STREAMS


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        " " * 200_000,
        "\n" * 200_000,
        "a" * 200_000 + "@",
        "x@y (z) " * 20_000,
        "[1] " * 50_000,
        "[2026-04-17 18:32:17]" * 20_000,
        "\x1b[" * 100_000,
        "llama_context: n_ctx = 512\n" * 50_000,
        "Model " + "unloaded ('" * 20_000,
        "Failed to load " + "(" * 100_000,
        "failed to allocate " * 20_000,
        "exit code " * 50_000,
        'Received request: POST to /v1/responses with body {"model": "' + "\\" * 100_000,
        "Received request: POST to /v1/responses with body " + '{"a":' * 100_000,
    ],
    ids=range(15),
)
def test_long_and_repetitive_entries_cost_little(text: str) -> None:
    """No pattern backtracks without bounds: this would take minutes if one did."""
    AllocationReader().feed([ServerLine(1.0, text), RuntimeLine(1.0, text, pid=1)])
    assert all(len(fact.subject) <= 200 for fact in facts(ServerLine(1.0, text)))
    assert find_cause([text]) is None
    assert exit_words_in(text) is None
    assert sum(1 for _ in plain_lines(text)) <= MOST_LINES
    assert len(body(text)) <= 65_536
