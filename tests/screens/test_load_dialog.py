"""The load dialog alone."""

from dataclasses import replace

import pytest
from textual.widgets import Input, Static

from lmdeck.model.catalog import Instance, Model
from lmdeck.model.confidence import ROUGH
from lmdeck.model.history import Preset
from lmdeck.model.load import LoadRequest
from lmdeck.model.outlook import LmsFigure
from lmdeck.model.problem import Problem
from lmdeck.screens import forecast_view, intents
from lmdeck.screens.forecast_view import ForecastView
from lmdeck.screens.load_dialog import LoadDialog
from lmdeck.widgets.choice import Choice

KEY = "qwen/coder"


def value(dialog: LoadDialog, field: str) -> str:
    return dialog.query_one(f"#{field}", Input).value


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_exactly_what_is_set_is_shown_and_sent(stage, coder, size) -> None:
    async with stage(LoadDialog(coder), size) as deck:
        await deck.type("16k")
        await deck.see('"context_length": 16384')
        assert "POST /api/v1/models/load" in deck.text()
        await deck.see("✓ fits: room enough")
        await deck.see("17.5 of 22.0 GiB free")
        await deck.press("enter")
        await deck.until(lambda: deck.app.got(intents.Load))
        assert [load.request for load in deck.app.got(intents.Load)] == [LoadRequest(KEY, 16384)]
        await deck.see("loading …")
        assert not deck.app.got(intents.KeepPreset)


async def test_the_forecast_is_asked_for_at_once_and_then_when_the_settings_rest(stage, coder) -> None:
    async with stage(LoadDialog(coder)) as deck:
        await deck.until(lambda: deck.app.got(intents.Weigh))
        await deck.type("8k")
        await deck.until(lambda: len(deck.app.got(intents.Weigh)) > 1)
        await deck.see(
            "LM Studio says 11.5 GiB on the GPU, 12.0 GiB in all · low confidence · its guardrail would refuse"
        )
        await deck.until(lambda: LoadRequest(KEY, 8192) in [ask.request for ask in deck.app.got(intents.AskLmStudio)])
        assert deck.app.got(intents.Weigh)[0].request == LoadRequest(KEY)
        assert deck.app.got(intents.Weigh)[-1].request == LoadRequest(KEY, 8192)


async def test_lm_studio_is_not_asked_while_the_settings_change(stage, coder, monkeypatch) -> None:
    monkeypatch.setattr(forecast_view, "ASK_S", 3600)
    async with stage(LoadDialog(coder)) as deck:
        await deck.type("8k")
        await deck.until(lambda: LoadRequest(KEY, 8192) in [weigh.request for weigh in deck.app.got(intents.Weigh)])
        assert not deck.app.got(intents.AskLmStudio)


async def test_a_stale_answer_is_ignored_and_the_old_one_is_marked(stage, coder, make_forecast) -> None:
    async with stage(LoadDialog(coder), answers=False) as deck:
        await deck.see("weighing …")
        dialog, first = deck.dialog, LoadRequest(KEY)
        assert dialog.weighed(intents.Weighed(first, make_forecast(first)))
        await deck.see("16.8 of 22.0 GiB free")
        await deck.type("128k")
        await deck.see("free …")
        assert not dialog.weighed(intents.Weighed(first, make_forecast(first)))
        assert not dialog.lmstudio_said(intents.LmStudioSaid(first, LmsFigure(1, 1)))
        assert "asking LM Studio …" in deck.text()
        now = LoadRequest(KEY, 131072)
        assert dialog.weighed(intents.Weighed(now, make_forecast(now)))
        await deck.see("✗ does not fit: needs 24.5 GiB")
        assert "free …" not in deck.text()
        assert dialog.lmstudio_said(intents.LmStudioSaid(now, None, Problem("lms load failed", "no such model")))
        await deck.see("LM Studio's own figure: none, lms load failed: no such model")


async def test_a_figure_of_lm_studios_is_weighed_where_we_have_no_parts(stage, coder, make_forecast) -> None:
    async with stage(LoadDialog(coder), answers=False) as deck:
        await deck.until(lambda: deck.app.got(intents.Weigh))
        request = LoadRequest(KEY)
        rough = replace(make_forecast(request), parts=None, confidence=ROUGH)
        deck.dialog.weighed(intents.Weighed(request, rough))
        await deck.see("≈16.8 of 22.0 GiB free")
        deck.dialog.lmstudio_said(intents.LmStudioSaid(request, LmsFigure(1, 1)))
        await deck.until(lambda: len(deck.app.got(intents.Weigh)) == 2)


