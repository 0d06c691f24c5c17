"""The hint that a model runs partly from RAM: only with figures that say so."""

import pytest

from lmdeck.evidence.spill import spill_hint
from lmdeck.model.machine import Gpu

GIB = 2**30
FULL = Gpu(0, "card", vram_used=int(23.6 * GIB), vram_total=24 * GIB, pcie_rx=3_200_000_000)


def hint(*gpus: Gpu, busy=True, gpu_layers=49, layers=49, wanted_all=True) -> str:
    return spill_hint(gpus, busy=busy, gpu_layers=gpu_layers, layers=layers, wanted_all=wanted_all)


def test_fewer_layers_than_asked():
    assert hint(gpu_layers=41) == "41 of 49 layers are on the GPU: the rest runs from RAM"
    assert hint(gpu_layers=1, busy=False) == "1 of 49 layers is on the GPU: the rest runs from RAM"


@pytest.mark.parametrize(
    "known", [{"wanted_all": False}, {"gpu_layers": None}, {"layers": None}, {"gpu_layers": -1}, {"gpu_layers": 49}]
)
def test_layers_say_nothing(known):
    assert hint(**{"gpu_layers": 41} | known) == ""


def test_full_and_busy_over_pcie():
    words = "VRAM is full and 3.2 GB/s come over PCIe while it generates: it may have spilled into RAM"
    assert hint(FULL) == words
    roomy = Gpu(1, "other", vram_used=GIB, vram_total=24 * GIB, pcie_rx=9_000_000_000)
    assert hint(roomy, FULL) == words


@pytest.mark.parametrize(
    "gpu",
    [
        Gpu(0, "roomy", vram_used=23 * GIB, vram_total=24 * GIB, pcie_rx=3_200_000_000),
        Gpu(0, "quiet", vram_used=24 * GIB, vram_total=24 * GIB, pcie_rx=999_999_999),
        Gpu(0, "silent", vram_used=24 * GIB, vram_total=24 * GIB),
        Gpu(0, "memory unknown", pcie_rx=3_200_000_000),
        Gpu(0, "simulated", vram_used=24 * GIB, vram_total=24 * GIB, pcie_rx=3_200_000_000, simulated=True),
    ],
)
def test_no_figures_no_hint(gpu):
    assert hint(gpu) == ""


def test_an_idle_model_explains_no_traffic():
    assert hint(FULL, busy=False) == ""
    assert hint() == ""
