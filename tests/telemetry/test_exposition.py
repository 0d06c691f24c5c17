"""Prometheus' text format, against what its official library writes and reads."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lmdeck.telemetry.exposition import LONGEST_LINE, Sample, samples


def test_what_the_official_library_writes_is_read_as_it_reads_it() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("odd_names", "Odd ones.", ["name", "other"], registry=registry)
    for number, name in enumerate(("plain", 'quo"te', "back\\slash", "two\nlines", "brace}", "com,ma", "eq=", "", "ü")):
        gauge.labels(name, "x").set(number / 3)
    Gauge("alone", "Without labels.", registry=registry).set(-1.5e-9)
    text = generate_latest(registry).decode()

    official = [
        Sample(one.name, one.labels, one.value)
        for family in text_string_to_metric_families(text)
        for one in family.samples
    ]
    assert list(samples(text)) == official
    assert len(official) == 10


def test_blanks_and_times_do_not_matter() -> None:
    assert list(samples('a{x="1", y="2",} 3 1788387174142\n  b\t4\nc {} 5\n')) == [
        Sample("a", {"x": "1", "y": "2"}, 3),
        Sample("b", {}, 4),
        Sample("c", {}, 5),
    ]


def test_what_is_no_sample_is_left_out() -> None:
    text = f'# HELP a b\n<html>\na{{x=1}} 2\na{{x="1}} 2\na NaN\na +Inf\na x\na{"b" * LONGEST_LINE} 1\nlast 1\n'
    assert [one.name for one in samples(text)] == ["last"]
