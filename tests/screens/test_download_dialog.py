"""The dialog of `d`."""

import pytest
from dialog_host import dialog_open

from lmdeck.model.download import Download, DownloadReport
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.download_dialog import DownloadDialog

ROOM = "83.2 GB are free in the models folder."
SIZES = [(80, 24), (160, 45)]
URL = "https://huggingface.co/some/model"


def job(name: str, status: str = "downloading") -> Download:
    return Download(f"m/{name}", None, 1.0, DownloadReport(status, name, 400_000_000, 100_000_000, 1e8))


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_it_will_do_and_asks_once(size: tuple[int, int]) -> None:
    dialog = DownloadDialog((), ROOM)
    async with dialog_open(dialog, size) as (host, pilot):
        await host.see(pilot, ROOM)
        await pilot.press(*"ibm/granite")
        await host.see(pilot, "Asks the server to download ibm/granite.")
        await pilot.press("enter", "enter")
        await host.see(pilot, "Asking the server for ibm/granite")
        assert [(each.model, each.quantization) for each in host.asked if isinstance(each, intents.Download)] == [
            ("ibm/granite", None)
        ]
        dialog.begun()
        await pilot.press(*"next")
        await host.see(pilot, "Asks the server to download next.")


async def test_a_quantisation_is_for_addresses_only() -> None:
    dialog = DownloadDialog((), ROOM)
    async with dialog_open(dialog, (80, 24)) as (host, pilot):
        await pilot.press(*"a/b", "tab", *"Q8_0", "enter")
        (first,) = host.asked
        assert isinstance(first, intents.Download)
        assert first.quantization is None
        dialog.begun()
        await pilot.pause()
        dialog._model.value = URL
        await host.see(pilot, "in the quantisation that it chooses")
        dialog._model.focus()
        await pilot.press("tab", *"Q8_0")
        await host.see(pilot, f"Asks the server to download {URL}, Q8_0.")
        await pilot.press("enter")
        last = host.asked[-1]
        assert isinstance(last, intents.Download)
        assert (last.model, last.quantization) == (URL, "Q8_0")
        dialog.begun()
        await pilot.pause()
        assert dialog.focused is dialog._model


@pytest.mark.parametrize("typed", ["", "two words"])
async def test_what_is_no_name_is_not_sent(typed: str) -> None:
    async with dialog_open(DownloadDialog((), ROOM), (80, 24)) as (host, pilot):
        await pilot.press(*("space" if letter == " " else letter for letter in typed), "enter")
        await host.see(pilot, "A name has no spaces" if typed else "Nothing is named")
        assert host.asked == []


async def test_the_servers_no_stays_with_what_was_typed() -> None:
    dialog = DownloadDialog((), ROOM)
    async with dialog_open(dialog, (80, 24)) as (host, pilot):
        await pilot.press(*"a/b", "enter")
        dialog.refused(Problem("not downloaded", "This server [b]cannot\x1b", "Check the id."))
        await host.see(pilot, "This server [b]cannot␛ Check the id.")
        assert dialog._model.value == "a/b"
        await pilot.press("enter")
        assert len(host.asked) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_many_downloads_leave_the_keys_in_sight(size: tuple[int, int]) -> None:
    dialog = DownloadDialog([job("a")], ROOM)
    async with dialog_open(dialog, size) as (host, pilot):
        await host.see(pilot, "↓ m/a downloading")
        await host.see(pilot, "25 % 0.1 of 0.4 GB 100.0 MB/s 0:03 left")
        dialog.show([job(str(number)) for number in range(40)])
        await host.see(pilot, "↓ m/39 downloading")
        assert "Esc close, downloads go on" in host.words()
        dialog.show([job("a", "completed")])
        await host.see(pilot, "✓ m/a completed")
        await pilot.press("escape")
        assert host.screen is not dialog
