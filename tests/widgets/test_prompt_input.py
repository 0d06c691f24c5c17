"""The editor of a prompt."""

import pytest

from lmdeck.widgets.prompt_input import PromptInput


@pytest.fixture
def editor() -> PromptInput:
    return PromptInput("begun")


async def test_typing_goes_on_at_the_end_and_enter_hands_over_every_line(host, editor):
    async with host(editor).run_test() as pilot:
        editor.focus()
        await pilot.press("exclamation_mark", "ctrl+j", "x", "enter")
        sent = pilot.app.got(PromptInput.Submitted)
        assert [message.text for message in sent] == ["begun!\nx"]
        assert editor.text == "begun!\nx"
        await pilot.press("escape")
        assert len(pilot.app.got(PromptInput.Left)) == 1


async def test_what_it_begins_with_is_cleaned(host):
    editor = PromptInput("a\x1b[2Jb")
    async with host(editor).run_test() as pilot:
        await pilot.pause()
        assert editor.text == "a␛[2Jb"
