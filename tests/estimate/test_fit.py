"""Verdicts with their figures, the largest that fits, and who would have to go."""

from __future__ import annotations

import itertools
import random

import pytest

from lmdeck.estimate.fit import DRIVER_BYTES, MEASURED_BYTES, judge, largest_context, make_room, most_slots
from lmdeck.model.outlook import Occupant, Room

GIB, MIB = 2**30, 2**20


def gib(amount: float | None) -> int | None:
    return None if amount is None else int(amount * GIB)


@pytest.mark.parametrize(
    ("gpu", "ram", "spread", "free", "word", "words"),
    [
        (25.1, 0.2, 0, (18.2, 60), "does not fit", "needs 25.1 GiB of VRAM, 18.2 GiB is free: 6.9 GiB short"),
        (17.6, 0.2, 0, (18.0, 60), "tight", "fits, but only 0.4 GiB of VRAM would be left: the driver's own memory"),
        (17.0, 0.2, 0.5, (18.0, 60), "tight", "1.0 GiB of VRAM would be left, and it may take 0.5 GiB more"),
        (17.0, 0.2, 0.1, (18.0, 60), "fits", "needs 17.0 GiB of VRAM, 18.0 GiB is free"),
        (8.0, 30.0, 0, (18.0, 12.0), "does not fit", "needs 30.0 GiB of RAM, 12.0 GiB is free: 18.0 GiB short"),
        (8.0, 11.8, 0, (18.0, 12.0), "tight", "fits, but only 0.2 GiB of RAM would be left"),
        (20.0, 30.0, 0, (18.0, 12.0), "does not fit", "2.0 GiB short; needs 30.0 GiB of RAM"),
        (0, 8.0, 0, (18.0, 12.0), "fits", "needs 8.0 GiB of RAM, 12.0 GiB is free"),
        (0, 8.0, 4.0, (18.0, 12.0), "tight", "4.0 GiB of RAM would be left, and it may take 4.0 GiB more"),
        (8.0, 0.2, 0, (18.0, None), "fits", "needs 8.0 GiB of VRAM"),
        (18.01, 0, 0, (18.0, 12.0), "does not fit", ": 10 MiB short"),
        (None, None, 0, (18.0, 12.0), "unknown", "what it needs is not known"),
        (8.0, 0.2, 0, (None, None), "unknown", "how much is free is not known"),
        (0, 0.2, 0, (18.0, None), "unknown", "of RAM; how much is free is not known"),
    ],
)
def test_verdicts(gpu, ram, spread, free, word, words) -> None:
    room = Room(gib(free[0]), None if free[0] is None else 24 * GIB, gib(free[1]))
    verdict = judge(gib(gpu), gib(ram), gib(spread) or 0, room)
    assert verdict.word == word
    assert words in verdict.reason
    assert "\n" not in verdict.reason


def test_without_a_gpu_everything_is_compared_with_ram() -> None:
    room = Room(ram_free=12 * GIB, ram_total=16 * GIB)
    assert judge(8 * GIB, 2 * GIB, 0, room).word == "fits"
    verdict = judge(10 * GIB, 3 * GIB, 0, room)
    assert verdict.word == "does not fit"
    assert verdict.reason == "no GPU is known: needs 13.0 GiB of RAM, 12.0 GiB is free: 1.0 GiB short"
    assert judge(10 * GIB, int(1.8 * GIB), 0, room).word == "tight"


def test_a_gpu_that_does_not_tell_its_free_memory_is_no_missing_gpu() -> None:
    assert judge(8 * GIB, 0, 0, Room(None, 24 * GIB, 60 * GIB)).word == "unknown"


def test_a_measured_load_needs_less_headroom() -> None:
    room = Room(18 * GIB, 24 * GIB)
    need = 18 * GIB - (DRIVER_BYTES + MEASURED_BYTES) // 2
    assert judge(need, 0, 0, room).word == "tight"
    assert judge(need, 0, 0, room, headroom=MEASURED_BYTES).word == "fits"


