"""Downloads over HTTP: what is sent, what is read, and every way to be refused."""

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from lmdeck.backend.errors import BackendError, BadReply, DownloadRefused, NotFound, Unauthorized
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.model.download import DownloadReport

URL = "https://huggingface.co/some/model"
UNEXPECTED = {"error": "Unexpected endpoint or method. (POST /x)"}


async def asked(
    ask: Callable[[LMStudio], Awaitable[DownloadReport]], status: int, body: object
) -> tuple[DownloadReport, httpx.Request]:
    requests = list[httpx.Request]()

    def serve(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body)

    server = LMStudio("http://127.0.0.1:1", transport=httpx.MockTransport(serve))
    try:
        return await ask(server), requests[0]
    finally:
        await server.close()


def begin(server: LMStudio) -> Awaitable[DownloadReport]:
    return server.download("a/b")


def look(server: LMStudio) -> Awaitable[DownloadReport]:
    return server.download_status("job/../1")


async def test_only_what_was_chosen_is_sent() -> None:
    answer = {"job_id": "job_1", "status": "downloading", "total_size_bytes": 400, "started_at": "2026-01-01T00:00:00Z"}
    report, request = await asked(begin, 200, answer)
    assert (request.method, request.url.path) == ("POST", "/api/v1/models/download")
    assert json.loads(request.content) == {"model": "a/b"}
    assert report == DownloadReport("downloading", "job_1", 400)
    _, request = await asked(lambda server: server.download(URL, "Q4_K_M"), 200, answer)
    assert json.loads(request.content) == {"model": URL, "quantization": "Q4_K_M"}


async def test_what_is_there_already_has_no_job() -> None:
    report, _ = await asked(begin, 200, {"status": "already_downloaded"})
    assert report == DownloadReport("already_downloaded")


async def test_a_job_is_asked_for_by_its_id_alone() -> None:
    answer = {
        "job_id": "job_1",
        "status": "downloading",
        "total_size_bytes": 400.0,
        "downloaded_bytes": 100,
        "bytes_per_second": 12.5,
        "estimated_completion": "1970-01-01T00:01:00Z",
    }
    report, request = await asked(look, 200, answer)
    assert request.url.raw_path == b"/api/v1/models/download/status/job%2F..%2F1"
    assert report == DownloadReport("downloading", "job_1", 400, 100, 12.5, 60.0)


@pytest.mark.parametrize("moment", ["soon", "", 7, None, "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"])
async def test_figures_that_are_none_are_unknown(moment: object) -> None:
    answer = {
        "status": "verifying\n\x1b",
        "job_id": ["x"],
        "total_size_bytes": -1,
        "downloaded_bytes": "9",
        "bytes_per_second": True,
        "estimated_completion": moment,
        "message": "still\x07here",
    }
    report, _ = await asked(look, 200, answer)
    figures = (report.total_bytes, report.done_bytes, report.bytes_per_second)
    assert figures == (None, None, None)
    assert (report.status, report.job_id, report.words) == ("verifying ␛", "job/../1", "still␇here")


async def test_a_zone_that_is_missing_is_utc() -> None:
    report, _ = await asked(look, 200, {"status": "downloading", "estimated_completion": "1970-01-01T00:01:00"})
    assert report.ends_at == 60.0


async def test_a_failure_is_told_in_the_servers_words() -> None:
    report, _ = await asked(look, 200, {"status": "failed", "error": {"message": "disk full"}})
    assert report == DownloadReport("failed", "job/../1", words="disk full")


@pytest.mark.parametrize(
    ("ask", "status", "body", "kind", "words"),
    [
        (begin, 501, {"error": {"type": "not_implemented", "message": "cannot download"}}, DownloadRefused, "cannot"),
        (begin, 404, {"error": {"type": "model_not_found", "message": "no a/b"}}, DownloadRefused, "no a/b"),
        (begin, 400, {"error": {"type": "invalid_request", "message": "bad URL"}}, DownloadRefused, "bad URL"),
        (begin, 404, UNEXPECTED, NotFound, "Unexpected endpoint"),
        (begin, 401, {"error": {"message": "no token"}}, Unauthorized, ""),
        (begin, 200, {"status": "downloading"}, BadReply, "no job"),
        (begin, 200, [], BadReply, "no status"),
        (look, 200, {"status": 3}, BadReply, "no status"),
        (look, 404, {"error": {"type": "job_not_found", "message": "no job_1"}}, NotFound, "no job_1"),
        (look, 500, {"error": {"type": "internal_error", "message": "oops"}}, BackendError, "oops"),
    ],
)
async def test_refusals(
    ask: Callable[[LMStudio], Awaitable[DownloadReport]],
    status: int,
    body: object,
    kind: type[BackendError],
    words: str,
) -> None:
    with pytest.raises(kind) as caught:
        await asked(ask, status, body)
    assert words in caught.value.detail
    if kind is DownloadRefused:
        assert ("Check the id" in caught.value.problem.next_step) == (status != 501)
