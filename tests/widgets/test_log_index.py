"""The filter over a log store: found in slices, kept true while entries come, go, and come late."""

import random

import pytest

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import DeckNote, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.log_query import parse_query
from lmdeck.widgets import log_index
from lmdeck.widgets.log_index import LogIndex
from lmdeck.widgets.log_store import LogStore


def line(number, text=""):
    return RuntimeLine(float(number), f"line {number} {text}")


def choose(index, text, near=0, sources=None):
    index.choose(sources or index.sources, parse_query(text, 0.0) if text else None, near)


def found(index):
    return [index.number(at) for at in range(len(index))]


def test_without_a_filter_it_is_everything():
    store = LogStore(entries=10)
    index = LogIndex(store)
    store.extend(map(line, range(50)))
    assert index.done
    assert index.work(0)
    assert len(index) == store.end - store.first
    assert index.number(0) == store.first
    assert index.line(store.first + 3) == 3
    assert index.number_or_end(1000) == store.end


@pytest.mark.parametrize("late_at_once", [5, 2_000])
@pytest.mark.parametrize("seed", range(5))
def test_it_grows_shrinks_and_mends_with_the_store(seed, late_at_once, monkeypatch):
    monkeypatch.setattr(log_index, "LATE", late_at_once)
    store, dice = LogStore(entries=200), random.Random(seed)
    index = LogIndex(store)
    choose(index, "hit")
    for step in range(300):
        batch = [
            line(round(step - dice.random() * 2.5, 1), "hit" if dice.random() < 0.3 else "")
            for _ in range(dice.randrange(30))
        ]
        if late := store.extend(batch):
            index.shift(late)
        if dice.random() < 0.3:
            index.work(0)  # a part of it
        if dice.random() < 0.1:
            choose(index, "hit", near=dice.randint(store.first, store.end))
        assert all("hit" in store[at].text for at in found(index) if at >= store.first)
        if dice.random() < 0.5:
            while not index.work(1):
                pass
            expected = [at for at in range(store.first, store.end) if "hit" in store[at].text]
            assert found(index) == expected
    while not index.work(1):
        pass
    expected = [at for at in range(store.first, store.end) if "hit" in store[at].text]
    assert index.line(expected[5]) == 5
    assert index.line(expected[5] + 1) == 6


def test_late_entries_hide_nothing_that_was_found():
    store = LogStore()
    index = LogIndex(store)
    choose(index, "hit")
    store.extend([line(at, "hit") for at in range(1_000)])
    assert index.work(1)
    late = store.extend([line(998.5, "hit"), line(998.6), line(2_000, "hit")])
    index.shift(late)
    assert found(index) == [*range(1_000), 1_001]
    assert index.work(1)
    assert found(index) == [*range(1_000), 1_001, 1_002]


def test_it_looks_in_slices_around_where_somebody_reads():
    store = LogStore()
    store.extend(map(line, range(20_000)))
    index = LogIndex(store)
    choose(index, "line", near=8_000)
    sizes, done = [0], False
    while not done:
        done = index.work(0)
        sizes.append(len(index))
        assert found(index) == list(range(index.number(0), index.number(0) + len(index)))
        assert done or len(sizes) < 4 or index.number(0) < 8_000 < index.number(len(index) - 1)
    assert sizes == sorted(sizes)
    assert len(sizes) > 100
    assert found(index) == list(range(20_000))


def test_new_entries_are_found_while_it_still_looks():
    store = LogStore()
    store.extend(map(line, range(5000)))
    index = LogIndex(store)
    choose(index, "line", near=5000)
    index.work(0)
    store.extend(map(line, range(5000, 5010)))
    if late := store.extend([line(5008.5)]):
        index.shift(late)
    while not index.work(0):
        pass
    assert found(index) == list(range(5011))


def test_another_filter_starts_anew():
    store = LogStore()
    index = LogIndex(store)
    store.extend([line(1, "alpha"), line(2, "alpine"), line(3, "beta")])
    sizes = []
    for text in ("a", "al", "ALP", "alpi", "al", "", "beta", "nothing"):
        choose(index, text)
        assert index.work(1)
        sizes.append(len(index))
    assert sizes == [3, 2, 2, 1, 2, 3, 1, 0]


def test_sources_are_chosen_and_the_decks_notes_stay():
    store = LogStore()
    index = LogIndex(store)
    store.extend([ServerLine(1, "a"), RuntimeLine(2, "b"), DeckNote(3, "c"), PredictionInput(4, "m", "d")])
    choose(index, "", sources=frozenset({"server"}))
    index.work(1)
    assert [store[number].text for number in found(index)] == ["a", "c"]
    choose(index, "", sources=frozenset({"model", "server", "runtime"}))
    assert len(index) == 4


def test_lines_of_an_exchange_pass_once_its_statistics_are_known():
    store = LogStore()
    index, known = LogIndex(store), {}
    index.exchange_of = lambda entry: known.get(id(entry))
    asked, told = PredictionInput(1, "m", "hi"), RuntimeLine(2, "slot")
    answer = PredictionOutput(3, "m", "ho", PredictionStats(tokens_per_second=10))
    store.extend([asked, told])
    choose(index, "tps<20")
    index.work(1)
    assert found(index) == []
    store.extend([line(2.5), answer])
    index.work(1)
    assert found(index) == [3]
    slow = Exchange(1, "m", 1, input=asked, output=answer, runtime=(told,), stats=answer.stats)
    known.update({id(entry): slow for entry in (asked, told, answer)})
    index.recheck([asked, told, answer, RuntimeLine(99, "let go long ago")])
    assert found(index) == [0, 1, 3]
    known.update({id(told): Exchange(2, "m", 1, stats=PredictionStats(tokens_per_second=50))})
    index.recheck([told, told])
    assert found(index) == [0, 3]
