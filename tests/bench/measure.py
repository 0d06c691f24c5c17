"""Measurements of one program in one terminal. Times in seconds unless named ms; memory in MB."""

import random
import re
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pyte
from terminal import Terminal, display

_FRAME_END = b"\x1b[?2026l"


def seen_at(terminal: Terminal, patterns: dict[str, str]) -> dict[str, float]:
    """Seconds from the start to the end of the first frame whose screen matches each pattern.

    The output was stored with its time stamps and is replayed here, so that emulating the screen costs nothing
    while the program runs.
    """
    screen = pyte.Screen(terminal.screen.columns, terminal.screen.lines)
    stream = pyte.ByteStream(screen)
    found: dict[str, float] = {}
    start = 0
    for stamp, size in terminal.chunks:
        data = bytes(terminal.raw[start : start + size])
        start += size
        stream.feed(re.sub(rb"\x1b\[[<=>?][0-9;:]*[umqpnc]|\x1b\[[0-9;?]*\$[a-z]", b"", data))
        if _FRAME_END in data or b"\x1b[?2026h" not in bytes(terminal.raw[:start]):
            text = display(screen)
            for name, pattern in patterns.items():
                if name not in found and re.search(pattern, text, re.MULTILINE):
                    found[name] = stamp - terminal.started
    return found


def usage(pid: int) -> dict[str, float]:
    """CPU seconds, voluntary switches of all threads, and RSS of one process; CPU seconds of its children."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    switches = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        with suppress(OSError):
            switches += int(re.findall(r"\nvoluntary_ctxt_switches:\s+(\d+)", status.read_text())[0])
    children = 0.0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            children += sum(child.cpu_times()[:2])
    own = times.user + times.system
    return {"cpu": own, "children": children, "switches": switches, "rss": process.memory_info().rss / 1e6}


def idle(terminal: Terminal, seconds: float) -> dict[str, float]:
    """What the program costs while nobody touches it."""
    before, bytes_before, begun = usage(terminal.pid), len(terminal.raw), time.perf_counter()
    while (left := begun + seconds - time.perf_counter()) > 0:
        terminal.pump(left)
    after, spent = usage(terminal.pid), time.perf_counter() - begun
    return {
        "idle_cpu_pct": 100 * (after["cpu"] - before["cpu"]) / spent,
        "idle_children_cpu_pct": 100 * (after["children"] - before["children"]) / spent,
        "idle_bytes_per_s": (len(terminal.raw) - bytes_before) / spent,
        "idle_wakeups_per_s": (after["switches"] - before["switches"]) / spent,
        "rss_mb": after["rss"],
    }


def key_p95_ms(terminal: Terminal, keys: Sequence[str], count: int) -> float:
    """The 95th percentile of: key sent, to the last byte of its frame; 1000 where none came within a second.

    Keys go out while the screen is quiet.
    """
    chance = random.Random(7)
    took = []
    for number in range(count):
        terminal.wait_quiet(0.03)
        terminal.pump(chance.uniform(0.02, 0.06))
        terminal.wait_quiet(0.02)
        sent = terminal.press(keys[number % len(keys)])
        if not terminal.pump(1.0):
            took.append(1000.0)
            continue
        while terminal.pump(0.008):
            pass
        took.append(1000 * (terminal.chunks[-1][0] - sent))
    return statistics.quantiles(took, n=20)[-1]


def exit_s(terminal: Terminal, key: str = "q") -> float:
    """From the quit key to the end of the process."""
    sent = terminal.press(key)
    terminal.wait_exit()
    return time.perf_counter() - sent
