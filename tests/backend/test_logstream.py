import json

import pytest

from lmdeck.backend.logstream import MAX_UNREADABLE, LogDecoder
from lmdeck.model.log import (
    PredictionInput,
    PredictionOutput,
    PredictionStats,
    RuntimeLine,
    ServerLine,
    Unreadable,
)

NOW = 1_000.0
AT = 1789795491.321
RECORDED = (
    b"Streaming logs from LM Studio\n\n"
    b'{"timestamp":1789795491321,"data":{"type":"llm.prediction.input","input":"<|user|>h\xc3\xa4\\u001b[2J",'
    b'"modelPath":"g.gguf","modelIdentifier":"gemma"}}\r\n'
    b'{"timestamp":1789795491321,"data":{"type":"llm.prediction.output","output":"Ok\\n","stats":{"stopReason":"eosFound",'
    b'"tokensPerSecond":57.24,"numGpuLayers":-1,"timeToFirstTokenSec":0.0576,"totalTimeSec":0.0926,"promptTokensCount":13,'
    b'"predictedTokensCount":3,"totalTokensCount":16,"totalDraftTokensCount":4,"acceptedDraftTokensCount":2},'
    b'"modelIdentifier":"gemma"}}\n'
    b'{"data":{"type":"server.log","content":"[2026-04-17 18:32:17][DEBUG] x\\ny\\n","level":"DEBUG"}}\n'
    b'{"timestamp":1789795491321,"data":{"type":"runtime.log","level":"info","message":"n_ctx = 8192\\n",'
    b'"engineName":"llama.cpp","engineVersion":"2.3.0","engineType":"llm","modelIdentifier":"gemma","instanceReference":"r","pid":42}}\n'
    b"not json \xff\n"
    b'{"timestamp":1789795491321,"data":{"type":"event.of.the.future"}}\n'
    b'{"half": '
)
STATS = PredictionStats("eosFound", 57.24, 0.0576, 0.0926, 13, 3, 4, 2)
ENTRIES = [
    PredictionInput(AT, "gemma", "<|user|>hä\x1b[2J", "g.gguf"),
    PredictionOutput(AT, "gemma", "Ok\n", STATS),
    ServerLine(NOW, "[2026-04-17 18:32:17][DEBUG] x\ny", "debug"),
    RuntimeLine(AT, "n_ctx = 8192", "info", "llama.cpp", "2.3.0", "gemma", 42),
    Unreadable(NOW, "not json �", "model"),
    Unreadable(AT, '{"timestamp":1789795491321,"data":{"type":"event.of.the.future"}}', "model"),
    Unreadable(NOW, '{"half":', "model"),
]


def decoder(**options: int) -> LogDecoder:
    return LogDecoder("model", now=lambda: NOW, **options)


def one(data: object, timestamp: object = 1789795491321) -> object:
    (entry,) = decoder().feed(json.dumps({"timestamp": timestamp, "data": data}).encode() + b"\n")
    return entry


@pytest.mark.parametrize("at", range(len(RECORDED) + 1))
def test_every_split_point_gives_the_same_entries(at):
    feed = decoder()
    assert feed.feed(RECORDED[:at]) + feed.feed(RECORDED[at:]) + feed.close() == ENTRIES


def test_byte_by_byte():
    feed = decoder()
    found = [entry for byte in RECORDED for entry in feed.feed(bytes([byte]))]
    assert found + feed.close() == ENTRIES


def test_optional_and_wrong_fields():
    assert one({"type": "llm.prediction.output", "modelIdentifier": "m", "output": "x"}) == PredictionOutput(
        AT, "m", "x"
    )
    assert one({"type": "llm.prediction.output", "output": 5, "stats": "fast"}) == PredictionOutput(AT, "", "")
    assert one({"type": "llm.prediction.output", "stats": {"tokensPerSecond": "57", "promptTokensCount": -1}}) == (
        PredictionOutput(AT, "", "", PredictionStats())
    )
    assert one({"type": "runtime.log", "instanceReference": "r", "pid": "x"}) == RuntimeLine(AT, "", instance_id="r")
    assert isinstance(one(None), Unreadable)
    assert isinstance(one({"type": ["server.log"]}), Unreadable)


@pytest.mark.parametrize("timestamp", [None, "x", -5, 0, 1e300, True, [1]])
def test_a_time_that_cannot_be_is_now(timestamp):
    assert one({"type": "server.log", "content": "x"}, timestamp) == ServerLine(NOW, "x")


def test_a_line_of_ten_megabytes_is_whole():
    prompt = "x" * 10_000_000
    line = json.dumps({"data": {"type": "llm.prediction.input", "input": prompt}}).encode() + b"\n"
    feed = decoder()
    found = [entry for start in range(0, len(line), 65536) for entry in feed.feed(line[start : start + 65536])]
    assert found == [PredictionInput(NOW, "", prompt)]


def test_a_line_over_the_limit_is_cut_and_says_so_and_the_next_is_whole():
    feed = decoder(max_line=100)
    long = json.dumps({"data": {"type": "server.log", "content": "x" * 200}}).encode()
    cut, after = feed.feed(long + b'\n{"data":{"type":"server.log","content":"y"}}\n')
    assert isinstance(cut, Unreadable)
    assert cut.text.startswith('{"data"')
    assert cut.text.endswith("… (too long, cut off)")
    assert after == ServerLine(NOW, "y")


def test_an_unreadable_line_is_kept_within_reason():
    (entry,) = decoder().feed(b"z" * 1_000_000 + b"\n")
    assert isinstance(entry, Unreadable)
    assert len(entry.text) < MAX_UNREADABLE + 100


def test_nesting_without_end_is_unreadable_and_no_crash():
    (entry,) = decoder().feed(b"[" * 200_000 + b"\n")
    assert isinstance(entry, Unreadable)


def test_bytes_that_are_no_utf8_within_an_event_lose_only_themselves():
    raw = (
        b'{"timestamp":1789795491321,"data":{"type":"llm.prediction.output","output":"a\xff\xc3(\xf0\x9f b\\u0000"}}\n'
    )
    assert decoder().feed(raw) == [PredictionOutput(AT, "", "a��(� b\0")]


def test_ten_megabytes_that_are_no_event_and_what_comes_after():
    feed = decoder()
    raw = b"\xf0" * 10_000_000 + b'\n{"data":{"type":"server.log","content":"y"}}\n'
    found = [entry for start in range(0, len(raw), 65536) for entry in feed.feed(raw[start : start + 65536])]
    assert isinstance(found[0], Unreadable)
    assert len(found[0].text) < MAX_UNREADABLE + 100
    assert found[1:] == [ServerLine(NOW, "y")]
