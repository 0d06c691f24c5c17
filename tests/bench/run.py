"""`make bench`: what lmdeck costs, as ratios against the smallest Textual app measured in turn with it.

Everything is measured from outside, in a pseudo-terminal, with the scripted demo server as LM Studio. The
targets are design goals of this project for a quiet two-core machine; nothing here fails on an absolute time.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measure import exit_s, idle, key_p95_ms, seen_at
from terminal import Terminal

HERE = Path(__file__).parent
RUNS, IDLE_S, KEYS = 3, 10.0, 40
FLOOR = [sys.executable, str(HERE / "floor.py")]
DECK = [sys.executable, "-m", "lmdeck"]
TARGETS = {
    "first_paint_s": 1.25,
    "models_s": 1.8,
    "key_p95_ms": 2.0,
    "focus_p95_ms": 1.5,
    "rss_mb": 1.6,
    "exit_s": 2.0,
}


def measure(argv: list[str], ready: str, env: dict[str, str]) -> dict[str, float]:
    """All figures of one run of one program."""
    terminal = Terminal(argv, (160, 45), env)
    try:
        terminal.wait_for(ready)
        terminal.wait_quiet(0.5, timeout=3.0)
        found = seen_at(terminal, {"first_paint_s": r"\S", "models_s": ready})
        figures = found | idle(terminal, IDLE_S)
        terminal.press("2")
        figures["key_p95_ms"] = key_p95_ms(terminal, ("down", "up"), KEYS)
        figures["focus_p95_ms"] = key_p95_ms(terminal, ("tab", "shift+tab"), KEYS)
        return figures | {"exit_s": exit_s(terminal)}
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


def main() -> int:
    """Measure in turn, print a table."""
    server, env = start_server()
    results: dict[str, list[dict[str, float]]] = {"floor": [], "deck": []}
    try:
        for number in range(RUNS + 1):  # the first warms the caches and is dropped
            floor = measure(FLOOR, "row 1", {})
            deck = measure(DECK, "qwen3-coder-30b", env)
            if number:
                results["floor"].append(floor)
                results["deck"].append(deck)
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(10)
    print(f"{'figure':<24}{'floor':>10}{'lmdeck':>10}{'ratio':>8}{'target':>9}")
    for name in results["deck"][0]:
        floor, deck = (statistics.median(run[name] for run in results[key]) for key in ("floor", "deck"))
        ratio = f"{deck / floor:.2f}" if name in TARGETS and floor else ""
        target = f"≤ {TARGETS[name]}" if name in TARGETS else ""
        print(f"{name:<24}{floor:>10.3f}{deck:>10.3f}{ratio:>8}{target:>9}")
    print(f"{'--version':<24}{'':>20}{version_ratio():>8.2f}{'≤ 3':>9}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
