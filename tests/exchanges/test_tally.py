"""Statistics against a computation of their own, windows that slide, a sketch that keeps its word."""

# ruff: noqa: E501  (log lines and cases are one line each)

import random
import statistics
from collections.abc import Iterable
from dataclasses import replace

import pytest

from lmdeck.exchanges import counts, flight
from lmdeck.exchanges import tally as module
from lmdeck.exchanges.spread import SKETCH_ERROR, Sketch, Values, percentile
from lmdeck.exchanges.tally import Tally
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import PredictionStats
from lmdeck.model.statistics import Spread, Summary


def exchange(number: int, at: float, took: float = 1.0, instance: str = "a", **more: object) -> Exchange:
    given = {
        "stop_reason": "eosFound",
        "tokens_per_second": 10.0 + number % 7,
        "ttft_s": 0.1,
        "prompt_tokens": 3,
        "predicted_tokens": 5,
    }
    error = str(more.pop("error", ""))
    return Exchange(number, instance, at, at + took, stats=PredictionStats(**(given | more)), error=error)  # type: ignore[arg-type]


def counted(exchanges: Iterable[Exchange]) -> Tally:
    tally = Tally()
    for each in exchanges:
        tally.add(each)
    return tally


def reference(values: list[float]) -> Spread:
    if len(values) < 2:
        return Spread(len(values), *values, *values)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return Spread(len(values), pytest.approx(cuts[49]), pytest.approx(cuts[94]))  # type: ignore[arg-type]


def test_percentiles_interpolate() -> None:
    dice = random.Random(1)
    for count in (1, 2, 3, 10, 101):
        values = Values()
        given = [dice.expovariate(1) for _ in range(count)]
        values.add(given)
        assert values.spread() == reference(given)
    assert percentile([1.0, 2.0], 0.5) == 1.5
    assert Values().spread() == Spread()


@pytest.mark.parametrize("few", [True, False])
def test_values_come_and_go(few: bool) -> None:
    dice, values = random.Random(2), Values()
    kept = [float(dice.randint(0, 500)) for _ in range(3_000)]
    values.add(kept)
    values.spread()
    values.remove(kept.pop(dice.randrange(len(kept))) for _ in range(50 if few else 2_500))
    values.add([7.0])
    assert values.spread() == reference([*kept, 7.0])


@pytest.mark.parametrize("seed", range(3))
def test_the_sketch_keeps_its_word_also_when_merged(seed: int) -> None:
    dice = random.Random(seed)
    values = [dice.lognormvariate(0, 2) for _ in range(20_000)]
    one, other = Sketch(), Sketch()
    for number, value in enumerate(values):
        (one if number % 3 else other).add([value])
    one.merge(other)
    spread, ordered = one.spread(), sorted(values)
    assert (spread.count, spread.exact) == (20_000, False)
    for found, share in ((spread.p50, 0.5), (spread.p95, 0.95)):
        assert found is not None
        assert abs(found / ordered[int(share * 19_999)] - 1) <= SKETCH_ERROR + 1e-9


def test_everything_that_is_counted() -> None:
    tally = counted([
        exchange(1, 100.0, took=10.0, ttft_s=0.5),
        exchange(2, 101.0, took=2.0, stop_reason="contextLengthReached"),
        exchange(3, 102.0, took=5.0, instance="b", stop_reason="maxPredictedTokensReached"),
        exchange(4, 103.0, took=1.0, stop_reason="failed", error="no memory", tokens_per_second=None, predicted_tokens=None),
        Exchange(5, "a", 104.0),
    ])  # fmt: skip
    everything, first, second = tally.summaries("session", 120.0)
    assert everything == Summary(
        "", 4, 12, 15, Spread(3, 12.0, 12.9), Spread(4, 0.1, pytest.approx(0.44)),  # type: ignore[arg-type]
        {"eosFound": 1, "contextLengthReached": 1, "maxPredictedTokensReached": 1, "failed": 1}, 1, 2, 3,
    )  # fmt: skip
    assert (first.instance_id, first.requests, first.queue_peak) == ("a", 3, 2)
    assert (second.instance_id, second.requests, second.queue_peak, second.truncated) == ("b", 1, 1, 1)


def test_a_finished_one_counts_once() -> None:
    tally = Tally()
    for each in (Exchange(1, "a", 100.0), Exchange(1, "a", 100.0, path="/x"), exchange(1, 100.0), exchange(1, 100.0)):
        tally.add(each)
    (everything, _) = tally.summaries("session", 200.0)
    assert (everything.requests, everything.queue_peak) == (1, 1)


def test_nothing_yet() -> None:
    assert Tally().summaries("1 m", 5.0) == (Summary(""),)
    assert Tally().series("session", 5.0, 3).in_flight == (0, 0, 0)
    with pytest.raises(KeyError):
        Tally().summaries("2 m", 5.0)


