"""What a load takes, as lines."""

from dataclasses import replace

import pytest

from lmdeck.model.confidence import ROUGH, UNKNOWN
from lmdeck.model.estimate import Estimate, Share, Unknown
from lmdeck.model.outlook import Occupant, Outlook, Room, Verdict
from lmdeck.widgets.paint import memory
from lmdeck.widgets.paint.line import plain, width

GIB = 2**30
GPU, RAM = Share(8 * GIB, 4 * GIB, 0, GIB), Share(GIB // 4, 0, 0, 0, 1024)
PARTS = Estimate(
    8192, 8192, 4 * GIB, 0, GIB, (GIB // 2, 2 * GIB), 8 * GIB, 0, 0, 0, GPU, RAM, 20, 49, "from the file", "b6900"
)
OUTLOOK = Outlook(
    8192,
    4,
    "from the file",
    "b6900",
    gpu_bytes=13 * GIB,
    ram_bytes=RAM.total,
    parts=PARTS,
    verdict=Verdict("fits", "13.0 of 26.0 GiB"),
    room=Room(26 * GIB, 30 * GIB, 60 * GIB, 96 * GIB),
)


def text(lines) -> str:
    return "\n".join(map(plain, lines))


def test_the_bar_stacks_the_parts_up_to_the_end_of_the_free_memory() -> None:
    gpu, ram = memory.bars(OUTLOOK, 52)
    assert plain(gpu) == "GPU ████████▓▓▓▓▒░░░░░░░░░░░░┃ 13.0 of 26.0 GiB free"
    assert plain(ram).startswith("RAM █▪░")
    assert plain(ram).endswith("┃ 0.3 of 60.0 GiB free")


def test_the_mark_moves_inside_where_it_does_not_fit() -> None:
    (gpu, _) = memory.bars(replace(OUTLOOK, room=Room(vram_free=9 * GIB)), 49)
    assert plain(gpu) == "GPU ██████████████▓▓┃▓▓▓▓▓▒▒ 13.0 of 9.0 GiB free"
    (gpu, _) = memory.bars(replace(OUTLOOK, room=Room(vram_free=0)), 49)
    assert plain(gpu).startswith("GPU ┃█")


@pytest.mark.parametrize("cells", [0, 5, 20, 40, 200])
@pytest.mark.parametrize("free", [None, 0, 13 * GIB - 1, 13 * GIB, 90 * GIB])
def test_a_bar_is_never_wider_than_its_room(cells: int, free: int | None) -> None:
    outlook = replace(OUTLOOK, room=Room(vram_free=free))
    lines = [*memory.bars(outlook, cells), *memory.bars(outlook, cells, fresh=False), *memory.table(outlook, cells)]
    assert all(width(line) <= max(cells, len(memory.COMING)) for line in lines)


def test_unknown_free_memory_is_said() -> None:
    assert plain(memory.bars(replace(OUTLOOK, room=Room()), 60)[0]).endswith("13.0 GiB, free memory unknown")


def test_only_the_whole_is_known() -> None:
    rough = replace(OUTLOOK, parts=None, confidence=ROUGH, ram_bytes=None)
    assert text(memory.bars(rough, 38)) == "GPU █████░░░░░┃ ≈13.0 of 26.0 GiB free"
    assert memory.table(rough, 80) == []


def test_the_table_is_the_legend_and_a_correction_stands_apart() -> None:
    corrected = replace(OUTLOOK, gpu_bytes=int(12.5 * GIB), correction_bytes=-GIB // 2, calibrated_by=3)
    assert text(memory.table(corrected, 80)).splitlines() == [
        "GiB  █ weights  ▓ KV cache  ▒ compute  ▪ other  total",
        "GPU        8.0         4.0        1.0     −0.5   12.5",
        "RAM        0.2           0          0     <0.1    0.3",
    ]
    assert sum(part.amount for part in memory.places(corrected)[0].parts) == int(12.5 * GIB)
    assert memory.facts(corrected) == [
        "8192 tokens, 4 slots · compute 0.5 to 2.0 GiB · 20 of 49 layers on the GPU",
        "from the file · b6900 · calibrated by 3 loads: −0.5 GiB",
    ]


def test_one_calibrating_load_and_notes_without_what_an_outsider_may_send() -> None:
    told = replace(
        OUTLOOK, calibrated_by=1, correction_bytes=GIB, notes=("calibrated by 1 load", "slots \x1b[2J not set")
    )
    assert memory.facts(told)[1:] == [
        "from the file · b6900 · calibrated by 1 load: +1.0 GiB",
        "slots ␛[2J not set",
    ]


def test_no_figure_says_why() -> None:
    nothing = Outlook(4096, 4, UNKNOWN, "", unknown=Unknown("its architecture is not covered"))
    assert text(memory.bars(nothing, 40)) == "memory needed: unknown"
    assert text(memory.verdict(nothing, 80)) == "? unknown: its architecture is not covered"
    assert text(memory.verdict(nothing, 24)).splitlines() == ["? unknown: its", "architecture is not", "covered"]
    assert plain(memory.fit_cell(nothing)) == "?"


@pytest.mark.parametrize(
    ("outlook", "words", "tone"),
    [
        (None, "…", "muted"),
        (OUTLOOK, "✓ 13.0", "good"),
        (replace(OUTLOOK, verdict=Verdict("tight")), "~ 13.0", "warn"),
        (replace(OUTLOOK, gpu_bytes=8 * GIB, verdict=Verdict("does not fit")), "✗  8.0", "bad"),
        (replace(OUTLOOK, confidence=ROUGH, gpu_bytes=int(48.3 * GIB)), "✓ ≈48.3", "good"),
        (replace(OUTLOOK, gpu_bytes=0, ram_bytes=3 * GIB), "✓  3.0", "good"),
        (replace(OUTLOOK, verdict=Verdict("unknown")), "? 13.0", "muted"),
    ],
)
def test_a_cell(outlook: Outlook | None, words: str, tone: str) -> None:
    assert plain(memory.fit_cell(outlook)) == words
    assert memory.fit_cell(outlook)[0].tone == tone


def test_what_would_have_to_go() -> None:
    full = replace(OUTLOOK, verdict=Verdict("does not fit"), occupants=(Occupant("a", 7 * GIB, True), Occupant("b")))
    assert memory.make_room(replace(full, make_room=("a", "b"))).startswith(
        "to make room: unload a (7.0 GiB, busy now), b;"
    )
    assert memory.make_room(replace(full, make_room=None)) == "to make room: not even unloading everything is enough"
    assert memory.make_room(replace(full, make_room=())) == "to make room: nothing has to be unloaded"
    assert memory.make_room(Outlook(1, 1, UNKNOWN, "")) == "to make room: unknown"
