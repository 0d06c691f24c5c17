"""Cells of the Loaded pane."""

import pytest

from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.rows import LoadedRow
from lmdeck.widgets.paint import loaded
from lmdeck.widgets.paint.line import plain


@pytest.mark.parametrize(
    ("state", "since", "words"),
    [
        ("generating", None, "● generating"),
        ("processingPrompt", None, "● prompt"),
        ("computingEmbedding", None, "● embedding"),
        ("idle", None, "○ idle"),
        ("loaded", None, "○ loaded"),
        ("loading", 88.0, "◌ loading 12 s"),
        ("loading", 20.0, "◌ loading 1:20"),
        ("unloading", 99.9, "◌ unloading 0 s"),
        ("warming\x1b[2J", None, "○ warming␛[2J"),
    ],
)
def test_state(state, since, words):
    assert plain(loaded.state(LoadedRow("a", "a", state, since=since), 100.0)) == words


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (ContextReading(None, Claim(131072, "")), "131072 ?"),
        (ContextReading(Claim(32768, ""), Claim(32768, "")), "32768 ?"),
        (ContextReading(Claim(32768, ""), Claim(8192, "")), "32768→8192 ✗"),
        (ContextReading(Claim(4096, ""), Claim(8192, "")), "8192 ?"),
        (ContextReading(Claim(4096, ""), None), "4096 …"),
        (ContextReading(), "–"),
    ],
)
def test_context(reading, words):
    assert plain(loaded.context(reading)) == words


def test_ttl_counts_down_and_stops_at_zero():
    assert plain(loaded.ttl(LoadedRow("a", "a", "idle", ttl_deadline=2630.0), 100.0)) == "42:10"
    assert plain(loaded.ttl(LoadedRow("a", "a", "idle", ttl_deadline=90.0), 100.0)) == "0:00"
    assert plain(loaded.ttl(LoadedRow("a", "a", "idle"), 100.0)) == "–"


def test_a_duplicate_says_so_in_words():
    assert plain(loaded.instance(LoadedRow("qwen:2", "qwen", "idle", duplicate=True))) == "qwen:2 (copy)"


def test_numbers():
    assert [plain(loaded.number(value, 1)) for value in (None, 41.24)] == ["–", "41.2"]
