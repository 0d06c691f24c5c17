"""Lines around an answer: progress while it is made, statistics when it is there."""

from textual.content import Content

from lmdeck.model.chat import ChatStats
from lmdeck.model.units import UNKNOWN, rate, ttft

_BAR = 20


def progress_line(words: str, progress: float | None, width: int) -> Content:
    """`loading the model ████████░░░░ 40 %`; without a number only the words, never an invented bar."""
    if progress is None:
        return Content(f"{words} …")
    share = max(0.0, min(1.0, progress))
    bar = max(4, min(_BAR, width - len(words) - 8))
    done = round(share * bar)
    return Content(f"{words} {'█' * done}{'░' * (bar - done)} {share * 100:.0f} %")


def statistics_line(stats: ChatStats) -> Content:
    """`812→143 tok · 41.3 tok/s · TTFT 0.31 s`, with reasoning and load time where there were any."""
    tokens_in = UNKNOWN if stats.input_tokens is None else f"{stats.input_tokens}"
    tokens_out = UNKNOWN if stats.output_tokens is None else f"{stats.output_tokens}"
    parts = [f"{tokens_in}→{tokens_out} tok", rate(stats.tokens_per_second), ttft(stats.ttft_s)]
    if stats.reasoning_tokens:
        parts.append(f"{stats.reasoning_tokens} reasoning")
    if stats.load_time_s:
        parts.append(f"loaded in {stats.load_time_s:.1f} s")
    return Content(" · ".join(parts))
