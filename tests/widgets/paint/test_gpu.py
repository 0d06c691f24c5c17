"""GPUs and the host as lines."""

from dataclasses import replace

import pytest

from lmdeck.model.machine import Gpu, Holder, HostSample
from lmdeck.model.problem import Problem
from lmdeck.widgets.paint.gpu import gpu_lines, holders, host_lines, main_host_lines, short_name
from lmdeck.widgets.paint.line import plain, width
from lmdeck.widgets.paint.spark import History

G, MIB = 2**30, 2**20
NAME = "NVIDIA GeForce RTX 4090"
CARD = Gpu(0, NAME, 21 * G, 24 * G, 19 * G, 87.0, 61.0, 312.4, 450.0, 45.0, 2520, 10501, 2**30, 2**20)
BARE = Gpu(1, "Tesla T4")
LOST = Gpu(0, NAME, problem=Problem("GPU lost", "it has fallen off the bus", "reboot the machine"))
HOST = HostSample(23.0, 41 * G, 96 * G, G // 2, 8 * G, 12.0, 9 * G)


def history(*values):
    made = History()
    for value in values:
        made.push(value)
    return made


def text(lines):
    return [plain(line) for line in lines]


def test_a_gpu_on_three_lines():
    assert text(gpu_lines(CARD, history(*[0] * 60, *[100] * 60), 39, 3)) == [
        "0 RTX 4090   87 %  61 °C  312/450 W",
        "███████████████████▓▓░░░  21.0/24.0 GiB",
        "LM Studio 19.0 · other 2.0         ▁▁██",
    ]


def test_more_lines_tell_more():
    lines = text(gpu_lines(CARD, history(*[50] * 300), 60, 8))
    assert lines[2] == "LM Studio 19.0 · other 2.0" + " " * 16 + "utilisation, 5 min"
    assert lines[3] == "fan 45 %  2520/10501 MHz  PCIe rx 1.0 GiB/s  tx 1.0 MiB/s"
    assert lines[4:] == [" " * 60, " " * 60, "█" * 60, "█" * 60]


def test_compact_is_one_line():
    (line,) = text(gpu_lines(CARD, history(), 60, 1))
    assert line.startswith("0 RTX 4090   87 %  21.0/24.0 GiB  61 °C  312/450 W")


def test_what_the_driver_does_not_tell_is_left_out_or_said():
    assert text(gpu_lines(BARE, history(), 39, 4)) == ["1 T4", "memory: not told by the driver", " " * 39]
    unknown = replace(CARD, vram_lmstudio=None)
    lines = text(gpu_lines(unknown, history(), 24, 3))
    assert lines[2] == "LM Studio's part unknown"
    assert "█" not in lines[1]
    assert "▓" in lines[1]


def test_a_gpu_in_trouble_says_so_in_words():
    assert text(gpu_lines(LOST, history(), 60, 3)) == [
        "0 RTX 4090",
        "✗ GPU lost: it has fallen off the bus",
        "reboot the machine",
    ]
    assert text(gpu_lines(LOST, history(), 60, 1)) == ["0 RTX 4090  ✗ GPU lost: it has fallen off the bus"]


def test_hostile_name():
    assert short_name("NVIDIA\x1b[2J [bold]x[/]") == "NVIDIA␛[2J [bold]x[/]"


def test_host_beside_gpus():
    assert text(host_lines(HOST, history(), 39, 3)) == [
        "RAM █▓▓▓▓▓░░░░░░░  41/96 GiB  CPU  23 %",
        "LM Studio 9.0 GiB · 12 % CPU" + " " * 11,
        "swap ▓░░░░░░░░░░░░░░░░░░░░  0.5/8.0 GiB",
    ]


def test_host_in_the_gpus_place():
    lines = text(main_host_lines(HOST, history(), 60, 6))
    assert lines[0] == "RAM  CPU  23 %  LM Studio 12 %"
    assert lines[1].endswith("41/96 GiB")
    assert lines[2].startswith("LM Studio 9.0 · other 32.0")


def test_host_without_swap_and_without_lm_studio():
    bare = HostSample(5.0, G, 4 * G, 0, 0)
    assert len(host_lines(bare, history(), 39, 3)) == 2
    assert "swap" not in " ".join(text(main_host_lines(bare, history(), 39, 9)))


@pytest.mark.parametrize("cells", [1, 5, 17, 39, 77, 160])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 9, 40])
def test_any_size(cells, rows):
    some = history(*range(100))
    for lines in (
        gpu_lines(CARD, some, cells, rows),
        gpu_lines(BARE, some, cells, rows),
        gpu_lines(LOST, some, cells, rows),
        host_lines(HOST, some, cells, rows),
        main_host_lines(HOST, some, cells, rows),
    ):
        assert len(lines) <= rows
        if cells >= 17:
            assert max(map(width, lines)) <= cells


def test_names_of_holders_take_only_the_room_there_is():
    others = (Holder(1, "Xorg", 400 * MIB), Holder(2, "firefox", 300 * MIB), Holder(3, "cat", 10 * MIB))
    whole = "LM Studio 1.0 · other 1.0: Xorg 0.4, firefox 0.3"
    assert plain(holders(2048 * MIB, 1024 * MIB, others, 100)) == whole
    assert plain(holders(2048 * MIB, 1024 * MIB, others, len(whole))) == whole
    assert plain(holders(2048 * MIB, 1024 * MIB, others, len(whole) - 1)) == "LM Studio 1.0 · other 1.0: Xorg 0.4"
    assert plain(holders(2048 * MIB, 1024 * MIB, others)) == "LM Studio 1.0 · other 1.0"
    assert plain(holders(2048 * MIB, None, others[:1], 100)) == "LM Studio's part unknown · Xorg 0.4"
