"""Downloads as lines."""

from lmdeck.model.download import Download, DownloadReport
from lmdeck.model.problem import Problem
from lmdeck.widgets.paint.downloads import download_lines
from lmdeck.widgets.paint.line import plain, width

RUNNING = DownloadReport("downloading", "j", 4_000_000_000, 1_000_000_000, 12_300_000)


def lines(report: DownloadReport, cells: int = 70, problem: Problem | None = None, model: str = "ibm/g") -> list[str]:
    drawn = download_lines([Download(model, None, 0, report, problem)], cells, 100)
    assert all(width(line) <= cells for line in drawn)
    return [plain(line) for line in drawn]


def test_progress_speed_and_time_to_go() -> None:
    assert lines(RUNNING) == [
        "↓ ibm/g  downloading",
        "  ██████░░░░░░░░░░░░░░░░░░  25 %  1.0 of 4.0 GB  12.3 MB/s  4:04 left",
    ]
    assert lines(DownloadReport("downloading", "j")) == ["↓ ibm/g  downloading"]


def test_what_does_not_fit_is_left_out_and_cropped() -> None:
    name, figures = lines(RUNNING, 40, model="publisher/a-model-of-a-very-long-name-indeed-GGUF")
    assert name.startswith("↓ publisher/")
    assert name.endswith("…  downloading")
    assert figures == "  ██████░░░░░░░░░░░░░░░░░░  25 %"
    assert lines(RUNNING, 4)


def test_every_end_in_words() -> None:
    assert lines(DownloadReport("completed", "j", 10, 10)) == ["✓ ibm/g  completed"]
    assert lines(DownloadReport("already_downloaded")) == ["✓ ibm/g  is there already"]
    assert lines(DownloadReport("failed", "j", words="disk\nfull")) == ["✗ ibm/g  failed", "  disk full"]
    assert lines(DownloadReport("gone", "j", words="no job j")) == [
        "? ibm/g  the server does not know it any more",
        "  no job j",
    ]


def test_what_is_strange_is_shown_as_it_is() -> None:
    assert lines(DownloadReport("verifying", "j"), model="a\x1b[31m") == ["· a␛[31m  verifying"]
    paused = DownloadReport("paused", "j", 10_000_000_000, 5_000_000_000, 7)
    assert lines(paused, problem=Problem("down: connection refused")) == [
        "‖ ibm/g  paused",
        "  ████████████░░░░░░░░░░░░  50 %  5.0 of 10.0 GB",
        "  down: connection refused",
    ]


def test_the_newest_stands_first() -> None:
    jobs = [Download(name, None, 0, DownloadReport("completed", name)) for name in "ab"]
    assert [plain(line) for line in download_lines(jobs, 60, 0)] == ["✓ b  completed", "✓ a  completed"]
