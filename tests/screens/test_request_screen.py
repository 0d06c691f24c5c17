"""The exact request: both forms, and what is copied."""

import pytest
from dialog_host import dialog_open

from lmdeck.screens.request_screen import COPIED, RequestScreen

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
CURL = "curl -N http://127.0.0.1:1234 \\\n  -H \"Authorization: Bearer $LM_API_TOKEN\" \\\n  -d '[b]\u202e'"
PYTHON = "import httpx\n\tprint('[/b]')"


@SIZES
async def test_both_forms_are_shown_and_copied_as_they_are(size):
    async with dialog_open(RequestScreen(CURL, PYTHON), size) as (host, pilot):
        shown = await host.see(pilot, "-d '[b]\ufffd'")
        assert "[1 curl]" in shown
        assert '-H "Authorization: Bearer $LM_API_TOKEN"' in shown
        assert "A token is read from LM_API_TOKEN." in shown
        assert "import httpx" not in shown
        await pilot.press("y")
        assert host.copied == CURL
        await pilot.press("tab")
        shown = await host.see(pilot, "import httpx")
        assert "[2 Python]" in shown
        assert "print('[/b]')" in shown
        await pilot.press("y")
        assert host.copied == PYTHON
        await pilot.press("1")
        await host.see(pilot, "[1 curl]")
        await pilot.press("escape")
        assert host.screen is not host.dialog


async def test_each_form_keeps_its_place():
    long = "\n".join(f"line {number}" for number in range(500))
    async with dialog_open(RequestScreen(long, PYTHON), (80, 24)) as (host, pilot):
        await pilot.press("G")
        await host.see(pilot, "line 499")
        await pilot.press("2")
        await host.see(pilot, "import httpx")
        await pilot.press("1")
        await host.see(pilot, "line 499")


async def test_a_part_of_a_request_is_never_copied():
    async with dialog_open(RequestScreen("curl " + "x" * COPIED, PYTHON), (80, 24)) as (host, pilot):
        await host.see(pilot, f"{COPIED + 5} characters: only its beginning is shown, and nothing is copied.")
        await pilot.press("y")
        assert host.copied == ""
