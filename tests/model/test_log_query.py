"""The log's filter language: what passes, what is highlighted, what is refused and where."""

import re
import time

import pytest

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import (
    DeckNote,
    PredictionInput,
    PredictionOutput,
    PredictionStats,
    RuntimeLine,
    ServerLine,
    Unreadable,
)
from lmdeck.model.log_pattern import GIVE_UP, PATTERN_CHARACTERS, Pattern
from lmdeck.model.log_query import BadQuery, parse_query

NOW = time.mktime((2026, 11, 24, 15, 0, 0, 0, 0, -1))
STATS = PredictionStats("eosFound", 41.3, 0.312, 3.5, 812, 143)
ENTRIES = {
    "in": PredictionInput(NOW - 5, "qwen3-coder-30b", 'User says "Hello" twice'),
    "out": PredictionOutput(NOW - 4, "qwen3-coder-30b", "A slot machine", STATS),
    "cut": PredictionOutput(NOW - 4000, "ha-expert", "No", PredictionStats("contextLengthReached", 9.5)),
    "http": ServerLine(NOW - 90, "Received request: POST to http://x/v1", "debug"),
    "slow": ServerLine(NOW - 90, "Slot 12 is slow", "warning"),
    "cuda": RuntimeLine(NOW - 7300, "CUDA error", "ERROR", instance_id="ha-expert"),
    "odd": Unreadable(NOW - 1, "tps is 5 < 6 -parallel", "model"),
    "note": DeckNote(NOW, "lms ended", "trace"),
}


def passing(text, **exchanges):
    query = parse_query(text, NOW)
    return " ".join(name for name, entry in ENTRIES.items() if query.passes(entry, exchanges.get(name)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "in out cut http slow cuda odd note"),
        ('  "" - ', "in out cut cuda odd"),
        ("SLOT", "out slow"),
        ("slot slow", "slow"),
        ('"says \\"hello"', "in"),
        ('"is slow', "slow"),
        ("qwen3", "in out"),
        ("EOSfound", "out"),
        ("http://x", "http"),
        ("qwen3 slot", "out"),
        ("slot -slow", "out"),
        ("-slot -error -qwen3", "cut http odd note"),
        ('-"is slow" slot', "out"),
        ("--parallel", ""),
        ('"-parallel"', "odd"),
        ("model:CODER", "in out"),
        ("-model:coder level:info", "cut slow cuda odd"),
        ('model:"ha-exp"', "cut cuda"),
        ("source:server", "http slow"),
        ("source:s,deck", "http slow note"),
        ("-source:model", "http slow cuda note"),
        ('"source:server"', ""),
        ("level:error", "cuda"),
        ("level:warn", "slow cuda odd"),
        ("level:info", "in out cut slow cuda odd"),
        ("LEVEL:debug", "in out cut http slow cuda odd note"),
        ("stop:eos", "out"),
        ("-stop:eos source:model", "in cut odd"),
        ("tps<20", "cut"),
        ("tps>=41.3", "out"),
        ("tps>41.3", ""),
        ("-tps<20 source:model", "in out odd"),
        ("ttft>0.3", "out"),
        ("ttft>300ms", "out"),
        ("ttft<0.3s", ""),
        ("tokens=812", "out"),
        ("tokens>812", ""),
        ("out<=143", "out"),
        ("since:10s", "in out odd note"),
        ("since:2m", "in out http slow odd note"),
        ("since:2h", "in out cut http slow odd note"),
        ("since:1d", "in out cut http slow cuda odd note"),
        ("since:14:30", "in out http slow odd note"),
        ("since:14:59:56", "out odd note"),
        ("since:15:01", "in out cut http slow cuda odd note"),
        (r"re:slot\s\d+", "slow"),
        ('re:"slot (12|13) is"', "slow"),
        ("-re:[a-z] level:debug", ""),
        (r"re:\bslot\b model:qwen", "out"),
        ("re:^user.*twice$", "in"),
        ("a<b", ""),
        ("modle:x", ""),
        ("5 < 6", "odd"),
    ],
)
def test_language(text, expected):
    assert passing(text) == expected


