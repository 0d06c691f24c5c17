"""What earlier loads teach: the median difference, without the loads that teach nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lmdeck.estimate.calibrate import Errors, calibration, errors
from lmdeck.model.history import Calibration, LoadRecord
from lmdeck.model.load import LoadRequest

GIB, MIB = 2**30, 2**20


def load(off: int | None, at: float = 0, predicted: int = 10_000, **changes: object) -> LoadRecord:
    """A load of `predicted` MiB that took `off` MiB more."""
    record = LoadRecord(
        at=at,
        server="http://127.0.0.1:1234",
        machine="RTX 4090",
        model_key="m",
        instance_id="m",
        settings=LoadRequest("m", context_length=8192),
        load_time_s=10,
        predicted_gpu=predicted * MIB,
        predicted_ram=400 * MIB,
        confidence="from the file",
        measured_gpu=None if off is None else (predicted + off) * MIB,
    )
    return replace(record, **changes)


def series(*offs: int | None) -> list[LoadRecord]:
    """Loads, newest first, a minute apart."""
    return [load(off, at=-60.0 * n) for n, off in enumerate(offs)]


@pytest.mark.parametrize(
    ("offs", "median", "loads"),
    [
        ((500,), 500, 1),
        ((500, 600), 500, 2),
        ((-500, -600), -500, 2),
        ((500, 4000), 500, 2),
        ((500, 520, 540), 520, 3),
        ((500, 520, 4900), 520, 3),
        ((-4900, 500, 520), 500, 3),
        ((500, 520, 540, 560), 520, 4),
        ((6000, 500, 500), 500, 2),  # beyond half the prediction: not used
        ((-6000, 500, 500), 500, 2),
        ((None, 500), 500, 1),
        ((-10_000, 500), 500, 1),  # nothing measured at all
        ((-10_500, 500), 500, 1),
    ],
)
def test_the_median_of_what_is_sane(offs: tuple[int | None, ...], median: int, loads: int) -> None:
    assert calibration(series(*offs)) == Calibration(median * MIB, 0, loads)


@pytest.mark.parametrize("records", [[], series(None), series(9000), series(-10_000)])
def test_nothing_learned(records: list[LoadRecord]) -> None:
    assert calibration(records) is None


@pytest.mark.parametrize(
    "other",
    [
        {"cause": "out of memory"},
        {"confidence": "rough"},
        {"confidence": "LM Studio's figure"},
        {"settings": LoadRequest("m", context_length=8192, gpu=0.5)},
        {"settings": LoadRequest("m", context_length=65_536)},
        {"settings": LoadRequest("m", context_length=8192, offload_kv_cache_to_gpu=False)},
        {"model_key": "n"},
        {"machine": "RTX 3060"},
    ],
)
def test_loads_that_are_not_mixed(other: dict[str, object]) -> None:
    records = [*series(500, 500), load(3000, at=-600, **other), load(3000, at=-700, **other)]
    assert calibration(records) == Calibration(500 * MIB, 0, 2)


def test_loads_like_the_one_that_is_planned() -> None:
    half = LoadRequest("m", context_length=8192, gpu=0.5)
    records = [*series(500, 500), load(100, at=-600, settings=half)]
    assert calibration(records, half) == Calibration(100 * MIB, 0, 1)
    assert calibration(records, replace(half, gpu=0.2)) is None


def test_loads_at_the_same_time_are_left_out() -> None:
    other = load(0, at=-64, model_key="n")
    assert calibration([*series(500, 3000, 600), replace(other, at=-75)]) == Calibration(600 * MIB, 0, 3)
    assert calibration([*series(500, 3000, 600), other]) == Calibration(500 * MIB, 0, 2)
    assert calibration([*series(500, 3000, 600), replace(other, machine="another")]) == Calibration(600 * MIB, 0, 3)


def test_in_ram_without_a_gpu() -> None:
    records = [load(None, predicted_gpu=0, predicted_ram=4000 * MIB, measured_ram=4100 * MIB)]
    assert calibration(records) == Calibration(0, 100 * MIB, 1)


def test_errors() -> None:
    record = load(1000, predicted=9000, lmstudio_gpu=15_000 * MIB, lmstudio_total=20_000 * MIB)
    assert errors(record) == Errors(pytest.approx(-0.1), pytest.approx(0.5))
    in_ram = load(None, predicted_gpu=0, measured_ram=500 * MIB, measured_gpu=0, lmstudio_total=600 * MIB)
    assert errors(in_ram) == Errors(pytest.approx(-0.2), pytest.approx(0.2))
    assert errors(load(None)) == Errors(None, None)
