"""Worlds whose truth is known: whatever is missing or stands in the wrong order, no join is wrong unless it says so."""

import random
from collections.abc import Callable

import pytest
from exchange_world import Job, World

from lmdeck.exchanges.join import Joiner
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import LogEntry

Keep = Callable[[LogEntry], bool]
FULL: dict[str, object] = {"slots": 8, "pause": 1.0, "few_words": 0.0, "together": 0.0}
WORLDS: dict[str, dict[str, object]] = {
    "calm": FULL,
    "same words, same moments": {"slots": 8, "pause": 3.0},
    "queues": {"pause": 1.0},
    "overload": {"pause": 0.2},
    "one slot": {"slots": 1, "pause": 6.0, "instances": 1},
    "no statistics": {"pause": 2.0, "with_stats": False},
    "bodies that break off": {**FULL, "cuts": 0.7},
    "bodies that break off, same words": {"slots": 8, "pause": 2.0, "cuts": 0.7},
    "no slot lines": {"pause": 1.5, "with_slots": False},
    "only LM Studio's window": {"pause": 1.5, "server": False},
    "no server log": {"pause": 1.5, "keep": lambda entry: entry.source != "server"},
    "no runtime log": {"pause": 1.5, "keep": lambda entry: entry.source != "runtime"},
    "no model log": {"pause": 1.5, "keep": lambda entry: entry.source != "model"},
    "begun in the midst": {"pause": 0.8, "cut": 150},
    "begun in the midst, no statistics": {"pause": 2.0, "cut": 150, "with_stats": False},
}


def run(seed: int, settings: dict[str, object], *, count: int = 120) -> tuple[World, list[LogEntry], list[Exchange]]:
    """The world, the entries that were fed in batches of any size, and the exchanges as they were last told."""
    given = dict(settings)
    cut, keep = given.pop("cut", 0), given.pop("keep", lambda entry: True)
    made = {name: given.pop(name) for name in ("slots", "with_stats", "with_slots", "cuts") if name in given}
    world = World(seed, **made)
    world.populate(count, **given)
    entries = [entry for entry in world.entries()[cut:] if keep(entry)]
    joiner = Joiner(entries[0].at) if cut else Joiner()
    told: dict[int, Exchange] = {}
    dice, at = random.Random(seed), 0
    while at < len(entries):
        size = dice.randint(1, 20)
        changed = joiner.feed(entries[at : at + size])
        assert [each.number for each in changed] == sorted({each.number for each in changed})
        told |= {each.number: each for each in changed}
        at += size
    for each in told.values():
        for entry in (each.request, each.input, each.output, each.generated):
            assert entry is None or joiner.exchange_of(entry) == each
    assert joiner.running == sum(each.running for each in told.values())
    return world, entries, list(told.values())


def jobs_of(world: World, exchange: Exchange) -> set[int]:
    owner: dict[int, Job] = {}
    for job in world.jobs:
        owner |= {id(entry): job for entry in (job.request, job.input, job.output, job.sent) if entry is not None}
    parts = (exchange.request, exchange.input, exchange.output, exchange.generated)
    return {owner[id(entry)].number for entry in parts if entry is not None}


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(8))
def test_no_join_is_wrong_unless_it_says_that_it_is_a_guess(name: str, seed: int) -> None:
    world, entries, exchanges = run(seed, WORLDS[name])
    for exchange in exchanges:
        if exchange.certainty != "guess":
            assert len(jobs_of(world, exchange)) == 1, (exchange.number, exchange.certainty, exchange.doubt)
        else:
            assert exchange.doubt
    outputs = [id(exchange.output) for exchange in exchanges if exchange.output is not None]
    assert (
        len(outputs)
        == len(set(outputs))
        == sum(entry.source == "model" and hasattr(entry, "stats") for entry in entries)
    )


def test_evidence_decides_most_of_a_calm_server_with_many_in_parallel() -> None:
    told = [exchange for seed in range(6) for exchange in run(seed, FULL)[2]]
    guesses = sum(exchange.certainty == "guess" for exchange in told)
    assert len(told) == 6 * 120
    assert guesses < 0.25 * len(told)
    assert all(exchange.ended_at is not None for exchange in told)


def test_a_guess_is_a_good_one() -> None:
    wrong = guessed = 0
    for seed in range(6):
        world, _, exchanges = run(seed, FULL)
        guesses = [exchange for exchange in exchanges if exchange.certainty == "guess"]
        guessed += len(guesses)
        wrong += sum(len(jobs_of(world, exchange)) > 1 for exchange in guesses)
    assert guessed > 50
    assert wrong < 0.1 * guessed


def test_slots_are_the_answers_own() -> None:
    for seed in range(4):
        world, _, exchanges = run(seed, FULL)
        slots = {id(job.output): job.slot for job in world.jobs}
        assert all(exchange.slot == slots[id(exchange.output)] for exchange in exchanges)
        assert all(0 < len(exchange.runtime) <= 50 for exchange in exchanges)


def test_lines_fed_twice_change_nothing() -> None:
    world = World(1, slots=8)
    world.populate(40, pause=2.0)
    entries, joiner = world.entries(), Joiner()
    for entry in entries:
        joiner.feed([entry])
    before = [joiner.exchange_of(entry) for entry in entries]
    joiner.feed([entry for entry in entries if joiner.exchange_of(entry) is not None])
    assert [joiner.exchange_of(entry) for entry in entries] == before