@pytest.mark.parametrize(
    ("text", "words", "position"),
    [
        ("tps<", "tps is compared with a number: tps>20", 0),
        ("slot tps<x", "tps is compared with a number: tps>20", 5),
        ("tps:20", "tps is compared with a number: tps>20", 0),
        ("tps>2s", "tps is compared with a number: tps>20", 0),
        ("out>-1", "out is compared with a number: out>20", 0),
        ("a -ttft>1e5", "ttft is compared with a number: ttft>20", 2),
        ("source:", "source: is one of model, server, runtime, deck", 0),
        ("source:server,", "source: is one of model, server, runtime, deck", 0),
        ("source:gpu", "source: is one of model, server, runtime, deck", 0),
        ("source=model", "source is written with a colon: source:…", 0),
        ("level:loud", "level: is one of debug, info, warn, error", 0),
        ("level:", "level: is one of debug, info, warn, error", 0),
        ("model:", "model: needs a part of an instance's id", 0),
        ("stop:", "stop: needs a part of a stop reason, such as eosFound", 0),
        ("x since:soon", "since: needs a time, such as 10m, 2h or 14:30", 2),
        ("since:25:00", "since: needs a time, such as 10m, 2h or 14:30", 0),
        ("since:999999d", "since: needs a time, such as 10m, 2h or 14:30", 0),
        ("re:", "re: needs a pattern", 0),
        ("re:(", "re: missing )", 0),
        ("x re:" + "a" * 501, "re: longer than 500 characters", 2),
    ],
)
def test_what_is_refused(text, words, position):
    with pytest.raises(BadQuery, match=re.escape(words)) as caught:
        parse_query(text, NOW)
    assert (caught.value.words, caught.value.position) == (words, position)


def test_an_exchange_speaks_for_all_its_lines():
    known = Exchange(1, "qwen3-coder-30b", NOW, stats=STATS)
    lines = {"http": known, "in": known, "out": known}
    assert passing("tps>40", **lines) == "in out http"
    assert passing("model:qwen stop:eos", **lines) == "in out http"
    assert passing("tps>40 -hello", **lines) == "out http"
    assert passing("tps>40", http=Exchange(1, "qwen3-coder-30b", NOW)) == "out"
    assert [parse_query(text, NOW).by_exchange for text in ("slot", "model:q", "-tps<3", "since:1h")] == [
        False,
        True,
        True,
        False,
    ]


def test_hits_are_in_order_and_apart():
    query = parse_query(r're:\d+ slot "12 Is" -slow', NOW)
    text = "SLOT 112 is slow, slot 7"
    assert [text[start:end] for start, end in query.hits(text)] == ["SLOT", "112 is", "slot", "7"]
    assert (query.needle, query.text) == ("slot", r're:\d+ slot "12 Is" -slow')
    assert parse_query("re:x* tps<3", NOW).hits("abc") == []
    assert parse_query("tps<3", NOW).needle is None


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "e.*r.*z", r"([a-z ]+)+\d"])
def test_a_pattern_that_explodes_gives_up(pattern):
    query = parse_query(f're:"{pattern}"', NOW)
    entry = RuntimeLine(0, "a er " * 2_000 + "a" * 20_000 + "!")
    begun = time.perf_counter()
    for _ in range(GIVE_UP + 1000):
        assert not query.passes(entry)
    assert query.skipped in (0, GIVE_UP + 1000)
    assert time.perf_counter() - begun < 20
    begun = time.perf_counter()
    assert not any(query.hits(entry.text) for _ in range(1000))
    assert time.perf_counter() - begun < 5


def test_only_the_beginning_of_a_long_entry_is_tried():
    assert Pattern("end").found("x" * (PATTERN_CHARACTERS - 3) + "end")
    assert not Pattern("end").found("x" * PATTERN_CHARACTERS + "end")
    assert parse_query("end", NOW).passes(RuntimeLine(0, "x" * PATTERN_CHARACTERS + "end"))


def test_what_an_engine_warns_of_is_no_warning():
    assert Pattern("[[a-z]&&x]").found("[[x") in (True, False)
