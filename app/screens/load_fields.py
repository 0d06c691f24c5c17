"""The form of the load dialog: a row a setting, kept presets, and a name to keep these settings under."""

from collections.abc import Iterator

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from lmdeck.model.catalog import Model
from lmdeck.model.history import Preset
from lmdeck.model.load import LoadRequest
from lmdeck.screens.load_form import CHOICES, Field, choices_of, fields_for, preset_name, request_of, texts_of
from lmdeck.widgets.choice import Choice
from lmdeck.widgets.ordered_keys import passed_on, ran_own_binding

_COUNT = "0123456789 _,.'kK"
_NO_LMS = "needs `lms`, which was not found"
_AS_TYPED = "as typed below"
LAST_TIME = "last time"


class FormInput(Input):
    """A field for text, or for a count: then other characters are not typed, they stay keys of the dialog."""

    def __init__(self, placeholder: str, *, id: str, count: bool = False, disabled: bool = False) -> None:
        super().__init__(
            placeholder=placeholder,
            id=id,
            compact=True,
            select_on_focus=True,
            max_length=24 if count else 64,
            restrict=f"[{_COUNT}]*" if count else None,
            disabled=disabled,
        )
        self.count = count

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return super().check_consume_key(key, character) and (not self.count or (character or "") in _COUNT)

    async def _on_key(self, event: events.Key) -> None:
        if passed_on(self, event):
            return
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            await self._run_screens_binding(event)
        elif not await ran_own_binding(self, event):
            await super()._on_key(event)

    def action_page_up(self) -> None:
        """The form, of which this is one line."""
        self._scroll_form(-1)

    def action_page_down(self) -> None:
        """The form, of which this is one line."""
        self._scroll_form(1)

    def _scroll_form(self, pages: int) -> None:
        for form in self.ancestors:
            if isinstance(form, VerticalScroll):
                form.scroll_relative(y=pages * max(1, form.size.height - 1), animate=False)

    async def _run_screens_binding(self, event: events.Key) -> None:
        """At once, before the keys typed after it: see `ordered_keys`."""
        event.stop()
        event.prevent_default()
        found = self.screen.active_bindings.get(event.key)
        if found is not None and found.enabled:
            await self.app.run_action(found.binding.action, found.node)


class LoadFields(VerticalScroll):
    """The form as values; what lies below it (`below`) scrolls with it. Posts the fields' own `Changed`."""

    def __init__(self, model: Model, presets: tuple[Preset, ...], cli: bool, below: Widget) -> None:
        super().__init__(id="form", can_focus=False)
        self._model, self._cli, self._below = model, cli, below
        self._fields = fields_for(model)
        self._presets = [preset for preset in presets if preset.settings.model == model.key]
        self._chosen = 0

    def compose(self) -> ComposeResult:
        """The context length is the first field."""
        first, *others = self._fields
        yield self._row(first)
        if self._presets:
            label, hint = (
                Static("Preset", classes="field-label"),
                Static("Del forgets a named one", classes="field-hint"),
            )
            yield Horizontal(label, Choice(self._names(), id="preset"), hint, classes="field")
        for field in others:
            yield self._row(field)
        name = FormInput("a name, to keep these settings as a preset when loading", id="save_as")
        yield Horizontal(Static("Save as", classes="field-label"), name, classes="field")
        yield self._below

    def _row(self, field: Field) -> Horizontal:
        without = field.cli_only and not self._cli
        editor: Widget
        if field.kind == "choice":
            editor = Choice(CHOICES, id=field.name)
        else:
            hint = _NO_LMS if without else field.hint
            editor = FormInput(hint, id=field.name, count=field.kind == "number", disabled=without)
        return Horizontal(Static(field.label, classes="field-label"), editor, classes="field")

    def _names(self) -> tuple[str, ...]:
        return (_AS_TYPED, *(preset_name(preset.name) or LAST_TIME for preset in self._presets))

    def request(self) -> LoadRequest:
        """Exactly what is set; raises Invalid."""
        texts = {found.id or "": found.value for found in self.query(FormInput)}
        choices = {found.id or "": found.index for found in self.query(Choice)}
        return request_of(self._model, texts, choices)

    def fill(self, settings: LoadRequest) -> None:
        """These settings in the fields that can be used; what they leave open is emptied."""
        for name, text in texts_of(settings).items():
            for editor in self._editors(name):
                editor.value = text
        for name, index in choices_of(settings).items():
            for choice in self.query(f"#{name}").results(Choice):
                choice.index = index

    def put(self, name: str, value: int) -> None:
        """This count into this field."""
        for editor in self._editors(name):
            editor.value = str(value)
            editor.cursor_position = len(editor.value)

    def _editors(self, name: str) -> Iterator[FormInput]:
        return (editor for editor in self.query(f"#{name}").results(FormInput) if not editor.disabled)

    def has(self, name: str) -> bool:
        """Whether this setting can be made here."""
        return any(self._editors(name))

    @property
    def save_as(self) -> str:
        """The name for a preset; empty: none is wanted."""
        return preset_name(self.query_one("#save_as", FormInput).value)

    def follow_preset(self) -> bool:
        """Fill the form if another preset was chosen; whether one was."""
        index = next((choice.index for choice in self.query("#preset").results(Choice)), 0)
        changed, self._chosen = index != self._chosen, index
        if changed and index:
            self.fill(self._presets[index - 1].settings)
        return changed

    @property
    def droppable(self) -> Preset | None:
        """The named preset under the cursor."""
        focused = self.screen.focused
        preset = self._presets[self._chosen - 1] if self._chosen and focused and focused.id == "preset" else None
        return preset if preset and preset.name else None

    def drop(self, preset: Preset) -> None:
        """Offer it no longer."""
        self._presets.remove(preset)
        chooser = self.query_one("#preset", Choice)
        self._chosen = chooser.index = 0
        chooser.options = self._names()
        chooser.refresh()
