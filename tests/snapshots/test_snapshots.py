"""The main states as pictures. A deck without a server is fed a recorded list of events: a replay.

`make snapshots` draws them anew after a change that is meant; look at the difference before committing it.
"""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from lmdeck.estimate.forecast import forecast
from lmdeck.feeds.sources import Sources
from lmdeck.main import LMDeck
from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Activity, Capabilities, Instance, InstanceConfig, Model
from lmdeck.model.chat import ChatEnded, ChatStats, MessageDelta, ReasoningDelta
from lmdeck.model.conversation import ShownTurn, Turn
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import DeckNote, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.model.machine import Gpu, GpuSample, HostSample
from lmdeck.model.outlook import LmsFigure, Occupant, Question, Room
from lmdeck.model.problem import Problem
from lmdeck.screens import intents
from lmdeck.screens.load_dialog import LoadDialog
from lmdeck.state import events as ev
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.gpu_pane import GpuPane
from lmdeck.widgets.loaded_pane import LoadedPane
from lmdeck.widgets.log_pane import LogPane
from lmdeck.widgets.pane import Pane

SIZES = [(80, 24), (120, 40), (200, 60)]
GIB = 2**30
NOON = 1_795_780_800.0
SnapCompare = Callable[..., bool]


def model(key: str, arch: str, params: str, size_gb: float, context: int, **more: object) -> Model:
    return Model(
        key=key,
        display_name=key,
        architecture=arch,
        params=params,
        quantization="Q4_K_M",
        size_bytes=int(size_gb * 1e9),
        max_context_length=context,
        format="gguf",
        **more,  # type: ignore[arg-type]
    )


CODER = model(
    "qwen/qwen3-coder-30b",
    "qwen3moe",
    "30B-A3B",
    17.4,
    262144,
    capabilities=Capabilities(tools=True),
    instances=(Instance("qwen/qwen3-coder-30b", "qwen/qwen3-coder-30b", InstanceConfig(131072, 4)),),
)
EXPERT = model(
    "ha-expert",
    "qwen2",
    "7B",
    8.4,
    32768,
    instances=(
        Instance("ha-expert", "ha-expert", InstanceConfig(8192, 4)),
        Instance("ha-expert:2", "ha-expert", InstanceConfig(8192, 1)),
    ),
)
VISION = model(
    "mistralai/devstral-small-2-2512",
    "mistral3",
    "24B",
    14.2,
    393216,
    capabilities=Capabilities(vision=True, tools=True, reasoning=("off", "on")),
)
EMBED = Model("text-embedding-nomic-embed-text-v1.5", type="embedding", size_bytes=84_000_000, max_context_length=2048)
HOSTILE = model("[bold]日本語\x1b[2J[/bold]\u202e", "llama", "1B", 1.0, 4096)
MODELS = (CODER, EXPERT, VISION, EMBED, HOSTILE)

GPU = Gpu(0, "NVIDIA GeForce RTX 4090", 20 * GIB, 24 * GIB, 19 * GIB, 87, 61, 312, 450, 44, 2520, 10501, 12**6, 3**12)
HOST = HostSample(23.0, 41 * GIB, 96 * GIB, 0, 8 * GIB, 4.0, 3 * GIB)
ROOM = Room(4 * GIB, 24 * GIB, 55 * GIB, 96 * GIB)
ACTIVITIES = (
    Activity("qwen/qwen3-coder-30b", CODER.key, "generating", 1, 4, 131072),
    Activity("ha-expert", "ha-expert", "idle", 0, 4, 8192, ttl_s=3600, last_used_s=NOON - 1070),
)
LOG = (
    ServerLine(NOON, '[2026-11-27 12:00:00][DEBUG] Received request: POST to /v1/chat/completions with body {"a": 1}'),
    PredictionInput(NOON, CODER.key, "<|im_start|>user\nHello [b]there[/b] \x1b[31m<|im_end|>"),
    RuntimeLine(NOON + 1, "llama_context: n_ctx_seq = 8192", engine="llama.cpp", engine_version="2.3.0"),
    PredictionOutput(NOON + 2, CODER.key, "Hi", PredictionStats("eosFound", 41.3, 0.31, 2.0, 812, 143)),
    ServerLine(NOON + 3, "[ERROR] something failed", level="error"),
    DeckNote(NOON + 4, "log stream (server) ended: LM Studio has quit; again in 2 s", level="warn"),
)


@asynccontextmanager
async def no_sources() -> AsyncIterator[Sources]:
    raise AssertionError("a replay connects to nothing")
    yield


class Replay(LMDeck):
    """The deck without a connection."""

    def __init__(self, *events: ev.Event, theme: str = "lmdeck-dark", read_only: bool = False) -> None:
        super().__init__(no_sources, read_only=read_only)
        self.theme = theme
        self._events = events

    def _connect(self) -> None:
        assert self.session is not None
        for event in self._events:
            self.session.apply(event)


