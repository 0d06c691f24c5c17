"""What single panes cost in an application of their own (`chat.py`, `log.py`, `models.py`), in a pseudo-terminal."""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import seen_at
from terminal import Terminal

HERE = Path(__file__).parent


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
    """100 deltas/s, against Textual's own stream in turn with it."""
    peer, deck = (report("chat.py", "{result}", kind) for kind in ("stream", "deck"))
    yield Figure(
        "chat_cpu_pct", peer["cpu_pct"], deck["cpu_pct"], f"{deck['cpu_pct'] / peer['cpu_pct']:.2f}", "≤ 0.45 ×"
    )
    yield Figure("chat_last_to_first_eighth", peer["growth"], deck["growth"], "", "≤ 1.5")


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
