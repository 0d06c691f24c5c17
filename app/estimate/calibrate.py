"""What earlier loads teach about the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lmdeck.model.confidence import FROM_FILE, FROM_TABLE
from lmdeck.model.estimate import Estimate
from lmdeck.model.history import Calibration, LoadRecord
from lmdeck.model.load import LoadRequest

_NEWEST = 15
"""Loads that are looked at: drivers and runtimes change."""
_SANE = 0.5
"""A difference beyond this share of the prediction is no lesson: the measurement failed, or other things moved."""
_SAME_SHARE, _SAME_CONTEXT = 0.05, 4.0


@dataclass(frozen=True, slots=True)
class Errors:
    """How far the predictions were off, as shares of what was measured: 0.05 is 5 % too much. None where unknown."""

    ours: float | None = None
    lmstudio: float | None = None


def calibration(records: Sequence[LoadRecord], settings: LoadRequest | None = None) -> Calibration | None:
    """The correction for the next load like `settings` (without: like the newest record) from one model's loads on one
    machine, newest first: the median of measured minus predicted. None without a usable record.

    Records of other models or machines are only looked at to leave out loads that overlapped."""
    usable = [each for each in records if _is_usable(each) and not any(_overlap(each, other) for other in records)]
    if not usable:
        return None
    first = usable[0]
    wanted = settings or first.settings
    same = [each for each in usable if (each.model_key, each.machine) == (first.model_key, first.machine)]
    alike = [each for each in same if _alike(each.settings, wanted)][:_NEWEST]
    gpu = _differences(alike, lambda each: (each.predicted_gpu, each.measured_gpu))
    ram = _differences(alike, lambda each: (each.predicted_ram, each.measured_ram))
    if not gpu and not ram:
        return None
    return Calibration(_middle(gpu), _middle(ram), len(gpu or ram))


def correction(parts: Estimate, lesson: Calibration | None) -> int:
    """Bytes to add to an estimate's part on the GPU (to RAM where it uses no GPU); 0 for nothing learned."""
    if lesson is None:
        return 0
    total, wanted = (parts.gpu.total, lesson.correction_gpu) if parts.gpu_layers else (0, lesson.correction_ram)
    bound = int((total or parts.ram.total) * _SANE)
    return max(-bound, min(wanted, bound))


def errors(record: LoadRecord) -> Errors:
    """Our error and LM Studio's for one load: on the GPU where it was measured, else in RAM."""
    if record.measured_gpu and record.predicted_gpu != 0:
        return Errors(
            _off(record.predicted_gpu, record.measured_gpu),
            _off(record.lmstudio_gpu, record.measured_gpu),
        )
    return Errors(_off(record.predicted_ram, record.measured_ram), _off(record.lmstudio_total, record.measured_ram))


def _off(predicted: int | None, measured: int | None) -> float | None:
    if predicted is None or not measured or measured < 0:
        return None
    return (predicted - measured) / measured


def _is_usable(record: LoadRecord) -> bool:
    """A load that worked, was predicted by the formulas, and was measured with a plausible outcome somewhere."""
    if record.cause or record.confidence not in (FROM_FILE, FROM_TABLE):
        return False
    pairs = (record.predicted_gpu, record.measured_gpu), (record.predicted_ram, record.measured_ram)
    return any(_plausible(*pair) for pair in pairs)


def _plausible(predicted: int | None, measured: int | None) -> bool:
    if not predicted or measured is None or measured <= 0:
        return False
    return abs(measured - predicted) <= _SANE * predicted


def _overlap(one: LoadRecord, other: LoadRecord) -> bool:
    """Whether two loads were under way at once, so that each was measured with the other's memory. A record is made
    at the end of its load."""
    if one is other or one.machine != other.machine:
        return False
    return one.at - (one.load_time_s or 0.0) < other.at and other.at - (other.load_time_s or 0.0) < one.at


def _alike(one: LoadRequest, other: LoadRequest) -> bool:
    """Whether a difference seen with one tells something about the other: the same share on the GPU, and a context of
    about the same order (what differs may grow with it: a cache type chosen in LM Studio's window)."""
    shares = [1.0 if each.gpu is None else each.gpu for each in (one, other)]
    in_ram = [each.offload_kv_cache_to_gpu is False for each in (one, other)]
    if abs(shares[0] - shares[1]) > _SAME_SHARE or in_ram[0] != in_ram[1]:
        return False
    contexts = sorted(each.context_length or 4096 for each in (one, other))
    return contexts[1] <= _SAME_CONTEXT * contexts[0]


def _differences(
    records: Sequence[LoadRecord], pair: Callable[[LoadRecord], tuple[int | None, int | None]]
) -> list[int]:
    pairs = [pair(each) for each in records]
    return sorted((m or 0) - (p or 0) for p, m in pairs if _plausible(p, m))


def _middle(differences: Sequence[int]) -> int:
    """The median; of two in the middle the one that corrects less, so that one bad measurement of two does no harm."""
    if not differences:
        return 0
    return min(differences[(len(differences) - 1) // 2], differences[len(differences) // 2], key=abs)