def connected(at: float) -> list[ev.Event]:
    """A busy deck at the monotonic second `at`."""
    return [
        ev.Connected("http://127.0.0.1:1234", has_token=True),
        ev.AllocationSeen(Allocation(CODER.key, 4711, NOON, n_ctx=131072, n_ctx_seq=131072, unified=True)),
        ev.AllocationSeen(Allocation("ha-expert", 4712, NOON, n_ctx=8192, n_ctx_seq=8192, unified=True)),
        ev.CatalogSeen(MODELS, 0.004, at, NOON),
        ev.RuntimeSeen("llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0"),
        ev.ActivitySeen(ACTIVITIES, at, NOON),
        ev.PredictionEnded("ha-expert", 63.0, NOON - 1070),
        ev.OutlooksMade({model.key: forecast(Question(model, LoadRequest(model.key), ROOM)) for model in MODELS}),
        ev.MachineSeen(GpuSample((GPU,)), HOST, at),
        ev.MachineSeen(GpuSample((replace(GPU, utilisation=35.0),)), HOST, at + 1),
    ]


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noon in Greenwich for ever."""
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    for pane in (AvailablePane, GpuPane, LoadedPane, LogPane, Pane):
        monkeypatch.setitem(pane.__init__.__kwdefaults__, "clock", lambda: 1000.0)
    wall = time.gmtime(NOON)
    strftime = time.strftime
    monkeypatch.setattr(time, "strftime", lambda form, when=None: strftime(form, when or wall))


def after(*keys: str, chat: bool = False, log: bool = True) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Fill the log, perhaps the chat, then press keys."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, LMDeck)
        await pilot.pause()
        if log:
            app.dashboard.log_pane.extend(LOG)
        if chat:
            app.dashboard.chat.begin(ShownTurn(Turn("q", None, "user", "What is a slot?", 0.0)), "a")
            await pilot.pause()
            for event in (
                ReasoningDelta("hm"),
                ReasoningDelta("", done=True),
                MessageDelta("# Slots\n\nOne *slot* holds one request:\n\n- `parallel` slots\n\n```py\nn = 4\n```\n"),
                ChatEnded(ChatStats(12, 143, None, 41.3, 0.31), "resp_1"),
            ):
                app.dashboard.chat.feed(event)
        await pilot.press(*keys)
        await pilot.wait_for_scheduled_animations()
        for _ in range(20):
            await pilot.pause(0.02)

    return run


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_busy(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(Replay(*connected(1000.0)), terminal_size=size, run_before=after(chat=True))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_down_before_the_first_answer(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    problem = Problem("down: connection refused", "", "Start the server (`lms server start`) or check the address.")
    app = Replay(ev.Connected("http://127.0.0.1:1234", False), ev.SourceLost("models", problem, 1000.0))
    assert snap_compare(app, terminal_size=size, run_before=after(log=False))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_load_dialog(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def weigh(pilot: Pilot[None]) -> None:
        await after("2", "l", "8", "k", "tab")(pilot)
        dialog, request = pilot.app.screen, LoadRequest(CODER.key, 8192)
        assert isinstance(dialog, LoadDialog)
        figure = LmsFigure(18 * GIB, 19 * GIB, low_confidence=True, will_load=False)
        others = (Occupant("ha-expert", 8 * GIB), Occupant("ha-expert:2", 8 * GIB, busy=True))
        outlook = forecast(Question(CODER, request, ROOM, occupants=others, lmstudio=figure))
        while not dialog.weighed(intents.Weighed(request, outlook)):  # the keys have not all arrived
            await pilot.pause(0.01)
        while not dialog.lmstudio_said(intents.LmStudioSaid(request, figure)):
            await pilot.pause(0.01)
        await pilot.pause()

    assert snap_compare(Replay(*connected(1000.0)), terminal_size=size, run_before=weigh)


def test_collapsed(snap_compare: SnapCompare) -> None:
    less = ev.AllocationSeen(Allocation("ha-expert", 4712, NOON, n_ctx=4096, n_ctx_seq=4096, unified=True))
    assert snap_compare(Replay(*connected(1000.0), less), terminal_size=(120, 40), run_before=after())


def test_everything_about_an_instance(snap_compare: SnapCompare) -> None:
    less = ev.AllocationSeen(Allocation("ha-expert", 4712, NOON, n_ctx=4096, n_ctx_seq=4096, unified=True, slots=4))
    app = Replay(*connected(1000.0), less)
    assert snap_compare(app, terminal_size=(120, 40), run_before=after("1", "j", "enter"))


def test_connecting(snap_compare: SnapCompare) -> None:
    assert snap_compare(Replay(), terminal_size=(120, 40), run_before=after(log=False))


def test_stale_after_losing_the_server(snap_compare: SnapCompare) -> None:
    lost = ev.SourceLost("models", Problem("down: no answer within 5 s"), 1000.0)
    assert snap_compare(Replay(*connected(988.0), lost), terminal_size=(120, 40), run_before=after())


def test_loading_and_unloading(snap_compare: SnapCompare) -> None:
    jobs = (ev.LoadStarted(LoadRequest(VISION.key, 32768), 988.0), ev.UnloadStarted("ha-expert", 999.0))
    assert snap_compare(Replay(*connected(1000.0), *jobs), terminal_size=(120, 40), run_before=after())


@pytest.mark.parametrize("pane", ["2", "3", "4", "5"])
def test_each_pane_alone_at_80_by_24(snap_compare: SnapCompare, pane: str) -> None:
    assert snap_compare(Replay(*connected(1000.0)), terminal_size=(80, 24), run_before=after(pane, chat=True))


def test_light(snap_compare: SnapCompare) -> None:
    app = Replay(*connected(1000.0), theme="lmdeck-light")
    assert snap_compare(app, terminal_size=(120, 40), run_before=after(chat=True))


def test_help(snap_compare: SnapCompare) -> None:
    assert snap_compare(Replay(*connected(1000.0)), terminal_size=(120, 40), run_before=after("question_mark"))


def test_without_nvidia_and_read_only(snap_compare: SnapCompare) -> None:
    missing = GpuSample(problem=Problem("NVML library not found", "no NVIDIA driver"))
    machine = ev.MachineSeen(missing, HOST, 1002.0)
    app = Replay(*connected(1000.0), machine, read_only=True)
    assert snap_compare(app, terminal_size=(120, 40), run_before=after())


def test_without_colours(snap_compare: SnapCompare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    assert snap_compare(Replay(*connected(1000.0)), terminal_size=(120, 40), run_before=after(chat=True))
