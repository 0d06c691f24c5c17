"""The chat's editor: completion, what was sent before, large pastes, attachments."""

import pytest
from chat_host import ChatHost, answer, miss, see, type_text, until, user
from textual import events

from lmdeck.model.conversation import Attachment
from lmdeck.model.slash import Offers
from lmdeck.widgets.chat_wishes import AttachmentDropped, Commanded, Left, PastedLarge, PathsWanted, Sent
from lmdeck.widgets.suggestions import Suggestions

OFFERS = Offers(models=("qwen3-8b", "llama-3"), parameters={"temperature": "how bold", "top_p": "nucleus"})
LARGE = "a line\n" * 200


def offered(app: ChatHost) -> list[str]:
    """The completions in sight."""
    lists = app.query(Suggestions)
    return [item.text for item in lists.first().items] if lists else []


async def writing(app: ChatHost, text: str, pilot: object) -> None:
    app.chat.offers = OFFERS
    app.chat.focus_content()
    await type_text(pilot, text)  # type: ignore[arg-type]


async def test_a_command_is_completed_by_tab_then_its_argument_by_enter() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "/mo", pilot)
        await see(pilot, "› /model", "Talk to another instance or model")
        await pilot.press("tab")
        assert app.chat.draft == "/model "
        await see(pilot, "/model ID  Talk to", "qwen3-8b", "llama-3")
        await type_text(pilot, "l")
        await pilot.press("enter")
        assert app.chat.draft == "/model llama-3"
        await pilot.press("enter")
        await until(pilot, lambda: app.got(Commanded), "command")
        assert app.got(Commanded)[0].command.text == "llama-3"
        await miss(pilot, "llama-3")


async def test_enter_sends_a_whole_command_and_one_whose_argument_is_not_begun() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "/retry", pilot)
        await pilot.press("enter")
        await writing(app, "/tools ", pilot)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.got(Commanded)) == 2, "two commands")
        assert [each.command.name for each in app.got(Commanded)] == ["retry", "tools"]


async def test_the_arrows_choose_and_escape_closes() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "/model ", pilot)
        await until(pilot, lambda: offered(app) == ["qwen3-8b", "llama-3"], "models")
        await pilot.press("down", "down", "enter")
        assert app.chat.draft == "/model llama-3"
        app.chat.write("/param t")
        await until(pilot, lambda: len(offered(app)) == 2, "parameters")
        await pilot.press("escape")
        assert offered(app) == []
        assert not app.got(Left)
        await pilot.press("o")
        await pilot.pause()
        assert offered(app) == []  # until another word is begun
        await pilot.press("backspace", "backspace", "backspace")
        await type_text(pilot, " t")
        await until(pilot, lambda: offered(app) == ["temperature", "top_p"], "parameters")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.got(Left), "wish")


async def test_a_click_takes_a_completion() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "/model ", pilot)
        await see(pilot, "llama-3")
        await pilot.click(Suggestions, offset=(4, 1))
        await until(pilot, lambda: app.chat.draft == "/model llama-3", "model")
        assert app.editor.has_focus


async def test_keys_in_one_burst_complete_what_they_have_typed() -> None:
    """Over a slow line keys come together, before anything was drawn between them."""
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.offers = OFFERS
        app.chat.focus_content()
        await pilot.pause()
        for key, character in (("slash", "/"), ("m", "m"), ("o", "o"), ("tab", None)):
            app.editor.post_message(events.Key(key, character))
        await until(pilot, lambda: app.chat.draft == "/model ", "completed command")


async def test_tab_without_completions_is_for_the_screen() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "x", pilot)
        await pilot.press("tab")
        assert app.chat.draft == "x"
        assert app.chat.check_action is not None
        assert not app.editor.check_action("complete", ())


async def test_paths_are_asked_for_and_quoted() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "look at @my", pilot)
        await until(pilot, lambda: app.got(PathsWanted), "question")
        assert [each.prefix for each in app.got(PathsWanted)] == ["", "m", "my"]
        app.chat.offer_paths("m", ["me.txt"])  # an answer that comes too late
        app.chat.offer_paths("my", ["my folder/", "mydata.md", "my file.md"])
        await see(pilot, "my folder/", "mydata.md")
        await pilot.press("down", "down", "enter")
        assert app.chat.draft == 'look at @"my file.md"'
        await pilot.press("enter")
        await until(pilot, lambda: app.got(Sent), "sent text")


