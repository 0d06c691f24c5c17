"""The rows of the chat's panel: a parameter each, presets, and texts of several lines."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from lmdeck.model.conversation import ChatPreset
from lmdeck.model.parameters import Parameter
from lmdeck.model.text import clean, one_line
from lmdeck.screens.chat_form import DEFAULT, Note, hint, options
from lmdeck.screens.load_fields import FormInput
from lmdeck.widgets.choice import Choice
from lmdeck.widgets.multiline import Multiline
from lmdeck.widgets.ordered_keys import passed_on, ran_own_binding

_LONGEST_NAME = 40
_AS_TYPED = "as typed"


class PanelForm(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The form, of which the arrows walk through the fields."""

    BINDING_GROUP_TITLE = "Chat panel"
    BINDINGS = [
        Binding("up", "app.focus_previous", "Field before", show=False, id="panel.up", tooltip="The field before"),
        Binding("down", "app.focus_next", "Next field", show=False, id="panel.down", tooltip="The next field"),
        Binding("pageup", "page_up", "Page up", show=False, id="panel.page_up", tooltip="One page up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="panel.page_down", tooltip="One page down"),
    ]


class LineInput(FormInput):
    """A field of one line; up and down leave it."""

    def __init__(self, placeholder: str, *, id: str, max_length: int) -> None:
        super().__init__(placeholder, id=id)
        self.max_length = max_length

    def action_scroll_up(self) -> None:
        """The field before."""
        self.screen.focus_previous()

    def action_scroll_down(self) -> None:
        """The next field."""
        self.screen.focus_next()


class LinesInput(Multiline):
    """A text of a few lines; Enter accepts the panel, up and down leave it at its ends."""

    BINDING_GROUP_TITLE = "Text of several lines"
    BINDINGS = [
        Binding("enter", "submit", "Accept", show=False, id="lines.accept", tooltip="Accept the settings"),
        Binding("ctrl+j", "newline", "New line", id="lines.newline", tooltip="Break the line"),
    ]
    DEFAULT_CSS = """
    LinesInput {
        width: 1fr; height: auto; min-height: 1; max-height: 8; border: none; padding: 0; background: $surface;
        &:focus { border: none; background: $boost; }
    }
    """

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, text: str, placeholder: str, *, id: str) -> None:
        super().__init__(text, id=id, placeholder=placeholder, highlight_cursor_line=False)

    async def _on_key(self, event: events.Key) -> None:
        if not passed_on(self, event) and not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_submit(self) -> None:
        """Enter."""
        self.post_message(self.Submitted())

    def action_newline(self) -> None:
        """Break the line at the cursor."""
        self.insert("\n")

    def action_cursor_up(self, select: bool = False) -> None:
        """The line above, then the field before."""
        if self.cursor_at_first_line and not select:
            self.screen.focus_previous()
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """The line below, then the next field."""
        if self.cursor_at_last_line and not select:
            self.screen.focus_next()
        else:
            super().action_cursor_down(select)


class NoteLine(Static):
    """Words under a field; there only while there are some. What is wrong is marked by more than its colour."""

    DEFAULT_CSS = """
    NoteLine {
        height: auto; padding: 0 0 0 18; color: $text-warning; display: none;
        &.-said { display: block; }
        &.-plain { color: $foreground-muted; }
        &.-wrong { color: $text-error; }
    }
    """

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:
        super().__init__(id=id, classes="-plain" if plain else "")
        self._note: Note | None = None

    def say(self, note: Note | None) -> None:
        """These words, or none."""
        if note != self._note:
            self._note = note
            self.set_class(note is not None, "-said")
            self.set_class(note is not None and note.wrong, "-wrong")
            words = "" if note is None else f"✗ {note.words}" if note.wrong else note.words
            self.update(Content(clean(words)))


class ParameterRow(Vertical):
    """One parameter: a field or a choice, and words under it. Everything in it is text; empty: not set."""

    DEFAULT_CSS = "ParameterRow { height: auto; }"

    def __init__(self, parameter: Parameter, text: str) -> None:
        super().__init__(id=f"row-{parameter.name}")
        self.parameter = parameter
        """As it is at the endpoint that is chosen."""
        self.editor = _editor(parameter)
        self._note, self._start = NoteLine(), text

    def compose(self) -> ComposeResult:
        """The label, the field as it begins, the words."""
        self.text = self._start
        yield Horizontal(Static(self.parameter.name, classes="field-label"), self.editor, classes="panel-row")
        yield self._note

    @property
    def text(self) -> str:
        """What is set."""
        match self.editor:
            case Choice() as choice:
                return choice.options[choice.index] if choice.index else ""
            case LinesInput() as lines:
                return lines.text
        return self.editor.value

    @text.setter
    def text(self, text: str) -> None:
        match self.editor:
            case Choice() as choice:
                self._offer(choice, text)
            case LinesInput() as lines:
                lines.text = text
            case _:
                self.editor.value = text

    def show(self, parameter: Parameter | None, note: Note | None) -> None:
        """As it is at the endpoint; hidden where it is None."""
        self.display = parameter is not None
        self._note.say(note)
        if parameter is None or parameter == self.parameter:
            return
        self.parameter = parameter
        match self.editor:
            case Choice() as choice:
                self._offer(choice, self.text)
            case editor:
                editor.placeholder = hint(parameter)

    def _offer(self, choice: Choice, text: str) -> None:
        choice.options = options(self.parameter, text)
        choice.index = choice.options.index(text or DEFAULT)
        choice.refresh()


def _editor(parameter: Parameter) -> Choice | LinesInput | LineInput:
    if parameter.kind in ("flag", "choice"):
        return Choice(options(parameter), id=parameter.name)
    if parameter.kind in ("texts", "json"):
        return LinesInput("", hint(parameter), id=parameter.name)
    return LineInput(hint(parameter), id=parameter.name, max_length=200)


class PresetRows(Vertical):
    """Presets of one kind to choose from, and a name to keep what is typed under."""

    DEFAULT_CSS = "PresetRows { height: auto; }"

    class Chosen(Message):
        """This preset is wanted in the fields."""

        def __init__(self, preset: ChatPreset) -> None:
            super().__init__()
            self.preset = preset

    def __init__(self, presets: Sequence[ChatPreset], *, id: str) -> None:
        super().__init__(id=id)
        self._presets = list(presets)
        self._choice = Choice(self._names(), id=f"{id}-choice")
        self._save_as = LineInput("save as: a name", id=f"{id}-name", max_length=_LONGEST_NAME)

    def compose(self) -> ComposeResult:
        """The presets, where there are some, and a name for another one."""
        self._choice.display = bool(self._presets)
        yield Horizontal(Static("Preset", classes="field-label"), self._choice, self._save_as, classes="panel-row")

    def _names(self) -> tuple[str, ...]:
        return (_AS_TYPED, *(one_line(preset.name, _LONGEST_NAME) for preset in self._presets))

    @property
    def save_as(self) -> str:
        """The name to keep it under; empty: it is not to be kept."""
        return one_line(self._save_as.value, _LONGEST_NAME)

    @property
    def droppable(self) -> ChatPreset | None:
        """The preset under the cursor."""
        return self._presets[self._choice.index - 1] if self._choice.has_focus and self._choice.index else None

    def drop(self, preset: ChatPreset) -> None:
        """Offer it no longer."""
        self._presets.remove(preset)
        self._choice.index = 0
        self._choice.options = self._names()
        self._choice.refresh()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Say which one is wanted."""
        event.stop()
        if self._choice.index:
            self.post_message(self.Chosen(self._presets[self._choice.index - 1]))
