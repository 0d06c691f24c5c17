"""The load dialog: parameters, the exact request, and the load's progress until it is over."""

import json
import time

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Input, Static

from lmdeck.model.catalog import Model
from lmdeck.model.load import LoadRequest
from lmdeck.model.text import clean, one_line
from lmdeck.model.units import elapsed, gigabytes
from lmdeck.screens.dialog import Dialog
from lmdeck.screens.intents import CancelLoad, Load, LoadOver
from lmdeck.screens.load_form import CHOICES, Field, Invalid, fields_for, request_of
from lmdeck.widgets.choice import Choice
from lmdeck.widgets.ordered_keys import ran_own_binding

_FORM_KEYS = "Enter load   Tab next field   Esc close"
_BUSY_KEYS = "Esc hide, the load goes on   x cancel"
_UNTOLD = "LM Studio tells no progress over HTTP: this is the time so far."


class _Number(Input):
    """A field for a count."""

    async def _on_key(self, event: events.Key) -> None:
        if not await ran_own_binding(self, event):
            await super()._on_key(event)


class LoadDialog(Dialog[None]):
    """Posts `Load` and stays until the load is over or hidden; only what the user set is sent."""

    BINDING_GROUP_TITLE = "Load dialog"
    BINDINGS = [
        Binding("enter", "accept", "Load", id="load.accept", tooltip="Load with these settings"),
        Binding("escape", "close", "Close", id="load.close", tooltip="Close; a running load goes on"),
        Binding("x", "cancel_load", "Cancel", id="load.cancel", tooltip="Stop waiting, then look what became of it"),
    ]

    pending: reactive[LoadRequest | None] = reactive(None, init=False)
    """The request that is being carried out; None while the form is open."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model, self._fields = model, fields_for(model)
        self._since = 0.0
        self._status = Static(classes="dialog-text", id="status", markup=False)

    def compose(self) -> ComposeResult:
        """Title, warning, form, the request, what to press."""
        with Vertical(classes="dialog"):
            yield Static(f"Load {one_line(self._model.key)}", classes="dialog-title", markup=False)
            yield Static(self._facts(), classes="dialog-text", markup=False)
            if self._model.instances:
                yield Static(self._copies(), classes="dialog-warning", markup=False)
            with VerticalScroll(id="form", can_focus=False):
                for field in self._fields:
                    yield from self._compose_field(field)
            yield self._status
            yield Static(_FORM_KEYS, classes="dialog-keys", id="keys")

    def _compose_field(self, field: Field) -> ComposeResult:
        with Horizontal(classes="field"):
            yield Static(field.label, classes="field-label")
            if field.is_choice:
                yield Choice(CHOICES, id=field.name)
            else:
                yield _Number(placeholder=field.hint, id=field.name, compact=True, select_on_focus=True)

    def _facts(self) -> str:
        model = self._model
        parts = (model.architecture, model.params, model.quantization, f"{gigabytes(model.size_bytes)} GB")
        return one_line("   ".join(part for part in parts if part), 200)

    def _copies(self) -> str:
        names = one_line(", ".join(instance.id for instance in self._model.instances), 200)
        return f"Already in memory as {names}. Loading it again makes another copy, with memory of its own."

    def on_mount(self) -> None:
        """Ready for typing a context length."""
        self.query_one("#context_length", Input).focus()
        self._show_request()

    def on_input_changed(self) -> None:
        """Keep the shown request true."""
        self._show_request()

    def on_input_submitted(self) -> None:
        """Enter in a field."""
        if self.pending is None:
            self.action_accept()

    def on_choice_changed(self) -> None:
        """Keep the shown request true."""
        self._show_request()

    def _request(self) -> LoadRequest:
        texts = {found.id or "": found.value for found in self.query(Input)}
        choices = {found.id or "": found.index for found in self.query(Choice)}
        return request_of(self._model, texts, choices)

    def _show_request(self) -> None:
        self._status.remove_class("-error")
        try:
            body = json.dumps(self._request().body(), ensure_ascii=False)
        except Invalid as reason:
            self._show_error(str(reason))
        else:
            self._status.update(Content(clean(f"POST /api/v1/models/load\n{body}")))

    def _show_error(self, words: str) -> None:
        self._status.add_class("-error")
        self._status.update(Content(clean(words)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Loading starts from the form, cancelling from a load."""
        if action == "accept":
            return self.pending is None
        return self.pending is not None if action == "cancel_load" else True

    def action_accept(self) -> None:
        """Send it."""
        try:
            request = self._request()
        except Invalid as reason:
            self._show_error(str(reason))
            self.query_one(f"#{reason.field}").focus()
            return
        self._since = time.monotonic()
        self.pending = request
        self.post_message(Load(request))

    def action_close(self) -> None:
        """Close the dialog; a load goes on without it."""
        self.dismiss(None)

    def action_cancel_load(self) -> None:
        """Give the load up."""
        if self.pending is not None:
            self.post_message(CancelLoad(self.pending))
        self.dismiss(None)

    def watch_pending(self) -> None:
        """Form or progress."""
        loading = self.pending is not None
        self.query_one("#form").display = not loading
        self.query_one("#keys", Static).update(_BUSY_KEYS if loading else _FORM_KEYS)
        if loading:
            self._status.remove_class("-error")
            self.set_focus(None)
            self._timer = self.set_interval(0.1, self._tick)
            self._tick()
        self.refresh_bindings()

    def _tick(self) -> None:
        self._status.update(Content(f"loading … {elapsed(time.monotonic() - self._since)}\n{_UNTOLD}"))

    def end(self, message: LoadOver) -> bool:
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
