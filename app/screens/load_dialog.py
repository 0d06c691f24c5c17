"""The load dialog: settings, what they will take, the exact request, and the load's progress until it is over."""

import time

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Input, Static

from lmdeck.model.catalog import Model
from lmdeck.model.history import Preset
from lmdeck.model.load import LoadRequest
from lmdeck.model.text import clean, one_line
from lmdeck.model.units import elapsed, gigabytes
from lmdeck.screens import intents
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.forecast_view import ForecastView
from lmdeck.screens.load_fields import FormInput, LoadFields
from lmdeck.screens.load_form import Invalid, request_text

_FORM_KEYS = "Enter load   Tab next field   PgUp PgDn scroll   Esc close"
_BUSY_KEYS = "Esc hide, the load goes on   x cancel"
_ROOMY = 44
"""Screen lines from which blank ones may part the dialog."""
_UNTOLD = "LM Studio tells no progress: this is the time so far."


_TOGETHER = 30
"""Lines of a screen from which a failure's words and the forecast have room together."""


class LoadDialog(Dialog[None]):
    """Posts `Load` (or `Reload`) and stays until the load is over or hidden; only what the user set is sent.

    `presets` are the model's kept settings, `start` is what the form begins with, `replacing` the instance that is
    unloaded first; without `cli` what only `lms` can do is greyed.
    """

    BINDING_GROUP_TITLE = "Load dialog"
    BINDINGS = [
        Binding("enter", "accept", "Load", id="load.accept", tooltip="Load with these settings"),
        Binding("escape", "close", "Close", id="load.close", tooltip="Close; a running load goes on"),
        Binding("x", "cancel_load", "Cancel", id="load.cancel", tooltip="Stop waiting, then look what became of it"),
        Binding("m", "put_context", "Largest context", id="load.context", tooltip="The largest context that fits"),
        Binding("p", "put_slots", "Most slots", id="load.slots", tooltip="The most slots that fit"),
        Binding("u", "make_room", "Make room", id="load.room", tooltip="What would have to be unloaded for it"),
        Binding("delete", "drop_preset", "Forget", id="load.forget", tooltip="Forget the chosen preset"),
    ]

    pending: reactive[LoadRequest | None] = reactive(None, init=False)
    """The request that is being carried out; None while the form is open."""

    def __init__(
        self,
        model: Model,
        *,
        presets: tuple[Preset, ...] = (),
        start: LoadRequest | None = None,
        replacing: str | None = None,
        cli: bool = True,
    ) -> None:
        super().__init__()
        self._model, self._start = model, start
        self.replacing = replacing
        """The instance that is unloaded first."""
        self._forecast = ForecastView(cli)
        self._fields = LoadFields(model, presets, cli, self._forecast.details)
        self._status = Static(classes="dialog-text", id="status", markup=False)
        self._since = 0.0

    def compose(self) -> ComposeResult:
        """What, the form, the forecast, the request, what to press."""
        named = f"Reload {self.replacing}" if self.replacing is not None else f"Load {self._model.key}"
        with Vertical(classes="dialog load-dialog"):
            yield Static(f"{one_line(named)}   {self._facts()}", classes="dialog-title", markup=False)
            if warning := self._warning():
                yield Static(warning, classes="dialog-warning", markup=False)
            yield from (self._fields, self._forecast, self._status)
            yield Static(_FORM_KEYS, classes="dialog-keys", id="keys")

    def _facts(self) -> str:
        model = self._model
        parts = (model.architecture, model.params, model.quantization, f"{gigabytes(model.size_bytes)} GB")
        return one_line(" · ".join(part for part in parts if part), 200)

    def _warning(self) -> str:
        words = []
        if self.replacing is not None:
            words.append(f"{self.replacing} is unloaded first; whoever uses it until it is back gets an error.")
        others = [instance.id for instance in self._model.instances if instance.id != self.replacing]
        if others:
            named = ", ".join(others)
            words.append(f"Already in memory as {named}. Loading it again makes another copy, with memory of its own.")
        return one_line(" ".join(words), 400)

    def on_mount(self) -> None:
        """Ready for typing a context length; the forecast for what the form begins with is asked for at once."""
        if self._start is not None:
            self._fields.fill(self._start)
        self.query_one("#context_length", Input).focus()
        self._settings_changed()
        self._fit()

    # The form

    def on_input_changed(self) -> None:
        """Other settings: the request and the forecast follow."""
        self._settings_changed()

    def on_choice_changed(self) -> None:
        """Other settings, or a preset."""
        self._fields.follow_preset()
        self._settings_changed()

    def on_input_submitted(self) -> None:
        """Enter in a field."""
        if self.pending is None:
            self.action_accept()

    def on_descendant_focus(self) -> None:
        """Where letters are typed they are no keys, and are shown as none."""
        keys = not isinstance(self.focused, FormInput) or self.focused.count
        self._forecast.offer(slots=self._fields.has("parallel"), keys=keys)

    def on_resize(self) -> None:
        """Another size, another share for the form."""
        self._fit()
        self.call_after_refresh(self._fit)

    def _settings_changed(self) -> None:
        if self.pending is not None:
            return
        try:
            request = self._fields.request()
        except Invalid as reason:
            self._forecast.doubt()
            self._show_error(str(reason))
            return
        self._status.remove_class("-error")
        self._forecast.display = True
        self._show_status(request_text(request, self.replacing))
        self._forecast.want(request)

    def _show_error(self, words: str) -> None:
        self._status.add_class("-error")
        self._forecast.display = self.app.size.height >= _TOGETHER or (self.pending is None and "\n" not in words)
        self._show_status(clean(words))

    def _show_status(self, words: str) -> None:
        self._status.update(Content(words))
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The form takes what the others leave: it alone scrolls."""
        frame = self.query_one(".load-dialog")
        frame.set_class(self.size.height >= _ROOMY, "-roomy")
        siblings = [child for child in frame.children if child is not self._fields and child.display]
        rest = sum(child.outer_size.height + child.styles.margin.height for child in siblings)
        room = self.size.height - rest - frame.styles.gutter.height - self._fields.styles.margin.height
        self._fields.styles.max_height = max(3, room)

    # The forecast

    def weighed(self, message: intents.Weighed) -> bool:
        """A forecast; False if it is not for the settings in the form."""
        taken = self._forecast.weighed(message)
        self.call_after_refresh(self._fit)
        return taken

    def lmstudio_said(self, message: intents.LmStudioSaid) -> bool:
        """LM Studio's own figure; False if it is not for the settings in the form."""
        return self._forecast.lmstudio_said(message)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Loading starts from the form, cancelling from a load."""
        match action:
            case "cancel_load":
                return self.pending is not None
            case "put_context":
                return (self._forecast.told.largest_context is not None and self.pending is None) or None
            case "put_slots":
                known = self._forecast.told.most_slots is not None and self._fields.has("parallel")
                return (known and self.pending is None) or None
            case "drop_preset":
                return self._fields.droppable is not None
            case "accept" | "make_room":
                return self.pending is None
        return True

    def action_put_context(self) -> None:
        """The largest context length that fits, into its field."""
        if (value := self._forecast.told.largest_context) is not None:
            self._fields.put("context_length", value)

    def action_put_slots(self) -> None:
        """The most slots that fit, into their field."""
        if (value := self._forecast.told.most_slots) is not None:
            self._fields.put("parallel", value)

    def action_make_room(self) -> None:
        """Show or hide what would have to be unloaded."""
        self._forecast.toggle_room()
        self.call_after_refresh(self._fit)

    def action_drop_preset(self) -> None:
        """Forget the chosen preset; the form stays as it is."""
        if (preset := self._fields.droppable) is not None:
            self._fields.drop(preset)
            self.post_message(intents.DropPreset(self._model.key, preset.name))

    def action_accept(self) -> None:
        """Send it; the settings are kept first when there is a name for them."""
        try:
            request = self._fields.request()
        except Invalid as reason:
            self._show_error(str(reason))
            self.query_one(f"#{reason.field}").focus()
            return
        self._since = time.monotonic()
        self.pending = request
        if name := self._fields.save_as:
            self.post_message(intents.KeepPreset(Preset(name, request)))
        if self.replacing is None:
            self.post_message(intents.Load(request))
        else:
            self.post_message(intents.Reload(self.replacing, request))

    def action_close(self) -> None:
        """Close the dialog; a load goes on without it."""
        self.dismiss(None)

    def action_cancel_load(self) -> None:
        """Give the load up."""
        if self.pending is not None:
            self.post_message(intents.CancelLoad(self.pending))
        self.dismiss(None)

    # The load

    def watch_pending(self) -> None:
        """Form or progress."""
        loading = self.pending is not None
        self._fields.display = not loading
        self._forecast.still(loading)
        self.query_one("#keys", Static).update(_BUSY_KEYS if loading else _FORM_KEYS)
        if loading:
            self._status.remove_class("-error")
            self.set_focus(None)
            self._timer = self.set_interval(0.1, self._tick)
            self._tick()
        self.refresh_bindings()

    def _tick(self) -> None:
        self._status.update(Content(f"loading … {elapsed(time.monotonic() - self._since)}\n{_UNTOLD}"))

    def end(self, message: intents.LoadOver) -> bool:
        """If it was this dialog's load: close, or go back to the form with the server's words. False if not."""
        if message.request is not self.pending:
            return False
        self._timer.stop()
        if message.problem is None:
            self.dismiss(None)
            return True
        self.pending = None
        self._show_error(message.problem.lines)
        self.query_one("#context_length", Input).focus()
        return True
