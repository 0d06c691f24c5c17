"""Texts to embed, and what their vectors say."""

import pytest
from dialog_host import dialog_open

from lmdeck.model.problem import Problem
from lmdeck.model.vectors import compared
from lmdeck.screens.embeddings_screen import MOST_INPUTS, EmbeddingsScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
FOUND = compared(["cat[b]", "dog\x1b", "bond"], [[3.0, 4.0], [4.0, 3.0], [-4.0, 3.0]])


def opened(size=(80, 24), text=""):
    return dialog_open(EmbeddingsScreen("nomic[b]", text), size)


@SIZES
async def test_the_texts_are_asked_for_and_their_vectors_shown(size):
    async with opened(size) as (host, pilot):
        assert "Embeddings nomic[b]" in host.words()
        assert "One text a line" in host.words()
        await pilot.press(*"cat", "ctrl+j", *"dog", "enter")
        ((intent),) = host.asked
        assert (intent.model, intent.inputs) == ("nomic[b]", ("cat", "dog"))
        await host.see(pilot, "Embedding 2 texts …")
        host.dialog.show(FOUND)
        for fact in (
            "3 texts, vectors of 2 numbers",
            "most alike 1 and 2: 0.960",
            "least alike 2 and 3: -0.280",
            "1 cat[b] 5 1.00█ 0.96█ 0.00",
            "2 dog␛ 5 0.96█ 1.00█ -0.28",
        ):
            await host.see(pilot, fact)
        await pilot.press("tab", "y")
        assert "least alike 2 and 3: -0.280" in host.copied
        assert "  2 dog␛" in host.copied


async def test_a_failure_leaves_the_texts():
    async with opened(text="some text") as (host, pilot):
        await pilot.press("enter")
        host.dialog.fail(Problem("404: not found", "no such model", "Load it."))
        words = await host.see(pilot, "404: not found no such model Load it.")
        assert "some text" in words
        await pilot.press("tab", "y")
        assert host.copied == ""
        await pilot.press("i", "exclamation_mark")
        await host.see(pilot, "some text!")


async def test_nothing_and_too_much_are_not_asked_for():
    async with opened() as (host, pilot):
        await pilot.press("enter", "space", "enter")
        assert host.asked == []
        host.dialog._editor.load_text("\n".join("x" * (MOST_INPUTS + 1)))
        await pilot.press("enter")
        assert host.asked == []
        assert any(f"at most {MOST_INPUTS}" in notice.message for notice in host._notifications)


@pytest.mark.parametrize("keys", [("escape",), ("tab", "escape"), ("tab", "q")])
async def test_it_is_left_with_the_texts(keys):
    async with opened(text="kept") as (host, pilot):
        left = []
        host.screen._result_callbacks[-1].callback = left.append
        await pilot.press(*keys)
        await pilot.pause()
        assert left == ["kept"]


@SIZES
async def test_many_long_texts_leave_room_for_the_matrix(size):
    async with opened(size, "\n".join(f"text {number} " * 20 for number in range(40))) as (host, pilot):
        inputs = [f"text {number}" for number in range(40)]
        host.dialog.show(compared(inputs, [[float(number), 1.0] for number in range(40)]))
        words = await host.see(pilot, "1 text 0")
        assert "Esc close" in words
        assert "40 text 39" not in words
        await pilot.press("tab", "end")
        await host.see(pilot, "40 text 39")
