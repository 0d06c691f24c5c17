"""Downloads as they come along: name and state, below them a bar with size, speed and the time to go."""

from collections.abc import Iterator, Sequence
from typing import Final

from lmdeck.model.download import GONE, Download, DownloadReport
from lmdeck.model.text import one_line
from lmdeck.model.units import countdown, gigabytes, percent
from lmdeck.widgets.paint.bar import Part, bar
from lmdeck.widgets.paint.line import Line, Span, Tone, crop, pack, say, wrap

_INDENT: Final = Span("  ")
_BAR: Final = 24
_LOOKS: Final[dict[str, tuple[str, Tone]]] = {
    "downloading": ("↓", "accent"),
    "paused": ("‖", "warn"),
    "completed": ("✓", "good"),
    "already_downloaded": ("✓", "good"),
    "failed": ("✗", "bad"),
    GONE: ("?", "warn"),
}
_WORDS: Final = {"already_downloaded": "is there already", GONE: "the server does not know it any more"}


def download_lines(downloads: Sequence[Download], cells: int, now: float) -> list[Line]:
    """The newest first, each in a few lines of at most `cells`. `now` is a Unix time."""
    return [line for each in reversed(downloads) for line in _drawn(each, cells, now)]


def _drawn(download: Download, cells: int, now: float) -> Iterator[Line]:
    report = download.report
    mark, tone = _LOOKS.get(report.status, ("·", "muted"))
    state = say(_WORDS.get(report.status, report.status), tone)
    room = max(cells - 4 - len(state[0].text), 8)
    yield crop((Span(f"{mark} ", tone), *crop(say(one_line(download.name)), room), _INDENT, *state), cells)
    if not report.ended and (figures := pack(_figures(report, now), cells - 2)):
        yield (_INDENT, *figures)
    words = (report.words, download.problem.sentence if download.problem else "")
    for line in (part for text in words if text for part in wrap(one_line(text, 400), max(cells - 2, 8))):
        yield _INDENT, Span(line, "bad" if report.status == "failed" else "warn")


def _figures(report: DownloadReport, now: float) -> Iterator[Line]:
    """The most important ones first: where there is no room the last are left out."""
    if (share := report.share) is not None:
        yield (*bar([Part(share)], 1.0, _BAR), Span(f" {percent(share * 100):>5}"))
    if report.total_bytes is not None:
        done = "" if report.done_bytes is None else f"{gigabytes(report.done_bytes)} of "
        yield (Span(f"{done}{gigabytes(report.total_bytes)} GB"),)
    if report.status == "downloading" and report.bytes_per_second is not None:
        yield (Span(f"{report.bytes_per_second / 1e6:.1f} MB/s"),)
    if (left := report.left_s(now)) is not None:
        yield (Span(f"{countdown(left)} left"),)
