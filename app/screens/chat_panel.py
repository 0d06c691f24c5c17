"""The chat's panel: endpoint, keeping, system prompt, parameters and tools of the turns to come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from lmdeck.model.catalog import Model
from lmdeck.model.chat import Tools, Value
from lmdeck.model.chat_settings import ChatSettings
from lmdeck.model.conversation import ChatPreset, Keeping
from lmdeck.model.endpoints import ENDPOINTS, NATIVE, find
from lmdeck.model.parameters import PARAMETERS, named
from lmdeck.model.text import clean, one_line
from lmdeck.screens.chat_form import KEEPINGS, Note, Place, Reading, keeping_words, read, summary, text_of, tools_words
from lmdeck.screens.chat_rows import LineInput, LinesInput, NoteLine, PanelForm, ParameterRow, PresetRows
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import Intent
from lmdeck.widgets.choice import Choice
from lmdeck.widgets.tick import Tick

_KEYS = "Enter accept  Tab next field  ctrl+j new line  PgUp PgDn scroll  Esc cancel"
_PRESET_KEYS = "Enter accept  Tab next field  ← → preset  Del forget it  Esc cancel"
_ROOMY = 44
"""Screen lines from which blank ones may part the groups."""


class ChatPanel(Dialog[ChatSettings | None]):
    """Answers the settings as they are after Enter, None after Esc; posts `KeepPreset` and `DropPreset`.

    `model` is the one that will answer (None: nobody knows it), `tools` what the configuration offers. While the
    instance is `busy` no other context length can be set, because it reloads the model; a `read_only` deck sets none.
    """

    BINDING_GROUP_TITLE = "Chat panel"
    BINDINGS = [
        Binding("enter", "accept", "Accept", id="panel.accept", tooltip="Send the next turns this way"),
        Binding("escape", "close", "Cancel", id="panel.close", tooltip="Leave everything as it was"),
        Binding("delete", "drop_preset", "Forget", id="panel.forget", tooltip="Forget the chosen preset"),
    ]
    DEFAULT_CSS = """
    ChatPanel {
        #panel {
            dock: right; width: 80; max-width: 100%; height: 100%;
            padding: 0 1; background: $surface; border: round $primary;
        }
        PanelForm { height: 1fr; scrollbar-size-vertical: 1; }
        .panel-row { height: auto; }
        .panel-title { text-style: bold; color: $primary; }
        .panel-row Input { width: 1fr; }
        .panel-group { text-style: bold; color: $accent; }
        .-roomy .panel-group { margin: 1 0 0 0; }
        #status { height: 3; color: $foreground-muted; border-top: solid $foreground 30%; }
    }
    """

    class KeepPreset(Intent):
        """Keep these parameters, or this system prompt, under a name."""

        def __init__(self, preset: ChatPreset) -> None:
            super().__init__()
            self.preset = preset

    class DropPreset(Intent):
        """Forget a preset: the one of its kind and name."""

        def __init__(self, preset: ChatPreset) -> None:
            super().__init__()
            self.preset = preset

    def __init__(
        self,
        settings: ChatSettings,
        *,
        model: Model | None = None,
        presets: Sequence[ChatPreset] = (),
        tools: Sequence[Tools] = (),
        busy: bool = False,
        read_only: bool = False,
    ) -> None:
        super().__init__()
        self._settings, self._tools = settings, tools
        start = find(settings.endpoint) or NATIVE
        self._place = Place(start, model, busy, read_only, settings.parameters)
        self._kept: Mapping[str, Value] = settings.parameters
        self._rows = {
            parameter.name: ParameterRow(parameter, text_of(settings.parameters, parameter.name))
            for parameter in PARAMETERS
        }
        endpoints = [f"{endpoint.name}  {endpoint.path}" for endpoint in ENDPOINTS]
        self._endpoint = _choice(endpoints, ENDPOINTS.index(start), "endpoint")
        self._keeping = _choice(list(KEEPINGS.values()), list(KEEPINGS).index(settings.keeping), "keeping")
        self._prompt = LinesInput(settings.system_prompt, "none", id="system-prompt")
        kinds = {
            kind: [preset for preset in presets if preset.kind == kind] for kind in ("parameters", "system prompt")
        }
        self._parameter_presets = PresetRows(kinds["parameters"], id="parameters")
        self._prompt_presets = PresetRows(kinds["system prompt"], id="prompts")
        self._reading = Reading({}, {}, {})
        self._ticks = {label: self._tick(label, number) for number, label in enumerate(self._labels())}

    # The form

    def compose(self) -> ComposeResult:
        """Title, the form, what will be sent, the keys."""
        named = "" if self._place.model is None else one_line(self._place.model.key, 200)
        with Vertical(id="panel"):
            yield Static(f"Chat settings   {named}", classes="panel-title", markup=False)
            with PanelForm():
                yield from self._sending()
                yield from self._parameters()
                yield Static("Tools", classes="panel-group")
                yield NoteLine(plain=True, id="tools-note")
                yield from self._ticks.values()
            yield Static(id="status", markup=False)
            yield Static(_KEYS, classes="dialog-keys", id="keys", markup=False)

    def _sending(self) -> Iterator[Widget]:
        """Endpoint, keeping, system prompt."""
        yield _row("Endpoint", self._endpoint)
        yield NoteLine(plain=True, id="endpoint-note")
        yield _row("Kept", self._keeping)
        yield NoteLine(plain=True, id="keeping-note")
        yield _row("System prompt", self._prompt)
        yield self._prompt_presets

    def _parameters(self) -> Iterator[Widget]:
        """Parameters, group by group."""
        for group, rows in groupby(self._rows.values(), key=lambda row: row.parameter.group):
            yield Static(group.capitalize(), classes="panel-group", id=f"group-{group}")
            yield from rows
        yield Static("All parameters", classes="panel-group")
        yield self._parameter_presets

    def _labels(self) -> Iterator[str]:
        """What the configuration offers, then what was chosen and is not in it."""
        yield from dict.fromkeys((*(tools.label for tools in self._tools), *self._settings.integrations))

    def _tick(self, label: str, number: int) -> Tick:
        found = next((tools for tools in self._tools if tools.label == label), None)
        hint = "not in the configuration: not sent" if found is None else found.server_url or "plugin"
        ticked = label in self._settings.integrations
        return Tick(one_line(label, 60), one_line(hint, 100), value=ticked, id=f"tools-{number}")

    def on_mount(self) -> None:
        """Ready for choosing an endpoint."""
        self._endpoint.focus()
        self._settings_changed()

    # What is set

    @on(Choice.Changed)
    @on(Tick.Changed)
    @on(LinesInput.Changed)
    @on(LineInput.Changed)
    def _settings_changed(self) -> None:
        """Other settings: what is shown follows."""
        endpoint = ENDPOINTS[self._endpoint.index]
        if endpoint != self._place.endpoint:
            self._kept = self._reading.values
            self._place = replace(self._place, endpoint=endpoint)
        self._reading = read({name: row.text for name, row in self._rows.items()}, self._kept, self._place)
        self._show()

    def _show(self) -> None:
        """Every field as it is at the endpoint, and what will be sent."""
        fields, notes = self._reading.fields, self._reading.notes
        for name, row in self._rows.items():
            row.show(fields.get(name), notes.get(name))
        for group in {row.parameter.group for row in self._rows.values()}:
            shown = any(row.display for row in self._rows.values() if row.parameter.group == group)
            self.query_one(f"#group-{group}").display = shown
        endpoint = self._place.endpoint
        self._say("endpoint", Note(endpoint.supports))
        self._say("keeping", Note(keeping_words(self._keeps, endpoint)))
        self._say("tools", tools_words(self._tools, endpoint, self._place.model))
        self._tell()

    def _tell(self) -> None:
        """What will be sent, and what is to be known of the field with the cursor."""
        words = f"{summary(self._reading, self._place)}\n{_help(self.focused)}"
        self.query_one("#status", Static).update(Content(clean(words)))
        self.query_one("#keys", Static).update(_PRESET_KEYS if self._droppable else _KEYS)

    def on_descendant_focus(self) -> None:
        """Another field."""
        self._tell()

    def on_resize(self) -> None:
        """Blank lines where there is room."""
        self.query_one("#panel").set_class(self.size.height >= _ROOMY, "-roomy")

    @property
    def _keeps(self) -> Keeping:
        return list(KEEPINGS)[self._keeping.index]

    def _say(self, field: str, note: Note | None) -> None:
        self.query_one(f"#{field}-note", NoteLine).say(note)

    @on(PresetRows.Chosen)
    def _fill(self, event: PresetRows.Chosen) -> None:
        """A preset into its fields; what it leaves open is emptied."""
        if event.preset.kind == "system prompt":
            self._prompt.text = event.preset.system_prompt
            return
        self._kept = event.preset.parameters
        for name, row in self._rows.items():
            row.text = text_of(self._kept, name)

    def _settings_now(self) -> ChatSettings:
        return ChatSettings(
            self._place.endpoint.path,
            self._reading.values,
            self._prompt.text.strip(),
            tuple(label for label, tick in self._ticks.items() if tick.value),
            self._keeps,
        )

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a preset under the cursor can be forgotten."""
        return self._droppable is not None if action == "drop_preset" else True

    @property
    def _droppable(self) -> tuple[PresetRows, ChatPreset] | None:
        rows = (self._parameter_presets, self._prompt_presets)
        return next(((row, row.droppable) for row in rows if row.droppable is not None), None)

    def action_drop_preset(self) -> None:
        """Forget the chosen preset; the fields stay as they are."""
        if (found := self._droppable) is not None:
            rows, preset = found
            rows.drop(preset)
            self.post_message(self.DropPreset(preset))

    @on(LinesInput.Submitted)
    @on(LineInput.Submitted)
    def action_accept(self) -> None:
        """These settings, which are kept first where there is a name for them."""
        self._settings_changed()
        if (wrong := self._reading.wrong) is not None:
            self._rows[wrong].editor.focus()
            return
        settings = self._settings_now()
        if name := self._parameter_presets.save_as:
            self.post_message(self.KeepPreset(ChatPreset("parameters", name, parameters=settings.parameters)))
        if name := self._prompt_presets.save_as:
            self.post_message(self.KeepPreset(ChatPreset("system prompt", name, system_prompt=settings.system_prompt)))
        self.dismiss(settings)

    def action_close(self) -> None:
        """As they were."""
        self.dismiss(None)


def _help(field: Widget | None) -> str:
    """What is to be known of a field while the cursor is in it."""
    parameter = named(field.id or "") if field is not None else None
    moves = "← → choose" if isinstance(field, Choice) else "Space ticks it" if isinstance(field, Tick) else ""
    return " · ".join(filter(None, (f"{parameter.name}: {parameter.help}" if parameter else "", moves)))


def _row(label: str, editor: Widget) -> Horizontal:
    return Horizontal(Static(label, classes="field-label"), editor, classes="panel-row")


def _choice(options: Sequence[str], index: int, id: str) -> Choice:
    choice = Choice(tuple(options), id=id)
    choice.set_reactive(Choice.index, index)
    return choice
