"""The estimate page alone, and its lines."""

from dataclasses import replace

from lmdeck.model.catalog import Model
from lmdeck.model.history import LoadRecord
from lmdeck.model.load import LoadRequest
from lmdeck.screens import estimate_text as text
from lmdeck.screens import intents
from lmdeck.screens.estimate_screen import EstimateScreen
from lmdeck.widgets.paint.line import plain, width

GIB = 2**30
KEY = "qwen/coder"
RECORD = LoadRecord(
    at=1_795_780_800.0,
    server="s",
    machine="m",
    model_key=KEY,
    instance_id=KEY,
    settings=LoadRequest(KEY, 32768, parallel=4),
    predicted_gpu=int(19.4 * GIB),
    lmstudio_gpu=16 * GIB,
    measured_gpu=20 * GIB,
    allocated_context=8192,
)


def shown(lines) -> str:
    return "\n".join(map(plain, lines))


async def test_each_cell_is_weighed_and_filled_in(stage, coder) -> None:
    start = LoadRequest(KEY, 32768, parallel=2)
    async with stage(EstimateScreen(coder, start, (RECORD,))) as deck:
        await deck.see("262144")
        asked = [weigh.request for weigh in deck.app.got(intents.Weigh)]
        lengths = [4096 << step for step in range(7)]
        assert set(asked) == {LoadRequest(KEY, n, parallel=slots) for n in lengths for slots in (1, 2)}
        assert len(asked) == len(set(asked))
        await deck.until(lambda: "…" not in deck.text().split("✓ fits  ~")[0], "all cells")
        rows = [line.strip(" │") for line in deck.text().splitlines()]
        assert "32768       ✓ 18.5       ✓ 18.5   last used" in rows
        assert "131072       ✗ 24.5       ✗ 24.5" in rows
        await deck.see("GPU       16.0         2.0        0.5   18.5")
        await deck.see("19.4 (−3 %)")
        await deck.press("l")
        await deck.until(lambda: deck.app.results)
        assert deck.app.results == [start]


async def test_cells_stay_open_until_they_are_weighed_and_strangers_are_ignored(stage, coder, make_forecast) -> None:
    screen = EstimateScreen(coder, None, (), read_only=True)
    async with stage(screen, (80, 24), answers=False) as deck:
        strange = LoadRequest(KEY, 5000)
        assert not screen.weighed(intents.Weighed(strange, make_forecast(strange)))
        cell = LoadRequest(KEY, 8192, parallel=4)
        assert screen.weighed(intents.Weighed(cell, make_forecast(cell)))
        await deck.see("8192            …       ✓ 17.0")
        await deck.press("l", "y", "j")
        await deck.pilot.pause()
        assert not deck.app.results
        assert "no load measured yet" in deck.app.clipboard
        await deck.press("q")
        await deck.until(lambda: deck.app.results)
        assert deck.app.results == [None]


def test_rows_and_columns() -> None:
    assert text.contexts(Model("a", max_context_length=10000), LoadRequest("a")) == (4096, 8192, 10000)
    assert text.contexts(Model("a", max_context_length=2048), LoadRequest("a", 512)) == (512, 2048)
    assert text.contexts(Model("a"), LoadRequest("a"))[-1] == 131072
    assert text.slot_counts(Model("a"), LoadRequest("a")) == (1, 4)
    assert text.slot_counts(Model("a"), LoadRequest("a", parallel=1)) == (1, 4)
    assert text.slot_counts(Model("a"), LoadRequest("a", parallel=7)) == (1, 7)
    assert text.slot_counts(Model("a", type="embedding"), LoadRequest("a")) == (0,)


def test_loads_stand_beside_each_other_with_their_errors() -> None:
    failed = replace(RECORD, at=0.0, measured_gpu=None, allocated_context=None, cause="out of\nmemory\x1b[2J")
    in_ram = replace(RECORD, at=1.0, measured_gpu=0, predicted_ram=GIB, measured_ram=GIB, allocated_context=32768)
    lines = text.loads((failed, in_ram, RECORD), 104)
    assert all(width(line) <= 104 for line in lines)
    newest, ram, oldest = map(plain, lines[2:])
    assert newest.split()[2:] == [
        "32768",
        "×4",
        "19.4",
        "(−3",
        "%)",
        "16.0",
        "(−20",
        "%)",
        "20.0",
        "GPU",
        "8192",
        "allocated",
    ]
    assert ram.split()[2:] == ["32768", "×4", "1.0", "(0", "%)", "–", "1.0", "RAM"]
    assert oldest.split()[4:] == ["19.4", "16.0", "–", "✗", "out", "of", "memory␛[2J"]
    assert all(width(line) <= 60 for line in text.loads((RECORD,), 60))


def test_without_a_gpu_the_heading_says_ram(make_forecast) -> None:
    request = LoadRequest(KEY, 4096)
    outlook = replace(make_forecast(request), gpu_bytes=0, ram_bytes=5 * GIB)
    lines = text.grid((4096,), (0,), {(4096, 0): outlook}, None, 70)
    assert shown(lines).split() == ["CONTEXT", "needed", "GiB", "in", "RAM", "4096", "✓", "5.0"]
