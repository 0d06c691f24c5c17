"""Log entries in bounded memory, in the order of their times."""

import random

import pytest

from lmdeck.model.log import RuntimeLine
from lmdeck.widgets.log_store import HELD, REACH_S, LogStore


def line(at, text=""):
    return RuntimeLine(float(at), f"line {at} {text}")


def times(store):
    return [entry.at for entry in store.block(range(store.first, store.end))]


def test_numbers_stay_when_old_entries_go():
    store = LogStore(entries=100)
    store.extend(line(number) for number in range(1000))
    assert store.end == 1000
    assert 100 <= store.end - store.first <= 112
    assert store[990] == line(990)
    assert [entry.at for entry in store.block(range(995, 999))] == [995, 996, 997, 998]
    assert [entry.at for entry in store.block(range(999, 996, -1))] == [999, 998, 997]


def test_text_is_bounded_too_and_the_last_entry_stays():
    store = LogStore(entries=1000, text_bytes=10_000)
    for number in range(50):
        store.extend([line(number, "x" * 1000)])
    assert store.end - store.first <= 10
    store.extend([line(50, "x" * 100_000)])
    assert (store.first, store.end) == (50, 51)


def test_held_entries_are_more_but_not_without_end():
    store = LogStore(entries=80)
    store.held = True
    store.extend(map(line, range(80 * HELD)))
    assert store.first == 0
    store.extend(map(line, range(1000, 1400)))
    assert store.first > 0
    store.held = False
    store.extend([line(2000)])
    assert store.end - store.first == 80


def test_late_entries_go_where_their_times_belong():
    store = LogStore()
    assert store.extend([line(1.0), line(1.5), line(3.0)]) is None
    assert store.extend([line(3.0), line(4.0)]) is None
    late = store.extend([line(3.5), line(2.5)])
    assert times(store) == [1.0, 1.5, 2.5, 3.0, 3.0, 3.5, 4.0]
    assert late.start == 2
    assert [late.place(number) for number in range(5)] == [0, 1, 3, 4, 6]


def test_what_has_the_same_time_keeps_the_order_in_which_it_came():
    store = LogStore()
    for name in "ab":
        store.extend([line(1.0, name), line(2.0, name)])
    assert [entry.text[-1] for entry in store.block(range(4))] == ["a", "b", "a", "b"]


def test_what_comes_too_late_stands_where_it_came():
    store = LogStore()
    store.extend([line(0), line(10)])
    assert store.extend([line(10 - REACH_S - 1)]) is None
    assert store.extend([line(20)]) is None
    store.extend([line(19)])
    assert times(store) == [0, 10, 10 - REACH_S - 1, 19, 20]


def test_a_backfill_reaches_as_far_as_it_must():
    store = LogStore()
    store.extend([line(100)])
    store.extend([line(5), line(3)], float("inf"))
    assert times(store) == [3, 5, 100]


def test_nothing_is_put_between_what_is_settled():
    store = LogStore()
    store.extend([line(1), line(2)])
    store.settle()
    store.settle()
    assert store.extend([line(1.5)]) is None
    store.extend([line(1.2)])
    assert times(store) == [1, 2, 1.2, 1.5]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf"), 1e300, -1e300])
def test_impossible_times_lose_nothing(odd):
    store = LogStore()
    for number in range(20):
        store.extend([line(number), line(odd), line(number - 0.5)])
    store.extend([line(30), line(31)])
    store.extend([line(30.5)])
    assert store.end == 63
    assert times(store)[-3:] == [30, 30.5, 31] or odd != odd or odd == float("inf")


def test_numbers_are_found_again_and_places_are_kept_whatever_comes():
    dice, store = random.Random(3), LogStore(entries=300)
    sent, reader = 0, None
    for step in range(400):
        now = step * 0.05 - (1000 if step % 50 == 0 else 0)
        batch = [line(round(now - dice.random() * dice.choice([0.05, 1.0]), 2)) for _ in range(dice.randrange(12))]
        late = store.extend(batch)
        sent += len(batch)
        if reader and late:
            reader = late.place(reader[0]), reader[1]
        if reader and reader[0] >= store.first:
            assert store[reader[0]] is reader[1]
        if step % 7 == 0 and store.end > store.first:
            number = max(store.first, store.end - 1 - dice.randrange(30))
            reader = number, store[number]
        if dice.random() < 0.05:
            store.settle()
    assert store.end == sent
    assert all(store.number_of(store[number]) == number for number in range(store.first, store.end))
    assert store.number_of(line(1e9)) is None