def test_windows_slide() -> None:
    dice = random.Random(3)
    exchanges = [
        exchange(number, dice.uniform(0, 8_000), dice.uniform(0, 30), f"m{number % 3}", ttft_s=dice.random())
        for number in range(4_000)
    ]
    exchanges.sort(key=lambda each: each.ended_at or 0)
    exchanges = [replace(each, number=number) for number, each in enumerate(exchanges)]
    tally, fed = Tally(), 0
    for now in (50.0, 700.0, 710.0, 4_000.0, 7_000.0, 12_000.0, 20_000.0):
        while fed < len(exchanges) and (exchanges[fed].ended_at or 0) <= now:
            tally.add(exchanges[fed])
            fed += 1
        for window, span in (("1 m", 60), ("15 m", 900), ("1 h", 3_600), ("session", 1e9)):
            inside = [each for each in exchanges[:fed] if (each.ended_at or 0) > now - span]
            everything, *lines = tally.summaries(window, now)
            assert everything.requests == len(inside)
            assert (
                everything.ttft == reference([each.stats.ttft_s for each in inside if each.stats])
                if inside
                else Spread()
            )
            assert sum(line.requests for line in lines) == len(inside)
            assert [line.requests for line in lines] == sorted((line.requests for line in lines), reverse=True)


def test_beyond_what_is_exact_a_sketch_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT", 1_000)
    dice = random.Random(4)
    exchanges = [
        exchange(number, number * 1.0, 0.0, f"m{number % 2}", ttft_s=dice.lognormvariate(0, 1))
        for number in range(5_000)
    ]
    tally = counted(exchanges)
    for window, span, is_exact in (
        ("session", 1e9, False),
        ("1 h", 3_600, False),
        ("15 m", 900, True),
        ("1 m", 60, True),
    ):
        inside = [each for each in exchanges if (each.ended_at or 0) > 4_999 - span]
        everything, *lines = tally.summaries(window, 4_999.0)
        assert everything.ttft.exact == is_exact
        assert abs(everything.requests - len(inside)) <= (0 if is_exact or window == "session" else 10)
        assert everything.requests == sum(line.requests for line in lines)
        values = [each.stats.ttft_s for each in inside if each.stats and each.stats.ttft_s]
        expected = reference(values)
        assert everything.ttft.p50 == (expected.p50 if is_exact else pytest.approx(statistics.median(values), rel=0.02))
        assert everything.ttft.p95 == (
            expected.p95 if is_exact else pytest.approx(sorted(values)[int(0.95 * len(values))], rel=0.02)
        )
    everything, *_ = tally.summaries("1 h", 8_400.0)  # what was too much has slid out of the window
    assert (everything.ttft.exact, everything.requests) == (True, 199)


def test_names_beyond_a_bound_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_NAMES", 10)
    tally = counted(exchange(number, 100.0, instance=f"m{number}", stop_reason="eosFound") for number in range(50))
    everything, *lines = tally.summaries("session", 200.0)
    assert (everything.requests, everything.queue_peak, everything.stop_reasons) == (50, 50, {"eosFound": 50})
    assert len(lines) == 9


def test_a_clock_that_is_ahead_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "_MOST_EVENTS", 100)
    tally = counted(Exchange(number, "ahead", 1e12) for number in range(1_000))
    assert len(tally._flight._events) <= 100
    assert tally.summaries("session", 2e12)[0].queue_peak == 1_000


def test_curves() -> None:
    tally = counted([
        exchange(1, 1_000.0, took=10.0, tokens_per_second=10.0, predicted_tokens=100, ttft_s=0.5),
        exchange(2, 1_005.0, took=10.0, tokens_per_second=20.0, predicted_tokens=200, ttft_s=1.5),
        Exchange(3, "b", 1_012.0),
    ])  # fmt: skip
    series = tally.series("1 m", 1_020.0, 12)
    assert series.step_s == 5.0
    assert series.tokens_per_second == pytest.approx([0] * 8 + [10, 30, 20, 0])
    assert series.ttft == (*[None] * 10, 0.5, 1.5)
    assert series.in_flight == (*[0] * 8, 1, 2, 2, 2)
    session = tally.series("session", 1_060.0, 6)
    assert (session.step_s, session.in_flight) == (10.0, (2, 2, 1, 1, 1, 1))
    assert sum(session.tokens_per_second) * 10 == pytest.approx(300)
    assert sum(tally.series("session", 200_000.0, 50).tokens_per_second) * 199_000 / 50 == pytest.approx(300)


def test_requests_under_way_are_counted_in_whatever_order_they_are_told() -> None:
    dice = random.Random(5)
    exchanges = [exchange(number, dice.uniform(0, 100), dice.uniform(0, 9)) for number in range(90)]
    steps = sorted([(each.at, 1) for each in exchanges] + [(each.ended_at or 0, -1) for each in exchanges])
    level = peak = 0
    for _, step in steps:
        level += step
        peak = max(peak, level)
    tally = counted(exchanges)
    assert tally.summaries("session", 200.0)[0].queue_peak == peak
    assert max(tally.series("session", 200.0, 40).in_flight) == peak


def test_a_hundred_thousand_are_exact_and_quick_to_read_again() -> None:
    import time

    tally = counted(exchange(number, number * 0.03, 0.0, f"m{number % 3}") for number in range(100_000))
    tally.summaries("1 h", 3_000.0)
    began = time.process_time()
    everything, *_ = tally.summaries("1 h", 3_000.0)
    assert time.process_time() - began < 0.1
    assert (everything.requests, everything.speed.exact) == (100_000, True)