@pytest.mark.parametrize("limit", [200, 512, 700, 2048, 8192, 40_960, 41_000])
def test_the_largest_context_is_brute_forces(limit: int) -> None:
    typed = [n for n in range(1, limit + 1) if n % 1024 == 0 or (n < 1024 and n % 256 == 0) or n == limit]
    for most in (0, 100, 255, 256, 511, 600, 1023, 1024, 5000, limit - 1, limit, limit + 1):
        fitting = [n for n in typed if n <= most]
        assert largest_context(limit, lambda n, most=most: n <= most) == max(fitting, default=None)


@pytest.mark.parametrize("most", [0, 1, 2, 31, 63, 64, 100])
def test_the_most_slots(most: int) -> None:
    assert most_slots(lambda n: n <= most) == (min(most, 64) or None)


def test_the_search_is_short() -> None:
    asked = []
    assert largest_context(1_048_576, lambda n: asked.append(n) or n <= 300_000) == 299_008
    assert len(asked) < 12


def occupant(name: str, size: float | None, busy: bool = False, used: float | None = None) -> Occupant:
    return Occupant(name, gib(size), busy, used)


ROOM = Room(4 * GIB, 24 * GIB, 60 * GIB)


@pytest.mark.parametrize(
    ("need", "occupants", "going"),
    [
        (4, [], ()),
        (5, [], None),
        (6, [occupant("a", 3), occupant("b", 9)], ("a",)),  # both help alone, and neither was used: the first
        (6, [occupant("a", 3, used=9), occupant("b", 9, used=5)], ("b",)),
        (9, [occupant("a", 3), occupant("b", 9)], ("b",)),
        (14, [occupant("a", 3, used=1), occupant("b", 9, used=2), occupant("c", 2, used=0)], ("c", "b")),
        (6, [occupant("a", 3, busy=True), occupant("b", 3)], ("b",)),
        (6, [occupant("a", 3, busy=True), occupant("b", 1)], ("a",)),
        (8, [occupant("a", 3, busy=True), occupant("b", 1)], ("a", "b")),
        (6, [occupant("a", None), occupant("b", 1)], None),
        (6, [occupant("a", None), occupant("b", 2)], ("b",)),
        (40, [occupant("a", 3), occupant("b", 9)], None),
    ],
)
def test_who_makes_room(need: float, occupants: list[Occupant], going: tuple[str, ...] | None) -> None:
    assert make_room(int(need * GIB), ROOM, occupants) == going


def test_room_is_made_in_ram_without_a_gpu_and_nowhere_when_nothing_is_known() -> None:
    loaded = [occupant("a", 3)]
    assert make_room(6 * GIB, Room(ram_free=4 * GIB), loaded) == ("a",)
    assert make_room(6 * GIB, Room(), loaded) is None


def test_the_fewest_go_whatever_there_is() -> None:
    """Against brute force: as few as possible, no busy one in vain, and the longest unused of equally few."""
    draw = random.Random(3)
    for _ in range(300):
        loaded = [
            occupant(str(n), draw.choice((1, 2, 3, 5)), draw.random() < 0.3, draw.random())
            for n in range(draw.randint(1, 6))
        ]
        need = draw.randint(3, 20)
        sets = [
            chosen
            for size in range(len(loaded) + 1)
            for chosen in itertools.combinations(loaded, size)
            if sum(each.bytes or 0 for each in chosen) >= (need - 4) * GIB
        ]
        going = make_room(need * GIB, ROOM, loaded)
        if not sets:
            assert going is None
            continue
        assert going is not None
        busy = {each.instance_id for each in loaded if each.busy}
        fewest_busy = min(sum(each.busy for each in chosen) for chosen in sets)
        assert len(busy & {*going}) == fewest_busy
        if not fewest_busy:
            idle = [chosen for chosen in sets if not any(each.busy for each in chosen)]
            equal = [chosen for chosen in idle if len(chosen) == min(map(len, idle))]
            best = min(equal, key=lambda chosen: sorted(each.last_used for each in chosen))
            assert {*going} == {each.instance_id for each in best}
