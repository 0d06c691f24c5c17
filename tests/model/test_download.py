"""Downloads as values."""

import pytest

from lmdeck.model.download import Download, DownloadReport, normal_name

URL = "https://huggingface.co/some/model-GGUF"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" ibm/granite ", "ibm/granite"),
        ("huggingface.co/some/model-GGUF", URL),
        ("hf.co/some/model", "https://hf.co/some/model"),
        (URL, URL),
    ],
)
def test_addresses_may_be_typed_short(typed: str, name: str) -> None:
    assert normal_name(typed) == name


def test_what_has_no_job_is_told_apart_by_its_whole_name() -> None:
    there = DownloadReport("already_downloaded")
    assert Download(URL, "Q4_K_M", 0, there).name == "some/model-GGUF Q4_K_M"
    assert Download(URL, "Q4_K_M", 0, there).key != Download("some/model-GGUF", "Q4_K_M", 0, there).key
    assert Download(URL, None, 0, DownloadReport("paused", "job_1")).key == "job_1"


@pytest.mark.parametrize(
    ("report", "share", "left"),
    [
        (DownloadReport("downloading", total_bytes=100, done_bytes=25, bytes_per_second=5, ends_at=99), 0.25, 15),
        (DownloadReport("downloading", total_bytes=100, done_bytes=25, ends_at=99), 0.25, 9),
        (DownloadReport("downloading", total_bytes=100, done_bytes=250, bytes_per_second=5), 1, 0),
        (DownloadReport("downloading", total_bytes=0, done_bytes=0, ends_at=1), None, 0),
        (DownloadReport("downloading", done_bytes=5, bytes_per_second=5), None, None),
        (DownloadReport("paused", total_bytes=100, done_bytes=25, bytes_per_second=5), 0.25, None),
        (DownloadReport("completed"), 1, None),
    ],
)
def test_how_far_and_how_long(report: DownloadReport, share: float | None, left: float | None) -> None:
    assert (report.share, report.left_s(90)) == (share, left)


@pytest.mark.parametrize("status", ["completed", "failed", "already_downloaded", "gone"])
def test_what_has_ended(status: str) -> None:
    assert DownloadReport(status).ended
    assert not DownloadReport("verifying").ended
