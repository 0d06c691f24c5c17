"""The deck's one screen: state comes in, what the panes ask for goes out as intents."""

import time
from dataclasses import replace

from textual import events, on, work
from textual.binding import Binding

from lmdeck.screens import intents
from lmdeck.screens.close_up import CloseUpScreen
from lmdeck.state.deck import DeckState
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.chat_wishes import ChatWish, Left
from lmdeck.widgets.loaded_pane import LoadedPane
from lmdeck.widgets.pane import Pane
from lmdeck.widgets.table import Table

_SHOWN_STEP = 2**30 // 20


class Dashboard(CloseUpScreen):
    """Shows a `DeckState`; posts intents. `read_only` greys everything that changes the server."""

    BINDINGS = [
        Binding("i", "statistics", "Statistics", show=False, id="deck.statistics", tooltip="Requests, speeds, tokens"),
        Binding("exclamation_mark", "doctor", "Doctor", show=False, id="deck.doctor", tooltip="Check every part"),
        Binding("r", "refresh_now", "Refresh", show=False, id="deck.refresh", tooltip="Read everything again now"),
        Binding("P", "hide_prompts", "Prompts", show=False, id="deck.prompts", tooltip="Hide or show prompt text"),
    ]

    def __init__(self, read_only: bool = False) -> None:
        super().__init__(read_only)
        self._chosen_target: str | None = None

    def on_mount(self) -> None:
        """Start the clock, give the keyboard to the first pane."""
        self.loaded.read_only = self.available.read_only = self._read_only
        self._tick()
        self.set_interval(1.0, self._tick)
        self.loaded.focus_content()

    def _tick(self) -> None:
        self.header.clock = time.strftime("%H:%M")

    # State in

    @on(intents.StateChanged)
    def show_state(self, message: intents.StateChanged) -> None:
        """Hand every pane its part; a pane that gets an equal value does nothing."""
        from lmdeck.state import views

        before, self._state = self._state, message.state
        if message.state.machine_at != before.machine_at:
            self._show_machine(message.state)
        if replace(message.state, gpus=before.gpus, host=before.host, machine_at=before.machine_at) != before:
            self._show_server(message.state)
        elif _held(message.state) != _held(before):
            self.loaded.rows = views.loaded_rows(message.state)

    def _show_machine(self, state: DeckState) -> None:
        if state.gpus is not None:
            self.gpu.update_gpus(state.gpus)
        if state.host is not None:
            self.gpu.update_host(state.host)

    def _show_server(self, state: DeckState) -> None:
        from lmdeck.state import views
        from lmdeck.state.hardware import is_local

        self.gpu.say_foreign(not is_local(state.url))
        self.header.status = views.server_status(state, self._read_only)
        for pane in (self.loaded, self.available):
            pane.show_problem(state.problem if state.models is None else None)
            pane.mark_stale(state.problem is not None and state.models is not None, state.seen_at)
        self.log_pane.show_problem(state.problem)
        self.chat.obstacle = state.problem.title if state.problem and state.models is None else None
        self.loaded.rows = views.loaded_rows(state)
        self.available.rows = views.available_rows(state)
        self.available.note_downloads(views.downloads_words(state))
        self.chat.target = self._chat_target(state)

    def _chat_target(self, state: DeckState) -> str | None:
        """What was chosen or talked to, while the server knows it; before that, the first instance that can answer.
        A conversation never moves to another model by itself."""
        from lmdeck.state import views

        targets, chosen = views.chat_targets(state), self._chosen_target
        if chosen is None:
            return targets[0] if targets else None
        known = chosen in targets or (state.model(chosen) is not None and not self._read_only)
        return chosen if known else None

    # Loading and unloading

    @on(LoadedPane.UnloadRequested)
    @work(group="ask")
    async def unload(self, message: LoadedPane.UnloadRequested) -> None:
        """Unload; ask first when somebody is using it."""
        row = message.row
        if row.state == "loading":
            for job in self._state.loads:
                if job.since == row.since:
                    self.post_message(intents.CancelLoad(job.request))
            return
        waiting = f"{row.queue} request{'s' if row.queue != 1 else ''}" if row.queue else "a request"
        warning = f"It is working on {waiting}: whoever sent it gets an error."
        if not row.busy or await self._confirm(f"Unload {row.id}?", warning, "Unload"):
            self.post_message(intents.Unload((row.id,)))

    @on(LoadedPane.UnloadAllRequested)
    @work(group="ask")
    async def unload_all(self) -> None:
        """Unload everything, after asking."""
        from lmdeck.state import views

        rows = [row for row in views.loaded_rows(self._state) or () if not row.pending]
        if not rows:
            self.notify("Nothing is loaded.")
            return
        busy = sum(row.busy for row in rows)
        detail = "\n".join(row.id for row in rows) + (f"\n\n{busy} of them busy." if busy else "")
        if await self._confirm(f"Unload all {len(rows)}?", detail, "Unload all"):
            self.post_message(intents.Unload(tuple(row.id for row in rows)))

    def on_key(self, event: events.Key) -> None:
        """A greyed key says why it is grey."""
        if self._read_only and event.character in ("l", "L", "u", "U", "R", "d") and isinstance(self.focused, Table):
            self.notify("This deck was started with --read-only: it loads and unloads nothing.", severity="warning")

    async def _confirm(self, question: str, detail: str, yes: str) -> bool:
        from lmdeck.screens.confirm import ConfirmDialog  # buttons are not needed for the first frame

        return await self.app.push_screen_wait(ConfirmDialog(question, detail, yes))

    # Chat

    @on(ChatWish)
    def want(self, message: ChatWish) -> None:
        """Whoever holds the conversation carries it out; leaving the pane needs nobody else."""
        if isinstance(message, Left):
            self.action_pane("loaded")
        else:
            self.post_message(intents.Chat(message))

    def choose_target(self, target: str | None) -> None:
        """The conversation goes to this instance or model; None: to whatever is loaded."""
        self._chosen_target = target
        self.chat.target = self._chat_target(self._state)

    @property
    def nobody(self) -> str:
        """Why there is nobody to talk to, and what to do about it."""
        gone = f"{self._chosen_target} is not there any more" if self._chosen_target else "No model to talk to"
        return f"{gone}: load one (l), press c on a model, or begin anew (ctrl+n)."

    @on(LoadedPane.ChatRequested)
    def chat_with_instance(self, message: LoadedPane.ChatRequested) -> None:
        """Talk to this instance."""
        self._chat_with(message.instance_id)

    @on(AvailablePane.ChatRequested)
    def chat_with_model(self, message: AvailablePane.ChatRequested) -> None:
        """Talk to this model: to its first instance, or to whatever the server loads for it."""
        self._chat_with(message.model.instances[0].id if message.model.instances else message.model.key)

    def _chat_with(self, target: str) -> None:
        from lmdeck.state import views

        if self._read_only and target not in views.chat_targets(self._state):
            self.notify(f"{target} is not loaded, and --read-only loads nothing.", severity="warning", markup=False)
            return
        self.choose_target(target)
        self.action_pane("chat")

    def put_into_chat(self, text: str, instance_id: str) -> None:
        """A text of the log into the chat's editor, for the instance it went to; nothing is sent."""
        self._chat_with(instance_id)
        self.chat.write(text)

    # Text

    @on(Pane.CopyRequested)
    def copy(self, message: Pane.CopyRequested) -> None:
        """To the clipboard, through the terminal (OSC 52), so it works over SSH."""
        self.app.copy_to_clipboard(message.text)
        self.notify("Copied.", timeout=2)

    def action_hide_prompts(self) -> None:
        """Cover prompts and answers in the log and prompts in the chat, or show them again."""
        hide = not self.log_pane.hide_prompts
        self.log_pane.hide_prompts = self.chat.hide_prompts = hide
        self.notify(f"Prompt text is {'hidden' if hide else 'shown'}.", timeout=2)

    def action_statistics(self) -> None:
        """Requests, speeds, token totals."""
        self.post_message(intents.ShowStatistics())

    def action_doctor(self) -> None:
        """Whether everything is there, and what to do where it is not."""
        self.post_message(intents.ShowDoctor())

    def action_refresh_now(self) -> None:
        """Ask every source now."""
        self.post_message(intents.Refresh())


def _held(state: DeckState) -> frozenset[tuple[int, int]]:
    """What each engine holds, in steps that the Loaded pane shows."""
    engines = state.host.engines if state.host else ()
    return frozenset((engine.pid, (engine.vram or 0) // _SHOWN_STEP) for engine in engines)
