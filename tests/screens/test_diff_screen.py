"""The difference of two of several answers."""

import pytest
from dialog_host import dialog_open

from lmdeck.screens.diff_screen import DiffScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
TEXTS = [("qwen[b]\x1b", "a quick fox"), ("ha-expert " * 30, "a red fox"), ("third", "a quick fox")]


def opened(size=(80, 24), pair=(0, 1), texts=TEXTS):
    return dialog_open(DiffScreen(texts, pair), size)


@SIZES
async def test_both_texts_in_one_with_signs_and_counts(size):
    async with opened(size) as (host, pilot):
        for fact in (
            "a [-quick-] {+red+} fox",
            "[-qwen[b]␛-] {+ha-expert ha-expert",
            "…+}",
            "1 word only in [-the first-], 1 word only in {+the second+}, 2 in both",
            "Tab next pair",
            "Esc close",
        ):
            await host.see(pilot, fact)


async def test_from_pair_to_pair():
    async with opened() as (host, pilot):
        await host.see(pilot, "{+red+}")
        await pilot.press("tab")
        for fact in ("No difference in 3 words.", "{+third+}", "a quick fox"):
            await host.see(pilot, fact)
        await pilot.press("tab")
        await host.see(pilot, "a [-red-] {+quick+} fox")
        await pilot.press("tab", "shift+tab")
        await host.see(pilot, "a [-red-] {+quick+} fox")


async def test_copy_and_close():
    async with opened(texts=TEXTS[:2]) as (host, pilot):
        assert "Tab next pair" not in await host.see(pilot, "{+red+}")
        await pilot.press("y")
        assert host.copied == "a [-quick-] {+red+} fox"
        await pilot.press("escape")
        assert host.screen is not host.dialog
