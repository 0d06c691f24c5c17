"""The doctor's room: opens the page, and hands it the findings while it is open."""

from contextlib import aclosing

from lmdeck.desk import Desk
from lmdeck.screens import intents
from lmdeck.screens.doctor_screen import DoctorScreen


class Clinic:
    """Looks at every part of the connection and its surroundings. Nothing here changes the server."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._app = desk, desk.app

    def carry_out(self, intent: intents.Intent) -> bool:
        """Begin it; False for an intent of another room."""
        match intent:
            case intents.ShowDoctor():
                self._app.push_screen(DoctorScreen())
            case DoctorScreen.CheckWanted():
                self._app.run_worker(self._check(), group="doctor", exclusive=True)
            case _:
                return False
        return True

    def _pages(self) -> list[DoctorScreen]:
        return [screen for screen in self._app.screen_stack if isinstance(screen, DoctorScreen)]

    async def _check(self) -> None:
        """Tell the page each finding; without the page there is no reason to go on."""
        for page in self._pages():
            page.begin()
        async with aclosing(self._desk.checkup()) as findings:
            async for finding in findings:
                if not (pages := self._pages()):
                    return
                for page in pages:
                    page.show(finding)
        for page in self._pages():
            page.end()