async def test_up_and_down_walk_through_what_was_sent_from_the_ends_of_the_text() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.prompts = ("first", "second\nof two lines")
        await writing(app, "draft", pilot)
        await pilot.press("up")
        assert app.chat.draft == "second\nof two lines"
        await pilot.press("up")  # to its first line
        assert app.chat.draft == "second\nof two lines"
        await pilot.press("up")
        assert app.chat.draft == "first"
        await pilot.press("down", "down")
        assert app.chat.draft == "draft"
        await pilot.press("enter")
        await until(pilot, lambda: app.got(Sent), "sent text")
        app.chat.begin(user("q", text="draft"), "a")
        await pilot.press("up")
        assert app.chat.draft == "draft"


async def test_a_paste_never_sends_and_a_small_one_is_text() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.focus_content()
        text = "a line\n" * 40
        app.post_message(events.Paste(text))
        await until(pilot, lambda: app.chat.draft == text, "pasted text")
        assert not app.got(Sent)
        assert not app.got(PastedLarge)
        await pilot.press("ctrl+z")
        assert app.chat.draft == ""
        await pilot.press("ctrl+y")
        assert app.chat.draft == text
        assert app.editor.cursor == len(text)


@pytest.mark.parametrize("text", [LARGE, "x" * 9000], ids=["many lines", "one long line"])
async def test_a_large_paste_becomes_an_attachment_and_can_be_undone(text: str) -> None:
    app = ChatHost()
    async with app.run_test(size=(70, 20)) as pilot:
        await writing(app, "see ", pilot)
        app.post_message(events.Paste(text.replace("\n", "\r")))
        await until(pilot, lambda: app.got(PastedLarge), "wish")
        assert app.got(PastedLarge)[0].text == text
        assert app.chat.draft == "see "
        await see(pilot, "ctrl+z puts")
        other = Attachment("text", "other.md", "text/plain", "x", 1)
        app.chat.attachments = (other, Attachment("text", "pasted text 1", "text/plain", text, len(text)))
        await see(pilot, "pasted text 1", "other.md")
        await pilot.press("ctrl+z")
        assert app.chat.draft == f"see {text}"
        await until(pilot, lambda: app.got(AttachmentDropped), "wish")
        assert app.got(AttachmentDropped)[0].index == 1
        await pilot.press("ctrl+z")
        assert app.chat.draft == "see "


async def test_ctrl_z_after_another_change_undoes_that_change() -> None:
    app = ChatHost()
    async with app.run_test(size=(70, 20)) as pilot:
        app.chat.focus_content()
        app.post_message(events.Paste(LARGE))
        await until(pilot, lambda: app.got(PastedLarge), "wish")
        await pilot.press("x", "ctrl+z")
        assert app.chat.draft == ""
        assert not app.got(AttachmentDropped)


async def test_attachments_are_dropped_by_a_click_and_by_backspace_at_the_beginning() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.attachments = tuple(Attachment("text", f"{n}.md", "text/plain", "x", 1) for n in range(3))
        await see(pilot, "+ 0.md  text 1 B  ✕", "+ 2.md")
        await pilot.click("_Attachments", offset=(3, 1))
        await until(pilot, lambda: [each.index for each in app.got(AttachmentDropped)] == [1], "the clicked one")
        await writing(app, "x", pilot)
        await pilot.press("backspace", "backspace")
        await until(pilot, lambda: [each.index for each in app.got(AttachmentDropped)] == [1, 2], "the last one")
        app.chat.attachments = ()
        await miss(pilot, "0.md")


async def test_a_text_from_elsewhere_takes_the_place_of_what_is_written_and_can_be_undone() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        await writing(app, "mine", pilot)
        app.chat.write("theirs\x1b[2J")
        assert app.chat.draft == "theirs␛[2J"
        await pilot.press("ctrl+z")
        assert app.chat.draft == "mine"


async def test_page_keys_scroll_the_turns_while_writing() -> None:
    app = ChatHost()
    async with app.run_test(size=(60, 20)) as pilot:
        app.chat.show([user("q", text="the beginning"), answer("a", "q", "\n\n".join(f"line {n}" for n in range(60)))])
        await see(pilot, "line 59")
        await writing(app, "x", pilot)
        await pilot.press(*["pageup"] * 12)
        await see(pilot, "the beginning")
        await pilot.press(*["pagedown"] * 12)
        await see(pilot, "line 59")
        assert app.chat.draft == "x"
