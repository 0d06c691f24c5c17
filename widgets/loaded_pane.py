"""The Loaded pane: what is in the server's memory, and what is coming and going."""

import time
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from lmdeck.model.rows import LoadedRow
from lmdeck.widgets.column import Column
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.list_pane import ListPane
from lmdeck.widgets.paint import available as sizes
from lmdeck.widgets.paint import loaded as paint
from lmdeck.widgets.pane import Clock
from lmdeck.widgets.table import Table


class LoadedPane(ListPane[LoadedRow]):
    """One line an instance. Countdowns run by the pane's own clock, between the polls."""

    TITLE = "Loaded"
    LOADING = Paragraph("asking the server what is loaded …", "muted")
    EMPTY = (
        Paragraph("no model is loaded"),
        Paragraph("2 goes to Available, l loads the model there", "accent"),
    )
    GUARDED = frozenset({"unload", "unload_all", "reload"})
    BY_ROW = ("unload", "chat", "copy", "verify", "benchmark", "reload", "history")
    SETTLED = ("chat", "verify", "benchmark", "reload")
    BINDING_GROUP_TITLE = "Loaded"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "u",
            "unload",
            "Unload",
            id="loaded.unload",
            tooltip="Unload this instance, asking when it is busy; give a load up",
        ),
        Binding("U", "unload_all", "Unload all", show=False, id="loaded.unload_all", tooltip="Unload all; always asks"),
        Binding("c", "chat", "Chat", id="loaded.chat", tooltip="Chat with this instance"),
        Binding("v", "verify", "Verify", id="loaded.verify", tooltip="Prove by prompts that its context is there"),
        Binding(
            "b", "benchmark", "Benchmark", id="loaded.benchmark", tooltip="Measure how it scales with requests at once"
        ),
        Binding("R", "reload", "Reload", show=False, id="loaded.reload", tooltip="Load it anew with other settings"),
        Binding("H", "history", "History", show=False, id="loaded.history", tooltip="When it came and went, and why"),
    ]

    class Asked(Message):
        """Something is wanted of this instance."""

        def __init__(self, row: LoadedRow) -> None:
            super().__init__()
            self.row = row

    class UnloadRequested(Asked):
        """Its unloading."""

    class ReloadRequested(Asked):
        """Loading it anew."""

    class VerifyRequested(Asked):
        """Proof of its context."""

    class BenchmarkRequested(Asked):
        """How it scales."""

    class HistoryRequested(Asked):
        """What happened to its model."""

    class DetailsRequested(Asked):
        """Everything about it."""

    class UnloadAllRequested(Message):
        """Everything is to be unloaded."""

    class ChatRequested(Message):
        """A chat with this instance is wanted."""

        def __init__(self, instance_id: str) -> None:
            super().__init__()
            self.instance_id = instance_id

    def __init__(self, *, id: str | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(Table(_columns(clock), key=lambda row: row.id, search=_search), id=id, clock=clock)

    def ticks(self) -> bool:
        return super().ticks() or any(map(_ticking, self.rows or ()))

    def tick(self) -> None:
        self.table.touch(_ticking)
        super().tick()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row = self.current
        if action in self.BY_ROW and row is None:
            return None
        if row is not None and row.pending and action in self.SETTLED:
            return None
        if row is not None and row.state == "unloading" and action == "unload":
            return None
        return super().check_action(action, parameters)

    def action_unload(self) -> None:
        """Ask for the current instance's unloading."""
        if self.current is not None:
            self.post_message(self.UnloadRequested(self.current))

    def action_unload_all(self) -> None:
        """Ask for the unloading of everything."""
        self.post_message(self.UnloadAllRequested())

    def action_chat(self) -> None:
        """Ask for a chat with the current instance."""
        if self.current is not None:
            self.post_message(self.ChatRequested(self.current.id))

    def action_verify(self) -> None:
        """Ask for the current instance's context to be proven."""
        if self.current is not None:
            self.post_message(self.VerifyRequested(self.current))

    def action_benchmark(self) -> None:
        """Ask for the current instance to be measured."""
        if self.current is not None:
            self.post_message(self.BenchmarkRequested(self.current))

    def action_reload(self) -> None:
        """Ask for the current instance to be loaded anew."""
        if self.current is not None:
            self.post_message(self.ReloadRequested(self.current))

    def action_history(self) -> None:
        """Ask what happened to the current instance's model."""
        if self.current is not None:
            self.post_message(self.HistoryRequested(self.current))

    def action_copy(self) -> None:
        """Ask for the identifier to be copied."""
        if self.current is not None:
            self.post_message(self.CopyRequested(self.current.id))

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.DetailsRequested(self.current))


def _columns(clock: Clock) -> list[Column[LoadedRow]]:
    number = paint.number
    return [
        Column("INSTANCE", paint.instance, 16, 60, sort_key=lambda row: row.id.lower(), keep_tail=True),
        Column("STATE", lambda row: paint.state(row, clock()), 14, 14, sort_key=lambda row: row.busy, descending=True),
        Column("CTX", lambda row: paint.context(row.context), 13, 14, sort_key=_context, descending=True),
        Column("SLOTS", lambda row: number(row.slots), 5, 5, "right", 3, lambda row: row.slots, True),
        Column("QUEUE", lambda row: number(row.queue), 5, 5, "right", 1, lambda row: row.queue, True),
        Column("TTL", lambda row: paint.ttl(row, clock()), 5, 8, "right", 2, lambda row: row.ttl_deadline),
        Column("SIZE GB", lambda row: sizes.size(row.size_bytes), 7, 7, "right", 4, lambda row: row.size_bytes, True),
        Column("VRAM", paint.vram, 6, 6, "right", 5, lambda row: row.engine.vram if row.engine else None, True),
        Column("TOK/S", lambda row: number(row.tokens_per_second, 1), 6, 6, "right", 1, _speed, True),
    ]


def _context(row: LoadedRow) -> int | None:
    shown = row.context.reported or row.context.requested
    return shown.tokens if shown else None


def _speed(row: LoadedRow) -> float | None:
    return row.tokens_per_second


def _search(row: LoadedRow) -> str:
    return f"{row.id} {row.model_key} {row.state}"


def _ticking(row: LoadedRow) -> bool:
    """Whether the row shows time passing."""
    return row.ttl_deadline is not None or (row.pending and row.since is not None)
