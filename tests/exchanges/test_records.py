"""Exports: what comes back from JSON Lines, what a spreadsheet gets, and that text goes out only when asked for."""

import csv
import io
import json

from exchange_world import World

from lmdeck.exchanges.join import Joiner
from lmdeck.exchanges.records import COLUMNS, as_csv, as_jsonl, as_markdown, from_jsonl, record
from lmdeck.model.exchange import Exchange, ExchangeRecord
from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine

STATS = PredictionStats("eosFound", 41.3, 0.31, 2.5, 812, 143, 40, 30)
FULL = Exchange(
    7, "m", 1_789_795_491.25, 1_789_795_493.75, "/v1/chat/completions", {"temperature": 0.2, "stop": ["x"]}, "10.0.0.7",
    request=ServerLine(1.0, "SECRET request", "debug"),
    input=PredictionInput(1.0, "m", "SECRET prompt \ud800 \u2028 ```` x", "m.gguf"),
    output=PredictionOutput(2.0, "m", "SECRET answer\n# not a heading", STATS),
    generated=ServerLine(2.0, "SECRET generated"),
    runtime=(RuntimeLine(1.5, "slot", "info", "llama.cpp", "2.3.0", "m", 4711), RuntimeLine(1.6, "x", source="server")),
    slot=0, stats=STATS, error="an *error*", certainty="likely", doubt="a doubt",
)  # fmt: skip


def test_round_trip_with_text() -> None:
    world = World(1, slots=8)
    world.populate(40, pause=2.0)
    told: dict[int, Exchange] = {each.number: each for each in Joiner().feed(world.entries())}
    exchanges = [FULL, *told.values(), Exchange(1, "", 0.0)]
    lines = list(as_jsonl(exchanges, with_text=True))
    assert len(lines) == len(exchanges) == 42
    assert all(line.endswith("\n") and "\n" not in line[:-1] and line.encode() for line in lines)
    assert list(from_jsonl(lines)) == exchanges


def test_without_text_nothing_of_it_goes_out() -> None:
    (line,) = as_jsonl([FULL])
    assert "SECRET" not in line
    (back,) = from_jsonl([line])
    assert (back.stats, back.parameters, back.certainty, back.input) == (STATS, FULL.parameters, "likely", None)
    assert "SECRET" not in "".join(as_markdown([FULL]))


def test_what_is_no_export_is_left_out() -> None:
    lines = ["", "{", "[]", "null", '{"number": 1}', '{"number": true, "at": 1}', '{"number": 1, "at": NaN}']
    assert list(from_jsonl(lines)) == []
    odd = {
        "number": 1,
        "at": 2,
        "stats": [],
        "parameters": 5,
        "certainty": "sure",
        "runtime": [1, {}],
        "input": 3,
        "slot": -1,
    }
    assert list(from_jsonl([json.dumps(odd)])) == [Exchange(1, "", 2.0, stats=PredictionStats(), certainty="guess")]


def test_numbers_that_json_has_not() -> None:
    (line,) = as_jsonl([Exchange(1, "m", 2.0, parameters={"x": [float("inf"), 1]})])
    assert json.loads(line, parse_constant=lambda name: name)["parameters"] == {"x": [None, 1]}


def test_records() -> None:
    assert record(FULL, "http://box:1234") == ExchangeRecord(
        1_789_795_491.25, "http://box:1234", "m", "/v1/chat/completions", "eosFound", 812, 143, 41.3, 0.31, 2.5, 40, 30,
        "an *error*", "likely",
    )  # fmt: skip
    assert record(Exchange(1, "m", 2.0), "x") == ExchangeRecord(2.0, "x", "m")


def test_csv() -> None:
    formula = ExchangeRecord(0.0, "s", '=HYPERLINK("x")', error="-1+1\nnext \x1b[31m", stop_reason="@x")
    text = "".join(as_csv([record(FULL, "http://box:1234"), formula]))
    header, first, second = csv.reader(io.StringIO(text))
    assert tuple(header) == COLUMNS
    one, two = dict(zip(header, first, strict=True)), dict(zip(header, second, strict=True))
    assert (one["at"], one["tokens_per_second"], one["prompt_tokens"]) == ("2026-09-19T05:24:51.250Z", "41.3", "812")
    assert (two["instance_id"], two["error"], two["stop_reason"]) == ('\'=HYPERLINK("x")', "'-1+1 next ␛[31m", "'@x")
    assert two["prompt_tokens"] == ""
    assert list(csv.reader(io.StringIO("".join(as_csv([]))))) == [list(COLUMNS)]


def test_markdown() -> None:
    text = "".join(as_markdown([FULL, Exchange(8, "*x*", 0.0)], with_text=True))
    assert "## 7. m, 2026-09-19T05:24:51.250Z\n" in text
    assert "- speed: 41.3 tok/s\n- TTFT: 0.31 s\n" in text
    assert "- draft tokens accepted: 30 of 40\n" in text
    assert "- error: an \\*error\\*\n" in text
    assert "- joined: likely: a doubt\n" in text
    assert '```json\n{\n  "temperature": 0.2' in text
    assert "\n`````\nSECRET prompt � � ```` x\n`````\n" in text
    assert "## 8. \\*x\\*, 1970-01-01T00:00:00.000Z\n\n\n" in text
