"""What single panes cost in an application of their own (`chat.py`, `log.py`, `models.py`), in a pseudo-terminal."""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import seen_at
from terminal import Terminal

HERE = Path(__file__).parent
CHATS, KEYS = 3, 40


@dataclass(frozen=True)
class Figure:
    """One line of the table: the deck's value beside a peer's, both 0 where there is only a ratio."""

    name: str
    peer: float
    deck: float
    ratio: str
    target: str


def pane_figures() -> Iterator[Figure]:
    """All of them, one after the other."""
    yield from chat_figures()
    log = report("log.py", "{result}")
    yield Figure("log_share_of_decoding", 1, log["share"], f"{log['share']:.2f}", "≥ 0.25 ×")
    yield Figure("log_lines_of_300000", 300_000, log["lines"], "", "all")
    yield from model_figures()


def chat_figures() -> Iterator[Figure]:
    """100 deltas/s against Textual's own stream in turn with it; then what 500 deltas/s do to lag and keys."""
    runs = [[report("chat.py", "{result}", kind, "100") for kind in ("stream", "deck")] for _ in range(CHATS)]
    for name, target in (("cpu_pct", "≤ 0.45 ×"), ("growth", "")):
        peer, deck = (statistics.median(run[side][name] for run in runs) for side in (0, 1))
        ratio = f"{deck / peer:.2f}" if target else ""
        yield Figure(f"chat_{name}", peer, deck, ratio, target or "≤ 1.5")
    lag, key = flood_of_words()
    yield Figure("chat_500_lag_s", 0, lag, "", "≤ 0.25")
    yield Figure("chat_500_key_p95_ms", 0, key, "", "≤ 50")


def flood_of_words() -> tuple[float, float]:
    """At 500 deltas/s: the longest time in seconds from a word's coming to its being seen, and the 95th percentile in
    ms of the same for a key."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        terminal = Terminal([sys.executable, str(HERE / "chat.py"), str(result), "deck", "500"], (160, 45))
        try:
            while b"mark1" not in terminal.raw and terminal.pump(10):
                pass
            keys = {}
            for number in range(1, KEYS + 1):
                keys["x" * number] = terminal.press("x")
                until = time.perf_counter() + random.uniform(0.06, 0.12)
                while (left := until - time.perf_counter()) > 0:
                    terminal.pump(left)
            terminal.wait_exit(timeout=90.0)
        finally:
            terminal.close()
        fed = json.loads(result.read_text())["fed"]
    seen = seen_at(terminal, {typed: f"^ *{typed}" for typed in keys} | {word: rf"{word}\b" for word in fed})
    took = [1000 * (terminal.started + seen[typed] - sent) for typed, sent in keys.items()]
    lag = max(terminal.started + seen[word] - at for word, at in fed.items() if word in seen)
    return lag, statistics.quantiles(took, n=20)[-1]


def model_figures() -> Iterator[Figure]:
    """5,000 models against 50, in turn."""
    few, many = list[float](), list[float]()
    stall = 0.0
    for _ in range(4):
        few.append(ready_s(50)[0])
        took, stall = ready_s(5000)
        many.append(took)
    peer, deck = statistics.median(few[1:]), statistics.median(many[1:])
    yield Figure("models_5000_ready_s", peer, deck, f"{deck / peer:.2f}", "≤ 1.3 ×")
    yield Figure("models_5000_poll_stall_ms", 0, stall, "", "≤ 10")


def report(script: str, *arguments: str) -> dict[str, float]:
    """Run a script to its end and read what it reports."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        filled = [argument.format(result=result) for argument in arguments]
        terminal = Terminal([sys.executable, str(HERE / script), *filled], (160, 45))
        try:
            terminal.wait_exit(timeout=90.0)
        finally:
            terminal.close()
        return dict(json.loads(result.read_text()))


def ready_s(count: int) -> tuple[float, float]:
    """Seconds until the first model is on the screen, and the milliseconds that a poll stalls."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        terminal = Terminal([sys.executable, str(HERE / "models.py"), str(count), str(result)], (160, 45))
        try:
            terminal.wait_for("model-0001")
            terminal.wait_quiet(1.0, timeout=5.0)
            found = seen_at(terminal, {"ready": "model-0001"})
            terminal.press("q")
            terminal.wait_exit()
        finally:
            terminal.close()
        return found["ready"], json.loads(result.read_text())["stall_ms"]
