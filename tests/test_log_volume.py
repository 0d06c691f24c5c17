"""A million log events through the path of the log, but for its screen: nothing is lost, and memory is bounded."""

import gc
import json
import time
from collections.abc import Sequence

import psutil
import pytest
from exchange_world import chatml, generated_line, request_line, times

from lmdeck.backend.logstream import LogDecoder
from lmdeck.exchanges import book, tally
from lmdeck.ledger import Ledger
from lmdeck.model.exchange import ExchangeRecord, ExchangeText
from lmdeck.model.log import SOURCES, Unreadable
from lmdeck.model.log_query import parse_query
from lmdeck.state.from_log import LogReader
from lmdeck.widgets.log_index import LogIndex
from lmdeck.widgets.log_store import ENTRIES, LogStore

ROUNDS, EVENTS_OF_ROUND, ROUND_S = 5_000, 200, 2.0
DATE, NUMBER = b"1790000000000", b"@@@@@"
ANSWERS, TOKENS = 6, 5
"""Answers of one round, and the tokens of each."""
UNREADABLE = 2

Json = dict[str, object]


def prompt(words: str, model: str) -> Json:
    return {"type": "llm.prediction.input", "input": chatml(("user", words)), "modelIdentifier": model}


def output(words: str, model: str) -> Json:
    stats = {"stopReason": "eosFound", "tokensPerSecond": 50.0, "timeToFirstTokenSec": 0.02, "totalTimeSec": 0.1}
    stats |= {"promptTokensCount": 9, "predictedTokensCount": TOKENS}
    return {"type": "llm.prediction.output", "output": words, "stats": stats, "modelIdentifier": model}


def said(words: str, level: str = "debug") -> Json:
    return {"type": "server.log", "content": words, "level": level}


def engine(words: str, model: str) -> Json:
    return {"type": "runtime.log", "level": "info", "message": words, "modelIdentifier": model, "pid": 7}


def lines(*events: Json) -> bytes:
    return b"".join(json.dumps({"timestamp": int(DATE), "data": event}).encode() + b"\n" for event in events)


def a_round() -> list[tuple[str, bytes]]:
    """What comes in ROUND_S. One request is told by all three logs, four by the model log alone, one is of an instance
    that comes once; one prompt is never answered, one embedding never ends, one request goes on for ever."""
    body = {"model": "full", "messages": [{"role": "user", "content": "Why is number @@@@@ even?"}]}
    embed = "Received request: POST to /v1/embeddings with body {}"
    slot = "slot print_timing: id  0 | task @@@@@ | "
    ends = engine(slot + times("prompt eval", 20, 9), "full"), engine(slot + times("eval", 80, TOKENS), "full")
    brief = [(f"What is {number} and @@@@@?", f"It is {number} of @@@@@.", f"m{number % 3}") for number in range(4)]
    parts = [said(f"Streaming response, part {part} of @@@@@") for part in range(150)]
    return [
        ("server", lines(said(request_line(0.0, body).text), said(embed))),
        ("model", lines(prompt("Why is number @@@@@ even?", "full"), prompt("Nobody answers @@@@@.", "silent"))),
        ("runtime", lines(engine("slot launch_slot_: id  0 | task @@@@@ | processing task", "full"), *ends)),
        ("model", lines(output("Because it is @@@@@.", "full"))),
        ("server", lines(said(generated_line(0.0, "full", "Because it is @@@@@.", 9, TOKENS).text))),
        ("model", b"".join(lines(prompt(asked, model), output(told, model)) for asked, told, model in brief)),
        ("model", lines(prompt("Once @@@@@.", "jit-@@@@@"), output("Only @@@@@.", "jit-@@@@@"))),
        ("server", lines(*parts, said("a needle @@@@@"))),
        ("server", b'{"timestamp": 17, "data": {"type": "server.l\n' + b"\xff\xfe\x80 no utf-8 @@@@@\n"),
        ("runtime", lines(*[engine(f"slot update: progress {part} of @@@@@", "endless") for part in range(8)])),
        ("runtime", lines(*[engine(f"ggml_backend: step {part} of @@@@@", "other") for part in range(20)])),
    ]


class Shelf:
    """Where finished exchanges go."""

    def __init__(self) -> None:
        self.kept = 0

    async def add_exchanges(self, exchanges: Sequence[tuple[ExchangeRecord, ExchangeText | None]]) -> None:
        self.kept += len(exchanges)


class Deck:
    """What the log passes through; a filter is on."""

    def __init__(self) -> None:
        self.began = self.now = time.time()
        self.decoders = {source: LogDecoder(source, now=lambda: self.now) for source in SOURCES}
        self.store, self.reader, self.ledger = LogStore(), LogReader(), Ledger("http://x", keep_text=False)
        self.index = LogIndex(self.store)
        self.index.exchange_of = self.ledger.exchange_of
        self.index.choose(frozenset(SOURCES), parse_query("needle", 0.0), 0)
        self.unreadable = 0

    def hear(self, source: str, data: bytes) -> None:
        entries = self.decoders[source].feed(data)
        self.store.extend(entries)
        self.index.work(60.0)
        for exchange in self.ledger.hear(entries):
            self.index.recheck(part for part in (exchange.request, exchange.input, exchange.output) if part is not None)
        for _ in self.reader.events(entries):
            pass
        self.unreadable += sum(isinstance(entry, Unreadable) for entry in entries)

    def hear_round(self, number: int, story: list[tuple[str, bytes]]) -> None:
        self.now = self.began + number * ROUND_S
        date, name = b"%d" % (self.now * 1000), b"%05d" % number
        for source, text in story:
            self.hear(source, text.replace(DATE, date).replace(NUMBER, name))


def measured() -> tuple[int, int]:
    """Objects of which the garbage collector knows, and bytes of the process."""
    gc.collect()
    return len(gc.get_objects()), psutil.Process().memory_info().rss


async def test_a_million_events_lose_nothing_and_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "EXACT", 10_000)
    monkeypatch.setattr(book, "MOST_KEPT", 5_000)
    deck, shelf, story = Deck(), Shelf(), a_round()
    sizes = [measured()]
    deck.hear_round(0, [("model", lines(prompt("For ever", "endless")))])
    for number in range(1, ROUNDS + 1):
        deck.hear_round(number, story)
        if number % 100 == 0:
            await deck.ledger.keep(shelf, float("inf"))
        if number % (ROUNDS // 2) == 0:
            sizes.append(measured())
    everything, *_ = deck.ledger.summaries("session", deck.now)
    assert deck.store.end == ROUNDS * EVENTS_OF_ROUND + 1
    assert deck.unreadable == ROUNDS * UNREADABLE
    assert everything.tokens_out == ROUNDS * ANSWERS * TOKENS
    assert shelf.kept == everything.requests
    assert len(deck.index) == sum("needle" in deck.store[n].text for n in range(deck.store.first, deck.store.end))
    assert deck.store.end - deck.store.first <= ENTRIES * 9 / 8
    for before, half, end in zip(*sizes, strict=True):
        assert end - half < 0.2 * (half - before)
