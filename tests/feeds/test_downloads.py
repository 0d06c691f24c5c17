"""Downloads are followed while they run, and only then."""

import asyncio
from contextlib import aclosing

from lmdeck.backend.errors import BackendError, NotFound, Unreachable
from lmdeck.feeds.downloads import download_feed
from lmdeck.feeds.pace import Pace
from lmdeck.model.download import GONE, Download, DownloadReport


class Server:
    """Answers its script by job, one item a question."""

    def __init__(self, **script: list[DownloadReport | BackendError]) -> None:
        self.script, self.asked = script, list[str]()

    async def download_status(self, job_id: str) -> DownloadReport:
        self.asked.append(job_id)
        answer = self.script[job_id].pop(0)
        if isinstance(answer, BackendError):
            raise answer
        return answer


def job(name: str) -> Download:
    return Download(f"m/{name}", None, 1.0, DownloadReport("downloading", name))


async def test_several_are_followed_to_their_ends() -> None:
    half = DownloadReport("downloading", "a", 10, 5)
    server = Server(
        a=[half, Unreachable("gone for lunch"), DownloadReport("completed", "a")],
        b=[NotFound("no such job", kind="job_not_found")],
        c=[DownloadReport("paused", "c"), DownloadReport("failed", "c", words="disk full")],
    )
    state = {name: job(name) for name in "abc"}
    wanted = asyncio.Event()

    def running() -> list[Download]:
        return [each for each in state.values() if not each.report.ended]

    feed = download_feed(server, running, wanted, Pace(0.0, 0.0, 0.0))  # type: ignore[arg-type]
    seen = list[Download]()
    async with aclosing(feed) as events, asyncio.timeout(5):
        wanted.set()
        async for event in events:
            seen += event.downloads
            state |= {each.report.job_id: each for each in event.downloads}
            if not running():
                break
        assert server.asked == ["a", "b", "c", "a", "c", "a"]
        assert state["b"].report == DownloadReport(GONE, "b", words="no such job")
        assert state["c"].report.words == "disk full"
        assert state["a"].report.status == "completed"
        troubled = [each for each in seen if each.problem]
        assert [(each.report, each.problem.title) for each in troubled if each.problem] == [
            (half, "down: gone for lunch")
        ]
        following = asyncio.ensure_future(anext(events))
        state["d"], server.script["d"] = job("d"), [DownloadReport("completed", "d")]
        wanted.set()
        assert [each.report.job_id for each in (await following).downloads] == ["d"]
