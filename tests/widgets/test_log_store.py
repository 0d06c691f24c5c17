"""Log entries in bounded memory, and the filter over them."""

import random

import pytest

from lmdeck.model.log import DeckNote, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.widgets.log_store import LogIndex, LogStore, matcher


def line(number, text=""):
    return RuntimeLine(float(number), f"line {number} {text}")


def test_numbers_stay_when_old_entries_go():
    store = LogStore(entries=100)
    store.extend(line(number) for number in range(1000))
    assert store.end == 1000
    assert 100 <= store.end - store.first <= 112
    assert store[990] == line(990)
    assert [number for number, _ in store.since(995)] == [995, 996, 997, 998, 999]
    assert next(store.since(0))[0] == store.first


def test_text_is_bounded_too_and_the_last_entry_stays():
    store = LogStore(entries=1000, text_bytes=10_000)
    for number in range(50):
        store.extend([line(number, "x" * 1000)])
    assert store.end - store.first <= 10
    store.extend([line(50, "x" * 100_000)])
    assert (store.first, store.end) == (50, 51)


def test_index_without_a_filter_is_everything():
    store = LogStore(entries=10)
    index = LogIndex(store)
    store.extend(map(line, range(50)))
    assert len(index) == store.end - store.first
    assert index.number(0) == store.first
    assert index.line(store.first + 3) == 3
    assert index.number_or_end(1000) == store.end


def test_index_grows_and_shrinks_with_the_store():
    store, dice = LogStore(entries=200), random.Random(1)
    index = LogIndex(store)
    index.choose(index.sources, "hit")
    number = 0
    for _ in range(200):
        batch = [line(number + i, "hit" if dice.random() < 0.3 else "") for i in range(dice.randrange(30))]
        number += len(batch)
        store.extend(batch)
        index.update()
        expected = [at for at, entry in store.since(0) if "hit" in entry.text]
        assert [index.number(at) for at in range(len(index))] == expected
    assert index.line(expected[5]) == 5
    assert index.line(expected[5] + 1) == 6


def test_narrowing_and_widening_the_filter():
    store = LogStore()
    index = LogIndex(store)
    store.extend([line(1, "alpha"), line(2, "alpine"), line(3, "beta")])
    sizes = []
    for needle in ("a", "al", "ALP", "alpi", "al", "", "beta", "nothing"):
        index.choose(index.sources, needle)
        sizes.append(len(index))
    assert sizes == [3, 2, 2, 1, 2, 3, 1, 0]


def test_sources_are_chosen_and_the_decks_notes_stay():
    store = LogStore()
    index = LogIndex(store)
    store.extend([ServerLine(1, "a"), RuntimeLine(2, "b"), DeckNote(3, "c"), PredictionInput(4, "m", "d")])
    index.choose(frozenset({"server"}), "")
    assert [store[index.number(at)].text for at in range(len(index))] == ["a", "c"]
    index.choose(frozenset({"model", "server", "runtime"}), "")
    assert len(index) == 4


@pytest.mark.parametrize("needle", ["GEMMA", "eos", "ok"])
def test_matcher_looks_at_names_and_stop_reasons(needle):
    assert matcher(needle)(PredictionOutput(0, "gemma-3", "Ok", PredictionStats("eosFound")))
    assert not matcher("absent")(PredictionOutput(0, "gemma-3", "Ok"))
    assert matcher("slot")(RuntimeLine(0, "x", instance_id="slot-7"))
