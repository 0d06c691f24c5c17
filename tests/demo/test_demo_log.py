"""The replay of logs: repeatable, true to itself, as fast as asked, hostile where wanted, and an `lms` to the deck."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path

import pytest

from lmdeck.backend.errors import LoadFailed
from lmdeck.backend.lms import Lms
from lmdeck.backend.logstream import LogDecoder
from lmdeck.demo.demo_log import main
from lmdeck.demo.log_shapes import LONG_LINE, SHAPES, events, line
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, RuntimeLine, ServerLine, Unreadable

Replay = Callable[..., bytes]


@pytest.fixture
def replay(capsysbinary: pytest.CaptureFixture[bytes]) -> Replay:
    """What `lmdeck demo-log` prints, at full speed."""

    def run(*arguments: str, code: int = 0) -> bytes:
        assert main(["--rate", "0", "--start", "1789795491321", *arguments]) == code
        return capsysbinary.readouterr().out

    return run


def decoded(raw: bytes) -> list[LogEntry]:
    decoder = LogDecoder("model", now=lambda: 1.0)
    return decoder.feed(raw) + decoder.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_seed_tells_the_same_story(replay, shape):
    arguments = ("--shape", shape, "--count", "60")
    first = replay(*arguments, "--seed", "7")
    assert first.startswith(b"Streaming logs from LM Studio\n\n")
    assert replay(*arguments, "--seed", "7") == first
    assert replay(*arguments, "--seed", "8") != first


@pytest.mark.parametrize("shape", ["mixed", "flood", "parallel"])
def test_good_shapes_hold_nothing_but_events(replay, shape):
    entries = decoded(replay("--shape", shape, "--count", "3000"))
    assert len(entries) == 3000
    kinds = {PredictionInput, PredictionOutput} | ({RuntimeLine, ServerLine} if shape != "flood" else set())
    assert {type(entry) for entry in entries} == kinds


def test_a_mixture_holds_every_level_and_gap(replay):
    entries = decoded(replay("--count", "5000"))
    assert {entry.level for entry in entries} == {"debug", "info", "warn", "error"}
    stats = [entry.stats for entry in entries if isinstance(entry, PredictionOutput) and entry.stats]
    assert {each.stop_reason for each in stats} == {"eosFound", "maxPredictedTokensReached", "toolCalls", "failed"}
    assert any(each.tokens_per_second is None for each in stats)
    assert any(each.draft_tokens for each in stats)


@pytest.mark.parametrize("shape", ["mixed", "parallel"])
def test_the_parts_of_an_exchange_agree(replay, shape):
    entries = decoded(replay("--shape", shape, "--count", "4000", "--rate", "0"))
    generated = [json.loads(e.text.partition("prediction: ")[2]) for e in entries if "Generated" in e.text]
    said = [(each["model"], each["choices"][0]["message"]["content"], each["usage"]) for each in generated]
    outputs = [entry for entry in entries if isinstance(entry, PredictionOutput)]
    assert len(outputs) > 300
    for output in outputs[:-8]:
        stats = output.stats
        assert stats is not None
        usage = {"prompt_tokens": stats.prompt_tokens, "completion_tokens": stats.predicted_tokens}
        assert (output.instance_id, output.text, usage) in said
        if stats.tokens_per_second is not None:
            speed = stats.predicted_tokens / (stats.total_time_s - stats.ttft_s)
            assert stats.tokens_per_second == pytest.approx(speed, rel=0.01)


def test_parallel_answers_come_back_the_other_way_round():
    told = list(islice(events("parallel", 3), 4 * 7))
    inputs = [event.data["input"] for event in told if event.data["type"] == "llm.prediction.input"]
    requests = [str(event.data["content"]) for event in told if "Received request" in str(event.data.get("content"))]
    outputs = [event for event in told if event.data["type"] == "llm.prediction.output"]
    assert [event.same_moment for event in told if event.data["type"] == "llm.prediction.input"] == [False, *[True] * 3]
    assert all(json.dumps(prompt) in request for prompt, request in zip(inputs, requests, strict=True))
    slots = [str(e.data["message"]) for e in told if e.data["type"] == "runtime.log" and "| eval" in str(e.data)]
    assert [each[:26] for each in slots] == [f"slot print_timing: id  {slot} |" for slot in (3, 2, 1, 0)]
    assert len({event.data["modelIdentifier"] for event in outputs}) == 1


def test_inputs_of_one_moment_have_one_timestamp(replay):
    inputs = [e for e in decoded(replay("--shape", "parallel", "--count", "28")) if isinstance(e, PredictionInput)]
    assert len({entry.at for entry in inputs}) == 1


def test_hostile_lines_are_shown_as_what_they_are(replay):
    raw = replay("--shape", "hostile", "--count", "120")
    assert max(map(len, raw.splitlines())) >= LONG_LINE
    entries = decoded(raw)
    assert {type(entry) for entry in entries} >= {Unreadable, PredictionInput, PredictionOutput, ServerLine}
    assert any(isinstance(entry, PredictionInput) and len(entry.text) == LONG_LINE for entry in entries)
    assert all(len(entry.text) < 100_000 for entry in entries if isinstance(entry, Unreadable))


def test_one_source_only(replay):
    raw = replay("--count", "500", "--source", "server")
    assert {entry.source for entry in decoded(raw)} == {"server"}
    assert len(decoded(raw)) < 500


def test_events_come_at_their_rate(capsysbinary):
    began = time.monotonic()
    assert main(["--rate", "200", "--count", "41", "--start", "1000"]) == 0
    assert time.monotonic() - began >= 0.2
    moments = [json.loads(raw)["timestamp"] for raw in capsysbinary.readouterr().out.splitlines()[2:]]
    assert moments[0] == 1000
    assert 1195 <= moments[-1] <= 1200
    assert moments == sorted(moments)


def test_statistics_agree_with_the_clock(replay):
    (first, *_) = islice((e for e in decoded(b"".join(_told(20.0))) if isinstance(e, PredictionOutput)), 1)
    inputs = [e for e in decoded(b"".join(_told(20.0))) if isinstance(e, PredictionInput)]
    assert first.stats is not None
    assert first.at - inputs[0].at == pytest.approx(first.stats.total_time_s)


def _told(rate: float) -> Iterator[bytes]:
    for place, event in enumerate(islice(events("flood", 1, 1 / rate), 10)):
        yield line(event, round(1e12 + place * 1000 / rate))


async def test_a_reader_that_leaves_is_no_trouble():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lmdeck", "demo-log", "--rate", "0", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"Streaming logs from LM Studio\n"
    process.stdout._transport.close()
    assert await asyncio.wait_for(process.stderr.read(), 20) == b""
    assert await process.wait() == 0


@pytest.fixture
def fake_lms(tmp_path: Path) -> str:
    """A script in place of `lms`."""
    if os.name == "nt":
        pytest.skip("Windows runs no shell scripts, and the stand-in for lms is one")
    path = tmp_path / "lms"
    arguments = "--rate 0 --count 400 --shape parallel"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m lmdeck demo-log {arguments} --as-lms "$@"\n')
    path.chmod(0o755)
    return str(path)


async def test_it_stands_in_for_lms(fake_lms):
    lms = Lms(fake_lms)
    try:
        assert await lms.ps() == await lms.ls() == ()
        assert await lms.runtime() == "llama.cpp-demo@2.3.0"
        with pytest.raises(LoadFailed, match="a replayed log can do nothing"):
            await lms.load(LoadRequest("m"))
        found: list[LogEntry] = []
        async with asyncio.timeout(20), aclosing(lms.log("server")) as batches:
            async for batch in batches:
                found += batch
                if len(found) >= 100:
                    break
        assert {entry.source for entry in found} == {"server"}
    finally:
        await lms.close()
