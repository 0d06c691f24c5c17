"""The doctor's page: what it asks for, how findings are drawn, what is copied."""

from dialog_host import dialog_open

from lmdeck.model.finding import Finding
from lmdeck.screens.doctor_screen import DoctorScreen

OK = Finding("server", "ok", "http://127.0.0.1:1234 is LM Studio, 3 ms")
FAIL = Finding("token", "fail", "401: [bold]not[/] accepted", "Set LM_API_TOKEN. " + "word " * 30 + "last")


async def test_it_asks_for_the_checks_when_it_opens_and_again() -> None:
    async with dialog_open(DoctorScreen(), (80, 24)) as (host, pilot):
        assert [type(intent) for intent in host.asked] == [DoctorScreen.CheckWanted]
        await pilot.press("r")
        assert len(host.asked) == 2


async def test_findings_come_one_by_one_and_the_last_line_sums_them_up() -> None:
    page = DoctorScreen()
    async with dialog_open(page, (80, 24)) as (host, pilot):
        page.begin()
        await host.see(pilot, "Looking …")
        page.show(OK)
        await host.see(pilot, "✓ server http://127.0.0.1:1234 is LM Studio, 3 ms")
        await host.see(pilot, "Looked at server, going on …")
        page.show(FAIL)
        page.end()
        await host.see(pilot, "1 ok, 1 failed (token)")
        await host.see(pilot, "✗ token 401: [bold]not[/] accepted")
        await host.see(pilot, "→ Set LM_API_TOKEN. word")
        await host.see(pilot, "word last")  # wrapped, not cut off
        page.begin()
        await host.see(pilot, "Doctor Looking …")  # and nothing between


async def test_everything_is_copied_as_plain_text() -> None:
    page = DoctorScreen()
    async with dialog_open(page, (80, 24)) as (host, pilot):
        page.begin()
        for finding in (OK, FAIL):
            page.show(finding)
        await pilot.press("y")
        lines = host.copied.splitlines()
        assert lines[0] == "✓ server        http://127.0.0.1:1234 is LM Studio, 3 ms"
        assert lines[1] == "✗ token         401: [bold]not[/] accepted"
        assert lines[2].strip().startswith("→ Set LM_API_TOKEN.")
        assert lines[-1] == "1 ok, 1 failed (token)"


async def test_more_than_fits_is_scrolled_to_with_j_and_k() -> None:
    page = DoctorScreen()
    async with dialog_open(page, (80, 24)) as (host, pilot):
        page.begin()
        for number in range(40):
            page.show(Finding(f"part {number}", "ok", f"words {number}"))
        page.end()
        assert "words 39" in await host.see(pilot, "words 39")
        await pilot.press(*"k" * 40)
        await host.see(pilot, "words 0")
        await pilot.press(*"j" * 40)
        await host.see(pilot, "words 39")
