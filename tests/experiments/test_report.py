"""A benchmark's result as files."""

import json
from dataclasses import replace

import pytest

from lmdeck.experiments.report import as_json, as_markdown, conclusion, export_name, write_report
from lmdeck.model.experiment import BenchLevel, BenchResult

LEVELS = (
    BenchLevel(1, 1, 1.5, 64, 42.67, (45.0,), (0.1,)),
    BenchLevel(4, 2, 3.0, 192, 64.0, (30.0, 31.0, 32.0), (0.1, 0.2, 0.9), 1, "429: too busy | `x`\n# no"),
)
RESULT = BenchResult("qwen/qwen3:2", 4, 52, 64, LEVELS, 4, 1795519185.4)


def test_markdown_is_one_table_with_the_conclusion():
    text = as_markdown(RESULT)
    assert text.startswith("# Benchmark of `qwen/qwen3:2`\n\n2026-11-24 11:19:45 UTC, slots: 4, prompt: 52 tokens")
    assert "| 4 | 2 | 192 | 3.00 | 64.0 | 31.0 | 0.20 | 1 |" in text
    assert "- 4 at once: `429: too busy | 'x' # no`" in text
    assert text.endswith(f"\n\n{conclusion(RESULT)}\n")


def test_markdown_of_what_is_not_known():
    text = as_markdown(BenchResult("m", None, None, 64, (BenchLevel(1, 0, 1.0, 0, 0.0, (), (), 1),), None, 0.0))
    assert "slots: –, prompt: – tokens" in text
    assert "| 1 | 0 | 0 | 1.00 | 0.0 | – | – | 1 |" in text


def test_json_has_a_schema_and_every_number():
    record = json.loads(as_json(RESULT))
    assert record["schema"] == "lmdeck.bench/1"
    assert record["at"] == "2026-11-24T11:19:45Z"
    assert (record["effective_concurrency"], record["slots"]) == (4, 4)
    assert record["levels"][1] == {
        "concurrency": 4, "together": 2, "wall_s": 3.0, "tokens": 192, "tokens_per_second": 64.0,
        "each_tokens_per_second": [30.0, 31.0, 32.0], "ttft_s": [0.1, 0.2, 0.9], "failed": 1,
        "refusal": "429: too busy | `x`\n# no",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("instance", "stem"),
    [
        ("qwen/qwen3:2", "qwen-qwen3-2"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本", "instance"),
        ("a" * 500, "a" * 80),
        ("", "instance"),
    ],
)
def test_the_name_is_safe_for_every_system(instance, stem):
    assert export_name(replace(RESULT, instance_id=instance)) == f"lmdeck-bench-{stem}-20261124-111945"


def test_both_files_are_written(tmp_path):
    files = write_report(RESULT, tmp_path / "new")
    assert [file.name for file in files] == [f"{export_name(RESULT)}.md", f"{export_name(RESULT)}.json"]
    assert [file.read_text(encoding="utf-8") for file in files] == [as_markdown(RESULT), as_json(RESULT)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "More than 4 at once bring no more tokens: that is the effective concurrency. At most 2 generated at the "
             "same time although there are 4 slots: something else limits, such as Max concurrent requests."),
        ({"effective": None, "slots": 2}, "The most at once, 4, still brought more tokens: the limit was not reached. "
             "At most 2 generated at the same time; slots: 2."),
        ({"slots": None}, "More than 4 at once bring no more tokens: that is the effective concurrency. At most 2 "
             "generated at the same time; how many slots there are is not told."),
        ({"levels": ()}, "Nothing was measured."),
    ],
)  # fmt: skip
def test_the_conclusion_tells_slots_and_requests_apart(change, words):
    assert conclusion(replace(RESULT, **change)) == words
