"""The dialog of a benchmark: slots and requests are told apart, levels come as rows and bars, the result leaves."""

import re

import pytest
from dialog_host import dialog_open

from lmdeck.experiments.report import as_markdown
from lmdeck.model.experiment import BenchLevel, BenchResult
from lmdeck.model.problem import Problem
from lmdeck.screens.bench_dialog import BenchDialog
from lmdeck.screens.intents import Benchmark, Export, StopExperiment

LEVELS = (
    BenchLevel(1, 1, 1.56, 64, 41.0, (41.0,), (0.31,)),
    BenchLevel(2, 2, 1.6, 128, 80.0, (40.0, 40.0), (0.31, 0.33)),
    BenchLevel(4, 2, 3.2, 192, 82.0, (40.0, 40.0, 40.0), (0.31, 0.4, 1.9), 1, "429: too busy [/x]\x1b[2J"),
)
RESULT = BenchResult("qwen/qwen3", 4, 52, 64, LEVELS, 2, 1795519185.0)
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])


def opened(size=(80, 24), *, slots=4, busy=False):
    return dialog_open(BenchDialog("qwen/qwen3", slots, (1, 2, 4), busy=busy), size)


@SIZES
@pytest.mark.parametrize(("slots", "told"), [(4, "this instance reports 4."), (None, "this instance does not say.")])
async def test_slots_and_requests_are_told_apart_and_nothing_is_sent(size, slots, told):
    async with opened(size, slots=slots, busy=True) as (host, pilot):
        words = host.words()
        assert f"Slots (parallel): how many requests the engine works on at once, all in one KV cache; {told}" in words
        assert "API concurrency (Max concurrent requests)" in words
        assert "then 1, 2, 4 at once: 8 short answers of up to 64 tokens each." in words
        assert "Requests of others run on this instance" in words
        assert "Enter start Esc close" in words
        await pilot.press("x", "y")
        assert (host.asked, host.copied) == ([], "")
        await pilot.press("escape")
        assert host.screen is not host.dialog


@SIZES
async def test_levels_become_rows_and_bars_and_the_end_tells_where_it_stops(size):
    async with opened(size) as (host, pilot):
        await pilot.press("enter")
        assert [type(intent) for intent in host.asked] == [Benchmark]
        assert (host.asked[0].instance_id, host.asked[0].levels) == ("qwen/qwen3", (1, 2, 4))
        assert "1 at once …" in host.words()
        await host.tell(pilot, LEVELS[0])
        assert "2 at once …" in host.words()
        assert re.search(r"1 █+ 41.0 tok/s each 41.0", host.words())
        await host.tell(pilot, *LEVELS[1:], RESULT)
        words = host.words()
        assert "4 at once: 429: too busy [/x]␛[2J" in words
        assert re.search(r"2 █+[▏▎▍▌▋▊▉█]? 80.0 tok/s each 40.0 ← enough", words)
        assert "More than 2 at once bring no more tokens: that is the effective concurrency." in words
        assert "At most 2 generated at the same time although there are 4 slots" in words
        assert "x export y copy Esc close" in words


async def test_the_result_leaves_as_files_and_as_markdown():
    async with opened() as (host, pilot):
        await pilot.press("enter")
        await host.tell(pilot, LEVELS[0])
        await pilot.press("y", "x")
        assert host.copied.startswith("Benchmark qwen/qwen3\n\nAT ONCE")
        await host.tell(pilot, *LEVELS[1:], RESULT)
        await pilot.press("y", "x")
        assert "\x1b" not in host.copied
        assert host.copied.splitlines() == as_markdown(RESULT).splitlines()
        assert [type(intent) for intent in host.asked] == [Benchmark, Export]
        assert host.asked[1].result is RESULT


@SIZES
async def test_escape_stops_before_it_closes(size):
    async with opened(size) as (host, pilot):
        await pilot.press("enter")
        await host.tell(pilot, LEVELS[0])
        await pilot.press("escape")
        assert [type(intent) for intent in host.asked] == [Benchmark, StopExperiment]
        await host.tell(pilot, *LEVELS[1:], RESULT)
        assert "Stopped by you: the requests were closed." in host.words()
        assert "80.0 tok/s" not in host.words()
        await pilot.press("escape")
        assert host.screen is not host.dialog


async def test_a_failure_is_told_and_it_can_be_started_again():
    async with opened() as (host, pilot):
        await pilot.press("enter")
        await host.tell(pilot, Problem("401: token not accepted", "invalid key"))
        assert "401: token not accepted invalid key" in host.words()
        await pilot.press("enter")
        assert [type(intent) for intent in host.asked] == [Benchmark, Benchmark]
        assert "401" not in host.words()
