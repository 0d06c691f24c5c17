"""Dialogs in a small host app that answers like the session, with forecasts made by hand."""

from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest
from textual import on
from textual.app import App
from textual.message import Message

from lmdeck.model.catalog import Model
from lmdeck.model.estimate import Estimate, Share
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import LmsFigure, Occupant, Outlook, Room, Verdict
from lmdeck.screens import intents
from lmdeck.screens.dialog import Dialog

GIB = 2**30
FIGURE = LmsFigure(int(11.5 * GIB), 12 * GIB, low_confidence=True, will_load=False)


def forecast(request: LoadRequest) -> Outlook:
    """16 GiB of weights and 1 GiB of cache for 16384 tokens, on a GPU with 22 GiB free."""
    context, slots = request.context_length or 4096, request.parallel or 4
    kv = context * GIB // 16384
    gpu, ram = Share(16 * GIB, kv, 0, GIB // 2), Share(GIB // 4, 0, 0, 0)
    parts = Estimate(
        context,
        context,
        kv,
        0,
        GIB // 2,
        (GIB // 2, GIB),
        16 * GIB,
        0,
        0,
        0,
        gpu,
        ram,
        49,
        49,
        "from the file",
        "b6900",
    )
    fits = gpu.total <= 22 * GIB
    verdict = Verdict("fits", "room enough") if fits else Verdict("does not fit", f"needs {gpu.total / GIB:.1f} GiB")
    return Outlook(
        context,
        slots,
        "from the file",
        "b6900",
        gpu_bytes=gpu.total,
        ram_bytes=ram.total,
        parts=parts,
        verdict=verdict,
        largest_context=81920,
        most_slots=8,
        make_room=() if fits else ("ha-expert",),
        room=Room(22 * GIB, 24 * GIB, 60 * GIB, 96 * GIB),
        occupants=(Occupant("ha-expert", 7 * GIB, busy=True),),
    )


class Host(App[None]):
    """Opens one dialog, keeps the intents that reach it, and answers them."""

    def __init__(self, dialog: Dialog, answers: bool) -> None:
        super().__init__()
        self.dialog, self.answers = dialog, answers
        self.seen: list[Message] = []
        self.results: list[object] = []

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.results.append)

    @on(intents.Intent)
    def carry_out(self, intent: intents.Intent) -> None:
        self.seen.append(intent)
        if self.answers and isinstance(intent, intents.Weigh):
            self.dialog.weighed(intents.Weighed(intent.request, forecast(intent.request)))
        elif self.answers and isinstance(intent, intents.AskLmStudio):
            self.dialog.lmstudio_said(intents.LmStudioSaid(intent.request, FIGURE))

    def got(self, kind: type[Message]) -> list[Message]:
        """The intents of this kind, oldest first."""
        return [intent for intent in self.seen if type(intent) is kind]


class Stage:
    """A running host: press keys, wait for what the screen shows."""

    def __init__(self, app: Host, pilot) -> None:
        self.app, self.pilot, self.dialog = app, pilot, app.dialog
        self.press = pilot.press

    def text(self) -> str:
        screen = self.app.screen
        strips = screen._compositor.render_strips(screen.size)
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        for _ in range(250):
            if holds():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never {what}:\n{self.text()}")

    async def see(self, words: str) -> None:
        await self.until(lambda: words in self.text(), f"saw {words!r}")

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if letter == " " else letter for letter in text))


@pytest.fixture
def stage():
    """Opens a dialog: `async with stage(LoadDialog(…)) as deck`."""

    @asynccontextmanager
    async def opened(dialog: Dialog, size=(160, 45), answers=True):
        app = Host(dialog, answers)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Stage(app, pilot)

    return opened


@pytest.fixture
def coder() -> Model:
    """A model that is not loaded."""
    return Model(
        "qwen/coder", architecture="qwen3moe", params="30B-A3B", size_bytes=17_400_000_000, max_context_length=262144
    )


@pytest.fixture
def make_forecast() -> Callable[[LoadRequest], Outlook]:
    """The forecast that the host would give."""
    return forecast
