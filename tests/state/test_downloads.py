"""Downloads in the deck's state."""

from lmdeck.model.download import Download, DownloadReport
from lmdeck.state.deck import DeckState
from lmdeck.state.events import Connected, DownloadsSeen
from lmdeck.state.step import step
from lmdeck.state.views import downloads_words


def job(name: str, status: str = "downloading", done: int | None = None) -> Download:
    return Download(f"m/{name}", None, 1.0, DownloadReport(status, name, 100, done))


def test_news_take_the_place_of_what_was_known() -> None:
    state = step(DeckState(), DownloadsSeen((job("a"), job("b"))))
    after = step(state, DownloadsSeen((job("a", done=40),)))
    assert after.downloads == (job("a", done=40), job("b"))
    assert step(after, DownloadsSeen((job("b"),))) is after
    assert step(after, DownloadsSeen(())) is after
    assert step(after, Connected("http://other", False)).downloads == ()


def test_no_more_are_remembered_than_can_be_looked_at() -> None:
    state = step(DeckState(), DownloadsSeen(tuple(job(str(number)) for number in range(150))))
    assert (len(state.downloads), state.downloads[-1]) == (100, job("149"))


def test_the_pane_says_how_far_the_slowest_is() -> None:
    assert downloads_words(DeckState(downloads=(job("a", "completed"),))) == ""
    assert downloads_words(DeckState(downloads=(job("a"),))) == "↓"
    assert downloads_words(DeckState(downloads=(job("a", done=40), job("b", "failed")))) == "↓ 40 %"
    assert downloads_words(DeckState(downloads=(job("a", done=40), job("b", done=7)))) == "2 ↓ 7 %"
