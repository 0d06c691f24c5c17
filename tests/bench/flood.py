"""What a flood costs: 10,000 log events a second over three streams, while somebody uses the keys."""

import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from measure import key_p95_ms, usage
from replay import write_story
from terminal import Terminal

from lmdeck.demo.log_shapes import events

RATE, SECONDS, KEYS = 10_000, 20.0, 60
_STORY = 3 * RATE
_LMS = '#!/bin/sh\nexec "{python}" "{replay}" "{folder}" {story} {rate} {epoch} "$@"\n'


def flood_figures(argv: list[str], ready: str, env: dict[str, str]) -> dict[str, float]:
    """CPU in per cent of a core, RSS at the end in MB and its growth in the second half, and how soon keys are answered
    meanwhile. The log keeps a bounded part of the events; none is lost on its way there."""
    with tempfile.TemporaryDirectory() as folder:
        write_story(Path(folder), islice(events("mixed", seed=0, step_s=0.05), _STORY))
        lms = Path(folder, "lms")
        replay = Path(__file__).with_name("replay.py")
        lms.write_text(
            _LMS.format(
                python=sys.executable, replay=replay, folder=folder, story=_STORY, rate=RATE, epoch=int(time.time())
            )
        )
        lms.chmod(0o755)
        terminal = Terminal(argv, (160, 45), env | {"LMDECK_LMS": str(lms), "LMDECK_DATA": folder})
        try:
            terminal.wait_for(ready)
            terminal.wait_for("POST|tok", 20)
            begun, before = time.perf_counter(), usage(terminal.pid)
            _watch(terminal, SECONDS / 2)
            half = usage(terminal.pid)
            _watch(terminal, SECONDS / 2)
            after, spent = usage(terminal.pid), time.perf_counter() - begun
            terminal.press("2")
            return {
                "flood_cpu_pct": 100 * (after["cpu"] - before["cpu"]) / spent,
                "flood_rss_mb": after["rss"],
                "flood_rss_growth_mb": after["rss"] - half["rss"],
                "flood_key_p95_ms": key_p95_ms(terminal, ("down", "up"), KEYS),
            }
        finally:
            terminal.close()


def _watch(terminal: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        terminal.pump(left)
