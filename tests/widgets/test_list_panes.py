"""The Loaded and Available panes alone."""

from dataclasses import replace

import pytest

from lmdeck.model.catalog import Capabilities, Model
from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.outlook import Outlook, Verdict
from lmdeck.model.problem import Problem
from lmdeck.model.rows import AvailableRow, LoadedRow
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.loaded_pane import LoadedPane
from lmdeck.widgets.pane import Pane

DOWN = Problem("down: connection refused", "nothing listens on port 1234", "start it: lms server start")


class Clock:
    """Monotonic seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


CODER = LoadedRow(
    "qwen3-coder-30b", "qwen3", "generating", ContextReading(None, Claim(131072, "")), 4, 1, None, 18 * 2**30, 41.24
)
EXPERT = LoadedRow(
    "ha-expert", "ha", "idle", ContextReading(Claim(32768, ""), Claim(8192, "")), 4, 0, 2630.0, 8 * 2**30, 63.0
)
COMING = LoadedRow("plum", "plum", "loading", ContextReading(Claim(4096, "")), since=88.0)
MODELS = (
    AvailableRow(Model("qwen/qwen3-coder-next", architecture="qwen3next", size_bytes=45_200_000_000), 0),
    AvailableRow(Model("ha-expert", capabilities=Capabilities(tools=True)), 1),
    AvailableRow(Model("nomic", type="embedding")),
)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def loaded(clock):
    return LoadedPane(id="loaded", clock=clock)


async def test_loaded_as_designed(host, loaded, lines):
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER, EXPERT, COMING)
        await pilot.pause()
        assert loaded.border_title == "Loaded 3"
        assert lines(loaded.table)[:4] == [
            " INSTANCE          STATE          CTX            SLOTS QUEUE   TTL SIZE GB  TOK/S",
            "▌qwen3-coder-30b   ● generating   131072 ?           4     1     –    19.3   41.2",
            " ha-expert         ○ idle         32768→8192 ✗       4     0 42:10     8.6   63.0",
            " plum              ◌ loading 12 s 4096 …             –     –     –       –      –",
        ]


async def test_countdowns_run_between_the_polls_and_paint_only_their_lines(host, loaded, clock, lines, painted):
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER, EXPERT, COMING)
        await pilot.pause()
        ys = painted(loaded.table)
        assert loaded.ticks()
        clock.now += 1
        loaded.tick()
        await pilot.pause()
        assert sorted(ys) == [2, 3]
        shown = lines(loaded.table)
        assert "42:09" in shown[2]
        assert "loading 13 s" in shown[3]
        loaded.rows = (CODER,)
        assert not loaded.ticks()


async def test_words_for_every_state(host, loaded, lines):
    def words():
        return " ".join(" ".join(lines(loaded.table)).split())

    async with host(loaded).run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert words() == "asking the server what is loaded …"
        assert loaded.border_title == "Loaded"
        loaded.show_problem(DOWN)
        await pilot.pause()
        assert words() == "✗ down: connection refused nothing listens on port 1234 start it: lms server start"
        loaded.show_problem(None)
        loaded.rows = ()
        await pilot.pause()
        assert words().startswith("no model is loaded 2 goes to Available")
        assert loaded.border_title == "Loaded 0"
        loaded.rows = (CODER,)
        await pilot.pause()
        assert words().startswith("INSTANCE")


async def test_what_is_listed_stays_while_the_server_is_down(host, loaded, clock, lines):
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER,)
        loaded.show_problem(DOWN)
        loaded.mark_stale(True, clock.now - 12)
        await pilot.pause()
        assert "qwen3-coder-30b" in lines(loaded.table)[1]
        assert loaded.border_subtitle == "✗ down: connection refused · stale 12 s"
        assert loaded.has_class("-stale")
        clock.now += 110
        loaded.tick()
        assert loaded.border_subtitle.endswith("stale 2 min")
        loaded.show_problem(None)
        loaded.mark_stale(False)
        assert not loaded.border_subtitle
        assert not loaded.has_class("-stale")


async def test_keys_of_loaded_ask_for_things(host, loaded):
    app = host(loaded)
    async with app.run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER, EXPERT)
        loaded.focus_content()
        await pilot.press("j", "u", "U", "c", "y", "enter")
        await pilot.pause()
        assert [message.row for message in app.got(LoadedPane.UnloadRequested)] == [EXPERT]
        assert len(app.got(LoadedPane.UnloadAllRequested)) == 1
        assert [message.instance_id for message in app.got(LoadedPane.ChatRequested)] == ["ha-expert"]
        assert [message.text for message in app.got(Pane.CopyRequested)] == ["ha-expert"]
        assert [message.row for message in app.got(LoadedPane.DetailsRequested)] == [EXPERT]


async def test_read_only_greys_what_changes_the_server(host, loaded):
    app = host(loaded)
    async with app.run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER,)
        loaded.read_only = True
        loaded.focus_content()
        await pilot.press("u", "U", "c")
        await pilot.pause()
        assert not app.got(LoadedPane.UnloadRequested)
        assert not app.got(LoadedPane.UnloadAllRequested)
        assert app.got(LoadedPane.ChatRequested)
        assert loaded.check_action("unload", ()) is None
        assert "read-only" in loaded.border_subtitle
        loaded.read_only = False
        assert loaded.check_action("unload", ())


async def test_a_row_on_its_way_cannot_be_talked_to_and_only_a_load_can_be_given_up(host, loaded):
    async with host(loaded).run_test(size=(84, 8)):
        assert loaded.check_action("unload", ()) is None
        loaded.rows = (COMING,)
        assert loaded.check_action("unload", ())
        assert loaded.check_action("chat", ()) is None
        assert loaded.check_action("copy", ())
        loaded.rows = (replace(COMING, state="unloading"),)
        assert loaded.check_action("unload", ()) is None


async def test_keys_of_available_ask_for_things(host, lines):
    pane = AvailablePane(id="available")
    app = host(pane)
    async with app.run_test(size=(84, 8)) as pilot:
        pane.rows = MODELS
        pane.focus_content()
        await pilot.press("l", "L", "e", "j", "c", "y", "enter", "j", "c")
        await pilot.pause()
        assert pane.border_title == "Available 3"
        assert lines(pane.table)[2].startswith(" ● ha-expert")
        assert [message.model.key for message in app.got(AvailablePane.LoadRequested)] == ["qwen/qwen3-coder-next"]
        assert [message.model.key for message in app.got(AvailablePane.LoadAgainRequested)] == [MODELS[0].model.key]
        assert [message.model.key for message in app.got(AvailablePane.EstimateRequested)] == [MODELS[0].model.key]
        assert [message.model.key for message in app.got(AvailablePane.ChatRequested)] == ["ha-expert"]
        assert [message.model.key for message in app.got(AvailablePane.DetailsRequested)] == ["ha-expert"]
        pane.read_only = True
        assert pane.check_action("load", ()) is None
        assert pane.check_action("load_again", ()) is None
        assert pane.check_action("estimate", ())


async def test_another_model_is_asked_for_whatever_is_listed_and_told_in_the_frame(host, lines):
    pane = AvailablePane(id="available")
    app = host(pane)
    async with app.run_test(size=(84, 8)) as pilot:
        pane.rows = ()
        pane.focus_content()
        await pilot.press("d")
        await pilot.pause()
        assert "download one: d" in " ".join(lines(pane.table))
        assert len(app.got(AvailablePane.DownloadRequested)) == 1
        pane.note_downloads("↓ 42 %")
        assert "↓ 42 %" in pane.border_subtitle
        pane.note_downloads("")
        assert not pane.border_subtitle
        pane.read_only = True
        assert pane.check_action("download", ()) is None


async def test_available_says_what_fits_and_sorts_by_it(host, lines):
    pane = AvailablePane(id="available")
    small = Outlook(4096, 4, "rough", "", gpu_bytes=2 * 2**30, verdict=Verdict("fits"))
    large = Outlook(4096, 4, "from the file", "", gpu_bytes=48 * 2**30, verdict=Verdict("does not fit"))
    rows = (replace(MODELS[0], outlook=large), replace(MODELS[1], outlook=small), MODELS[2])
    async with host(pane).run_test(size=(80, 8)) as pilot:
        pane.rows = rows
        await pilot.pause()
        shown = lines(pane.table)
        assert shown[0].split()[-2:] == ["FIT", "GiB"]
        assert [line.split()[-2:] for line in shown[1:4]] == [["✗", "48.0"], ["✓", "≈2.0"], ["–", "…"]]
        pane.table.sort_by("FIT GiB", descending=True)
        assert [row.model.key for row in pane.table.shown] == [MODELS[0].model.key, "ha-expert", "nomic"]


async def test_a_poll_that_says_the_same_paints_nothing(host, loaded, painted):
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER, EXPERT)
        await pilot.pause()
        ys, frame = painted(loaded.table), painted(loaded)
        loaded.rows = (replace(CODER), replace(EXPERT))
        await pilot.pause()
        assert ys == frame == []
        loaded.rows = (replace(CODER, queue=2), replace(EXPERT))
        await pilot.pause()
        assert ys == [1]
        assert frame == []


async def test_filter_narrows_keeps_and_clears(host, lines):
    pane = AvailablePane(id="available")
    async with host(pane).run_test(size=(84, 8)) as pilot:
        pane.rows = MODELS
        pane.focus_content()
        await pilot.press("slash", *"EXP")
        await pilot.pause()
        assert [row.model.key for row in pane.table.shown] == ["ha-expert"]
        assert pane.border_subtitle == "“EXP” 1 of 3"
        await pilot.press("enter")
        assert pane.table.has_focus
        assert not pane.query("FilterBar")
        assert pane.filter_text == "EXP"
        await pilot.press("slash", "q")
        await pilot.pause()
        assert lines(pane.table)[0] == " nothing contains “EXPq”"
        await pilot.press("escape")
        assert pane.filter_text == ""
        assert pane.table.has_focus
        assert len(pane.table.shown) == 3
        await pilot.press("slash", "n", "enter", "escape")
        assert pane.filter_text == ""


async def test_the_filter_stays_when_the_focus_goes_elsewhere(host):
    pane = AvailablePane(id="available")
    async with host(pane).run_test(size=(84, 8)) as pilot:
        pane.rows = MODELS
        pane.focus_content()
        await pilot.press("slash", *"ha")
        pane.screen.set_focus(None)
        await pilot.pause()
        assert pane.filter_text == "ha"
        assert not pane.query("FilterBar")
        assert pane.screen.focused is None


async def test_sorting_is_told_in_the_frame(host, loaded):
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.rows = (CODER, EXPERT)
        loaded.focus_content()
        await pilot.press("s")
        await pilot.pause()
        assert loaded.border_subtitle == "sort INSTANCE ▲"


async def test_text_from_the_server_is_no_markup_anywhere(host, loaded, lines):
    hostile = "\x1b[2J[bold]x[/]"
    async with host(loaded).run_test(size=(84, 8)) as pilot:
        loaded.show_problem(Problem(hostile, hostile, hostile))
        await pilot.pause()
        assert lines(loaded.table)[0] == " ✗ ␛[2J[bold]x[/]"
        loaded.rows = (replace(CODER, id=hostile, state=hostile),)
        await pilot.pause()
        assert loaded.border_subtitle == "✗ ␛[2J\\[bold]x\\[/]"
        assert "␛[2J[bold]x[/]" in lines(loaded.table)[1]


@pytest.mark.parametrize("size", [(20, 3), (80, 24), (300, 100)])
async def test_any_size(host, loaded, clock, size):
    async with host(loaded).run_test(size=size) as pilot:
        loaded.rows = (CODER, EXPERT, COMING)
        loaded.focus_content()
        await pilot.press("j", "slash", "a", "enter", "s")
        loaded.show_problem(DOWN)
        loaded.rows = ()
        await pilot.resize_terminal(25, 4)
        await pilot.press("j", "G")
        await pilot.pause()
        assert loaded.table.shows_words


@pytest.mark.parametrize("pane", [LoadedPane, AvailablePane])
def test_every_binding_can_be_remapped_and_explains_itself(pane):
    bindings = [
        binding
        for cls in pane.__mro__
        for binding in vars(cls).get("BINDINGS", ())
        if cls.__module__ != "textual.widget"
    ]
    own = [binding for binding in bindings if hasattr(binding, "id")]
    assert own
    assert all(binding.id and binding.tooltip for binding in own)
    assert pane.BINDING_GROUP_TITLE == pane.TITLE