async def test_m_and_p_set_their_fields_and_are_letters_in_a_text(stage, coder) -> None:
    async with stage(LoadDialog(coder)) as deck:
        await deck.see("m largest context that fits: 81920   p most slots that fit: 8   u make room")
        await deck.press("m")
        assert value(deck.dialog, "context_length") == "81920"
        await deck.until(lambda: deck.dialog.check_action("put_slots", ()))
        await deck.press("p")
        assert value(deck.dialog, "parallel") == "8"
        await deck.see("lms load -c 81920 --parallel 8 -y qwen/coder")
        assert "through lms: REST cannot set slots" in deck.text()
        deck.dialog.query_one("#identifier").focus()
        await deck.type("mpux")
        assert value(deck.dialog, "identifier") == "mpux"
        assert value(deck.dialog, "context_length") == "81920"


async def test_a_choice_and_enter_in_one_burst_send_the_choice(stage, coder) -> None:
    async with stage(LoadDialog(coder)) as deck:
        await deck.see("largest context that fits: 81920")
        await deck.press("m", "enter")
        await deck.until(lambda: deck.app.got(intents.Load))
        assert deck.app.got(intents.Load)[0].request == LoadRequest(KEY, 81920)


async def test_what_cannot_be_sent_says_so_and_m_still_helps(stage, coder) -> None:
    async with stage(LoadDialog(coder)) as deck:
        await deck.see("✓ fits: room enough")
        await deck.type("900k")
        await deck.see("Context length: at most 262144, the model's limit")
        await deck.see("✓ fits: room enough …")
        await deck.press("m")
        await deck.see('"context_length": 81920')
        await deck.until(lambda: "enough …" not in deck.text())


async def test_u_tells_what_would_have_to_go(stage, coder) -> None:
    async with stage(LoadDialog(coder)) as deck:
        await deck.type("200k")
        await deck.see("✗ does not fit")
        await deck.press("u")
        await deck.see("to make room: unload ha-expert (7.0 GiB, busy now)")
        await deck.press("u")
        await deck.until(lambda: "to make room:" not in deck.text())


async def test_settings_that_no_way_has_together_are_refused(stage, coder) -> None:
    async with stage(LoadDialog(coder, start=LoadRequest(KEY, parallel=2))) as deck:
        await deck.see("lms load --parallel 2")
        deck.dialog.query_one("#flash_attention", Choice).focus()
        await deck.press("right")
        await deck.see("Only REST can set flash attention, only `lms load` can set slots: clear one")
        await deck.press("enter")
        await deck.pilot.pause()
        assert not deck.app.got(intents.Load)
        assert deck.dialog.focused.id == "parallel"


async def test_presets_fill_the_form_are_kept_and_forgotten(stage, coder) -> None:
    presets = (
        Preset("", LoadRequest(KEY, 65536, parallel=2)),
        Preset("night", LoadRequest(KEY, 8192, flash_attention=False)),
        Preset("other", LoadRequest("another/model", 1)),
    )
    async with stage(LoadDialog(coder, presets=presets)) as deck:
        await deck.press("tab", "right")
        await deck.see("‹ last time ›")
        assert (value(deck.dialog, "context_length"), value(deck.dialog, "parallel")) == ("65536", "2")
        await deck.press("right")
        await deck.see('"context_length": 8192, "flash_attention": false')
        assert value(deck.dialog, "parallel") == ""
        assert deck.dialog.query_one("#preset", Choice).options == ("as typed below", "last time", "night")
        await deck.press("delete")
        await deck.until(lambda: deck.app.got(intents.DropPreset))
        dropped = deck.app.got(intents.DropPreset)[0]
        assert (dropped.model_key, dropped.name) == (KEY, "night")
        assert deck.dialog.query_one("#preset", Choice).options == ("as typed below", "last time")
        deck.dialog.query_one("#save_as").focus()
        await deck.type("my way")
        await deck.press("enter")
        await deck.until(lambda: deck.app.got(intents.Load))
        kept = deck.app.got(intents.KeepPreset)
        assert [intent.preset for intent in kept] == [Preset("my way", LoadRequest(KEY, 8192, flash_attention=False))]


