"""Numbers as people read them."""

from lmdeck.model import units


def test_unknown_is_a_dash() -> None:
    assert {units.gib(None), units.size(None), units.rate(None), units.countdown(None), units.percent(None)} == {"–"}


def test_sizes() -> None:
    assert [units.size(n) for n in (0, 512, 88_080_384, 18_683_000_000, 2**41)] == [
        "0 B",
        "512 B",
        "84.0 MiB",
        "17.4 GiB",
        "2.0 TiB",
    ]
    assert units.gib(48_500_000_000) == "45.2"
    assert [units.gigabytes(n) for n in (None, 4_000_000, 84_000_000, 17_400_000_000)] == ["–", "<0.1", "0.1", "17.4"]


def test_times() -> None:
    assert [units.countdown(s) for s in (-5, 0, 59.6, 2530, 3723)] == ["0:00", "0:00", "1:00", "42:10", "1:02:03"]
    assert [units.elapsed(s) for s in (3.24, 59.9, 65)] == ["3.2 s", "59.9 s", "1:05"]


def test_the_words_that_are_relied_on() -> None:
    assert units.rate(41.3) == "41.3 tok/s"
    assert units.ttft(0.314) == "TTFT 0.31 s"
