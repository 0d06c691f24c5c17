"""`make bench`: what lmdeck costs, as ratios against the smallest Textual app measured in turn with it.

Everything is measured from outside, in a pseudo-terminal, with the scripted demo server as LM Studio; `panes.py`
adds what single panes cost. Targets are design goals for a quiet two-core machine; nothing fails on them.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from flood import flood_figures
from measure import exit_s, idle, key_p95_ms, seen_at
from panes import pane_figures
from terminal import Terminal

HERE = Path(__file__).parent
STARTS, STAYS = 9, 3
IDLE_S, KEYS = 10.0, 40
FLOOR = [sys.executable, str(HERE / "floor.py")]
DECK = [sys.executable, "-m", "lmdeck"]
RATIOS = {
    "first_paint_s": 1.25,
    "models_s": 1.8,
    "exit_s": 2.0,
    "rss_mb": 1.6,
    "key_p95_ms": 2.0,
    "focus_p95_ms": 1.5,
}
LIMITS = {"idle_cpu_pct": 0.8, "idle_bytes_per_s": 2000, "idle_wakeups_per_s": 25}
FLOOD_LIMITS = {"flood_key_p95_ms": 30}
Figures = dict[str, float]


def start(argv: list[str], ready: str, env: dict[str, str]) -> Figures:
    """How soon it shows something, and what it was started for; how soon it is gone."""
    terminal = Terminal(argv, (160, 45), env)
    try:
        terminal.wait_for(ready)
        terminal.wait_quiet(0.5, timeout=3.0)
        return seen_at(terminal, {"first_paint_s": r"\S", "models_s": ready}) | {"exit_s": exit_s(terminal)}
    finally:
        terminal.close()


def stay(argv: list[str], ready: str, env: dict[str, str]) -> Figures:
    """What it costs while nobody touches it, and how soon it answers keys."""
    terminal = Terminal(argv, (160, 45), env)
    try:
        terminal.wait_for(ready)
        terminal.wait_quiet(0.5, timeout=3.0)
        figures = idle(terminal, IDLE_S)
        terminal.press("2")  # the deck's longest list; the floor has the focus in one
        figures["key_p95_ms"] = key_p95_ms(terminal, ("down", "up"), KEYS)
        figures["focus_p95_ms"] = key_p95_ms(terminal, ("tab", "shift+tab"), KEYS)
        return figures
    finally:
        terminal.close()


def version_ratio() -> float:
    """`lmdeck --version` against `python -c pass`, best of ten each."""

    def best(*command: str) -> float:
        took = []
        for _ in range(10):
            begun = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
            took.append(time.perf_counter() - begun)
        return min(took)

    return best("-m", "lmdeck", "--version") / best("-c", "pass")


def start_server() -> tuple[subprocess.Popen[str], dict[str, str]]:
    """The scripted demo server, and the environment that leads the deck to it."""
    command = [*DECK, "demo-server", "--engine", "scripted", "--parent-stdin"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    said = json.loads(server.stdout.readline())
    return server, {"LMDECK_URL": said["url"], "LM_API_TOKEN": said["token"], "LMDECK_LMS": said["lms"]}


def measure(env: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Medians of the floor and of the deck by figure. The first start of each warms the caches and is dropped."""
    medians = {}
    for runs, once in ((STARTS, start), (STAYS, stay)):
        floor, deck = list[Figures](), list[Figures]()
        for _ in range(runs + (once is start)):
            floor.append(once(FLOOR, "row 1", {}))
            deck.append(once(DECK, "qwen3-coder-30b", env))
        for name in deck[0]:
            of = [[run[name] for run in side[-runs:]] for side in (floor, deck)]
            medians[name] = (statistics.median(of[0]), statistics.median(of[1]))
    return medians


def main() -> int:
    """Measure in turn, print a table."""
    # Users have bytecode; without it every start of the deck would compile it, and none of the floor's libraries.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    server, env = start_server()
    try:
        medians = measure(env)
        flood = flood_figures(DECK, "qwen3-coder-30b", env)
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(10)
    print(f"{'figure':<28}{'floor':>10}{'lmdeck':>10}{'ratio':>8}{'target':>10}")
    for name, (floor, deck) in medians.items():
        ratio = f"{deck / floor:.2f}" if name in RATIOS and floor else ""
        target = f"≤ {RATIOS[name]} ×" if name in RATIOS else f"≤ {LIMITS[name]}" if name in LIMITS else ""
        print(f"{name:<28}{floor:>10.3f}{deck:>10.3f}{ratio:>8}{target:>10}")
    print(f"{'--version':<48}{version_ratio():>8.2f}{'≤ 3 ×':>10}")
    for name, value in flood.items():
        target = f"≤ {FLOOD_LIMITS[name]}" if name in FLOOD_LIMITS else ""
        print(f"{name:<28}{'':>10}{value:>10.3f}{'':>8}{target:>10}")
    for figure in pane_figures():
        print(f"{figure.name:<28}{figure.peer:>10.3f}{figure.deck:>10.3f}{figure.ratio:>8}{figure.target:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
