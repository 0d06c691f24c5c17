"""The chat's text area: Enter sends, ctrl+j breaks the line, the arrows at its ends walk through what was sent."""

from textual import events
from textual.binding import Binding
from textual.message import Message

from lmdeck.widgets.completing import Completing
from lmdeck.widgets.multiline import Multiline
from lmdeck.widgets.ordered_keys import ran_own_binding
from lmdeck.widgets.recall import Recall
from lmdeck.widgets.suggestions import Suggestions

_LARGE_CHARACTERS, _LARGE_LINES = 8192, 100


class ChatInput(Multiline):
    """A text area of one to six lines. What a key means beyond the text depends on the chat, so it is posted.

    While `suggestions` are in sight, the arrows, Tab, Enter and Escape are theirs first.
    """

    BINDING_GROUP_TITLE = "Chat editor"
    BINDINGS = [
        Binding("enter", "submit", "Send", id="chat.send", tooltip="Send the text, or take the chosen completion"),
        Binding("ctrl+j", "newline", "New line", id="chat.newline", tooltip="Break the line"),
        Binding(
            "escape",
            "leave",
            "Stop, leave",
            id="chat.leave",
            tooltip="Stop the running answer; else go to its turns, then leave the chat",
        ),
        Binding("up", "back", "Earlier", show=False, id="chat.earlier", tooltip="In the first line: what was sent"),
        Binding("down", "forth", "Later", show=False, id="chat.later", tooltip="In the last line: and back"),
        Binding("tab", "complete", "Complete", show=False, id="chat.complete", tooltip="Take the first completion"),
        Binding("pageup", "turn_page(-1)", "Scroll up", show=False, id="chat.up", tooltip="Scroll the turns up"),
        Binding("pagedown", "turn_page(1)", "Scroll down", show=False, id="chat.down", tooltip="Scroll them down"),
        Binding("ctrl+z", "undo", "Undo", show=False, id="chat.undo", tooltip="Undo; a large paste becomes text"),
    ]
    DEFAULT_CSS = """
    ChatInput { height: auto; min-height: 1; max-height: 6; border: none; padding: 0; background: $surface; }
    ChatInput:focus { border: none; background: $boost; }
    """

    class Submitted(Message):
        """Enter was pressed on this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Escape was pressed."""

    class Paged(Message):
        """The turns are to be scrolled by a page: -1 up, 1 down."""

        def __init__(self, pages: int) -> None:
            super().__init__()
            self.pages = pages

    class Pasted(Message):
        """A text too large for here was pasted; it is not inserted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Unpasted(Message):
        """The large text was wanted here after all, and is inserted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Erased(Message):
        """Backspace at the very beginning."""

    def __init__(self, recall: Recall, suggestions: Suggestions) -> None:
        super().__init__(highlight_cursor_line=False, show_line_numbers=False, compact=True)
        self._recall, self._suggestions = recall, suggestions
        self.completing = Completing(self, suggestions)
        self._large: tuple[str, str] | None = None

    @property
    def cursor(self) -> int:
        """Where the cursor stands, in characters from the beginning."""
        row, column = self.cursor_location
        return sum(len(self.document.get_line(each)) + len(self.document.newline) for each in range(row)) + column

    def put(self, text: str, start: int = 0, end: int | None = None) -> None:
        """This text in place of what stands from `start` to `end`, the cursor behind it; it can be undone."""
        last = self.document.end if end is None else self._location(end)
        self.move_cursor(self.replace(text, self._location(start), last).end_location)

    def _location(self, place: int) -> tuple[int, int]:
        lines = self.text[:place].split(self.document.newline)
        return len(lines) - 1, len(lines[-1])

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "tab" and not self.completing.look():
            return  # to the next pane
        if not await ran_own_binding(self, event):
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        """A large text would make the editor useless: it becomes something else."""
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")  # terminals send a paste as if it were typed
        if len(text) > _LARGE_CHARACTERS or text.count("\n") > _LARGE_LINES:
            event.prevent_default()
            event.stop()
            self._large = text, self.text
            self.post_message(self.Pasted(text))

    def on_text_area_changed(self) -> None:
        """Another word may stand before the cursor."""
        self.completing.look()

    def on_text_area_selection_changed(self) -> None:
        """The same."""
        self.completing.look()

    def on_blur(self) -> None:
        """Nobody writes here."""
        self.completing.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without completions Tab is not for here."""
        return bool(self._suggestions.items) if action == "complete" else super().check_action(action, parameters)

    def action_submit(self) -> None:
        """Take the chosen completion, or hand the text over; whether it is sent is the chat's business."""
        if not self.completing.take():
            self.post_message(self.Submitted(self.text))

    def action_newline(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    def action_leave(self) -> None:
        """Close the completions, or ask to stop or leave."""
        if not self.completing.close():
            self.post_message(self.Left())

    def action_complete(self) -> None:
        """Take the chosen completion, or the first."""
        self.completing.take(by_tab=True)

    def action_back(self) -> None:
        """A completion up; a line up; from the first line to what was sent before."""
        self._walk(-1, self.navigator.is_first_wrapped_line(self.cursor_location))

    def action_forth(self) -> None:
        """A completion down; a line down; from the last line to what was sent after."""
        self._walk(1, self.navigator.is_last_wrapped_line(self.cursor_location))

    def _walk(self, step: int, at_end: bool) -> None:
        if self._suggestions.items:
            self._suggestions.move(step)
        elif at_end and (text := self._recall.step(step, self.text)) is not None:
            self.put(text)
        elif step < 0:
            self.action_cursor_up()
        else:
            self.action_cursor_down()

    def action_turn_page(self, pages: int) -> None:
        """The text is short: it is the conversation that is scrolled."""
        self.post_message(self.Paged(pages))

    def action_delete_left(self) -> None:
        """At the very beginning there is something else to take away."""
        if self.selection.is_empty and self.cursor_location == (0, 0):
            self.post_message(self.Erased())
        else:
            super().action_delete_left()

    def action_undo(self) -> None:
        """Undo the last change; after a large paste, have its text here."""
        large, self._large = self._large, None
        if large is None or large[1] != self.text:
            super().action_undo()
            return
        self.insert(large[0])
        self.post_message(self.Unpasted(large[0]))