async def test_a_reload_posts_reload_and_ends_with_its_load(stage, coder) -> None:
    model = replace(coder, instances=(Instance("qwen/coder:2", KEY), Instance(KEY, KEY)))
    dialog = LoadDialog(model, start=LoadRequest(KEY, 8192), replacing="qwen/coder:2")
    async with stage(dialog) as deck:
        assert "Reload qwen/coder:2" in deck.text()
        await deck.see("qwen/coder:2 is unloaded first")
        assert "Already in memory as qwen/coder. " in str(deck.dialog.query_one(".dialog-warning", Static).content)
        await deck.see('POST /api/v1/models/unload {"instance_id": "qwen/coder:2"}')
        await deck.press("enter")
        await deck.until(lambda: deck.app.got(intents.Reload))
        reload = deck.app.got(intents.Reload)[0]
        assert (reload.instance_id, reload.request) == ("qwen/coder:2", LoadRequest(KEY, 8192))
        assert not deck.app.got(intents.Load)
        assert not dialog.end(intents.LoadOver(LoadRequest(KEY, 8192)))
        assert dialog.end(intents.LoadOver(reload.request, Problem("load failed", "no memory", "choose less")))
        await deck.see("no memory")
        await deck.see("m largest context that fits: 81920")
        await deck.see("LM Studio says 11.5 GiB")
        assert value(dialog, "context_length") == "8192"
        await deck.press("enter")
        await deck.until(lambda: len(deck.app.got(intents.Reload)) == 2)
        await deck.press("x")
        assert [intent.request for intent in deck.app.got(intents.CancelLoad)] == [LoadRequest(KEY, 8192)]


async def test_without_lms_its_settings_are_greyed_with_the_reason(stage, coder) -> None:
    async with stage(LoadDialog(coder, start=LoadRequest(KEY, 8192, parallel=2), cli=False)) as deck:
        await deck.see("✓ fits")
        assert deck.text().count("needs `lms`, which was not found") == 5
        assert deck.dialog.query_one("#parallel").disabled
        await deck.press("p", "tab")
        assert deck.dialog.focused.id == "eval_batch_size"
        await deck.press("enter")
        await deck.until(lambda: deck.app.got(intents.Load))
        assert deck.app.got(intents.Load)[0].request == LoadRequest(KEY, 8192)
        assert not deck.app.got(intents.AskLmStudio)


async def test_at_80_by_24_all_can_be_reached_and_verdict_and_request_stay(stage, coder) -> None:
    model = replace(coder, instances=(Instance(KEY, KEY),))
    async with stage(LoadDialog(model), (80, 24)) as deck:
        for name in [field.id for field in deck.dialog.query("#form Input, #form Choice")]:
            deck.dialog.query_one(f"#{name}").focus()
            await deck.until(lambda name=name: deck.dialog.focused.id == name)
            await deck.pilot.pause()
            top, field = deck.dialog.query_one("#form").region, deck.dialog.focused.region
            assert top.y <= field.y < top.bottom
            for words in ("✓ fits", "POST /api/v1/models/load", "Enter load"):
                await deck.see(words)
        await deck.until(lambda: deck.dialog.query_one(ForecastView).told.lmstudio_answered)
        for _ in range(10):
            if "offload layer by layer" not in deck.text():
                await deck.press("pagedown")
        await deck.see("offload layer by layer")
        await deck.see("✓ fits")


async def test_at_160_by_45_nothing_scrolls(stage, coder) -> None:
    async with stage(LoadDialog(replace(coder, instances=(Instance(KEY, KEY),)))) as deck:
        await deck.see("LM Studio says 11.5 GiB")
        await deck.until(lambda: deck.dialog.query_one("#form").max_scroll_y == 0)
        assert "offload layer by layer" in deck.text()


async def test_an_embedding_model(stage) -> None:
    async with stage(LoadDialog(Model("[b]nomic", type="embedding"))) as deck:
        await deck.see("Load [b]nomic")
        assert "Flash attention" not in deck.text()
        assert "most slots" not in deck.text()
        await deck.press("p", "enter")
        await deck.until(lambda: deck.app.got(intents.Load))
        assert deck.app.got(intents.Load)[0].request == LoadRequest("[b]nomic")
