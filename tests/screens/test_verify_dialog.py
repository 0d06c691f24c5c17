"""The dialog of a verification: nothing starts by itself, everything is told, Esc stops before it closes."""

import pytest
from dialog_host import dialog_open

from lmdeck.experiments.verdict import verdict
from lmdeck.experiments.verify import plan
from lmdeck.model.experiment import Probe
from lmdeck.model.problem import Problem
from lmdeck.screens.intents import StopExperiment, Verify
from lmdeck.screens.verify_dialog import VerifyDialog, probe_lines
from lmdeck.widgets.paint.line import plain

PLAN = plan("qwen/qwen3", 32768)
PROBES = (
    Probe(70, 70, 0.4, True),
    Probe(244, 244, 0.5, True),
    Probe(4096, 4090, 3.2, True),
    Probe(8192, None, 0.1, None, "n_keep: 8192 >= n_ctx: 8192 [/bold]\x1b[2J"),
    Probe(8152, 8151, 2.0, True),
)
FOUND = verdict(PLAN, PROBES, 8192)
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])


def opened(size=(80, 24), *, busy=False, planned=PLAN):
    return dialog_open(VerifyDialog(planned, busy=busy, promised_source="server log"), size)


@SIZES
async def test_the_plan_is_shown_and_nothing_is_sent(size):
    async with opened(size) as (host, pilot):
        words = host.words()
        assert "Promised: 32768 tokens (server log)." in words
        assert "Sends 6 prompts, about 61376 tokens: two tiny ones, then 4096, 8192, 16384, 32704." in words
        assert "the first prompts will tell" in words
        assert "Enter start Esc close" in words
        assert "Requests of others" not in words
        assert host.asked == []
        await pilot.press("escape")
        assert host.screen is not host.dialog


@SIZES
async def test_the_time_and_others_that_wait_are_told_before(size):
    async with opened(size, busy=True, planned=plan("m", 32768, prompt_speed=1000)) as (host, _):
        assert "at most about 1:01, at 1000 tok/s" in host.words()
        assert "Requests of others run on this instance" in host.words()
        assert "Enter starts all the same." in host.words()
        assert host.asked == []


@SIZES
async def test_rows_come_and_the_verdict_ends_it(size):
    async with opened(size) as (host, pilot):
        await pilot.press("enter", "enter")
        assert [type(intent) for intent in host.asked] == [Verify]
        assert host.asked[0].plan is PLAN
        await host.tell(pilot, *PROBES[:3])
        assert "Prompt 4, about" in host.words()
        assert "Esc stop" in host.words()
        await host.tell(pilot, *PROBES[3:], FOUND)
        words = await host.see(pilot, "the context is about 8192, not 32768.")
        assert "4096 4090 3.2 1278 ✓ went in" in words
        assert "8192 – 0.1 – – refused" in words
        assert "n_keep: 8192 >= n_ctx: 8192 [/bold]␛[2J" in words
        assert "8151 tokens go in, 8192 are refused: the context is about 8192, not 32768." in words
        assert "y copy Esc close" in words
        await pilot.press("enter")
        assert len(host.asked) == 1
        await pilot.press("escape")
        assert host.screen is not host.dialog


@SIZES
async def test_escape_stops_and_says_so_and_late_steps_are_not_taken(size):
    async with opened(size) as (host, pilot):
        await pilot.press("enter")
        await host.tell(pilot, PROBES[0])
        await pilot.press("escape")
        assert [type(intent) for intent in host.asked] == [Verify, StopExperiment]
        await host.tell(pilot, PROBES[1], FOUND)
        words = host.words()
        assert "Stopped by you: the requests were closed." in words
        assert "244" not in words.partition("NEEDLE")[2]
        assert "8151 tokens" not in words
        await pilot.press("enter")
        assert [type(intent) for intent in host.asked] == [Verify, StopExperiment, Verify]
        await host.tell(pilot, *PROBES, FOUND)
        assert "8151 tokens go in" in host.words()


async def test_a_failure_is_told_with_its_next_step():
    async with opened() as (host, pilot):
        await pilot.press("enter")
        await host.tell(pilot, PROBES[0], Problem("down: connection refused", "", "Start the server."))
        assert "down: connection refused Start the server." in host.words()
        assert "Enter start again" in host.words()


async def test_copy_takes_everything():
    async with opened() as (host, pilot):
        await pilot.press("y")
        assert host.copied == ""
        await pilot.press("enter")
        await host.tell(pilot, *PROBES, FOUND)
        await pilot.press("y")
        assert host.copied.startswith("Verify context of qwen/qwen3\n\nPromised: 32768 tokens (server log).")
        assert "SIZE" in host.copied
        assert host.copied.endswith(FOUND.words)
        assert "\x1b" not in host.copied


def test_every_outcome_has_a_word():
    probes = (
        Probe(1, 1, 1.0, True),
        Probe(2, 2, 0.0, None),
        Probe(3, 3, 1.0, False),
        Probe(4, 4, 1.0, False, silent=True),
        Probe(5, 2, 1.0, None, "silently cut to 2 tokens"),
        Probe(6, None, 1.0, None, "no"),
    )
    lines = [plain(line).split() for line in probe_lines(probes)]
    assert [line[5:] for line in lines if len(line) > 5] == [
        ["RESULT"], ["went", "in"], ["went", "in"], ["needle", "lost"], ["no", "answer"], ["cut"], ["refused"],
    ]  # fmt: skip
    assert probe_lines(()) == []
