"""Walking through what was sent, without losing what is being written."""

from lmdeck.widgets.recall import Recall


def test_back_and_forth_brings_the_draft_back() -> None:
    recall = Recall()
    recall.know(["one", "two"])
    assert recall.step(-1, "draft") == "two"
    assert recall.step(-1, "two") == "one"
    assert recall.step(-1, "one") is None
    assert recall.step(1, "one") == "two"
    assert recall.step(1, "two") == "draft"
    assert recall.step(1, "draft") is None


def test_a_change_on_the_way_stays_until_something_is_sent() -> None:
    recall = Recall()
    recall.know(["one", "two"])
    assert recall.step(-1, "") == "two"
    assert recall.step(-1, "two, but other") == "one"
    assert recall.step(1, "one") == "two, but other"
    recall.add("three")
    assert recall.step(-1, "") == "three"
    assert recall.step(-1, "three") == "two"


def test_nothing_stands_there_twice() -> None:
    recall = Recall()
    recall.add("mine")
    recall.know(["old", "mine", "old"])
    assert recall.step(-1, "") == "mine"
    assert recall.step(-1, "mine") == "old"
    assert recall.step(-1, "old") is None
    recall.add("old")
    assert recall.step(-1, "") == "old"
    assert recall.step(-1, "old") == "mine"
    assert recall.step(-1, "mine") is None
