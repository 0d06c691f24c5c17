"""The Available pane: the models on the server's disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from lmdeck.model.rows import AvailableRow
from lmdeck.widgets.column import Column
from lmdeck.widgets.line_view import Paragraph
from lmdeck.widgets.list_pane import ListPane
from lmdeck.widgets.paint import available as paint
from lmdeck.widgets.pane import Clock
from lmdeck.widgets.table import Table

if TYPE_CHECKING:
    from lmdeck.model.catalog import Model


class AvailablePane(ListPane[AvailableRow]):
    """One line a model."""

    TITLE = "Available"
    LOADING = Paragraph("asking the server which models it has …", "muted")
    EMPTY = (
        Paragraph("the server has no model on its disk"),
        Paragraph("download one: d", "accent"),
    )
    GUARDED = frozenset({"load", "load_again", "download"})
    BY_ROW = ("load", "load_again", "estimate", "chat", "copy")
    BINDING_GROUP_TITLE = "Available"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "load", "Load", id="available.load", tooltip="Load this model; asks for context length and more"),
        Binding(
            "L",
            "load_again",
            "Load as last time",
            show=False,
            id="available.load_again",
            tooltip="Load with the settings of this model's last load from here",
        ),
        Binding("e", "estimate", "Estimate", id="available.estimate", tooltip="The memory it takes, by context length"),
        Binding("c", "chat", "Chat", id="available.chat", tooltip="Chat with this model"),
        Binding(
            "d",
            "download",
            "Download",
            show=False,
            id="available.download",
            tooltip="Download another model, and see how far downloads are",
        ),
    ]

    class LoadRequested(Message):
        """This model is to be loaded."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class LoadAgainRequested(Message):
        """This model is to be loaded as it was the last time."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class EstimateRequested(Message):
        """What this model takes is wanted."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class ChatRequested(Message):
        """A chat with this model is wanted, whether it is loaded or not."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class DownloadRequested(Message):
        """Another model is wanted on the server's disk."""

    class DetailsRequested(Message):
        """Everything about this model is wanted."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    def __init__(self, *, id: str | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(Table(COLUMNS, key=lambda row: row.model.key, search=_search), id=id, clock=clock)

        self._downloads = ""

    def note_downloads(self, words: str) -> None:
        """Say in the frame how far downloads are; nothing while there are none."""
        if words != self._downloads:
            self._downloads = words
            self.refresh_frame()

    def hints(self) -> Iterator[str]:
        if self._downloads:
            yield self._downloads
        yield from super().hints()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row = self.current
        if action in self.BY_ROW and row is None:
            return None
        if action == "chat" and row is not None and row.model.is_embedding:
            return None
        return super().check_action(action, parameters)

    def action_load(self) -> None:
        """Ask for the current model to be loaded."""
        if self.current is not None:
            self.post_message(self.LoadRequested(self.current.model))

    def action_load_again(self) -> None:
        """Ask for the current model to be loaded as last time."""
        if self.current is not None:
            self.post_message(self.LoadAgainRequested(self.current.model))

    def action_estimate(self) -> None:
        """Ask what the current model takes."""
        if self.current is not None:
            self.post_message(self.EstimateRequested(self.current.model))

    def action_chat(self) -> None:
        """Ask for a chat with the current model."""
        if self.current is not None:
            self.post_message(self.ChatRequested(self.current.model))

    def action_download(self) -> None:
        """Ask for another model, whatever the current one is."""
        self.post_message(self.DownloadRequested())

    def action_copy(self) -> None:
        """Ask for the model's key to be copied."""
        if self.current is not None:
            self.post_message(self.CopyRequested(self.current.model.key))

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.DetailsRequested(self.current.model))


def _architecture(row: AvailableRow) -> str | None:
    return row.model.architecture


def _quantization(row: AvailableRow) -> str | None:
    return row.model.quantization


def _max_context(row: AvailableRow) -> int | None:
    return row.model.max_context_length


def _size(row: AvailableRow) -> int | None:
    return row.model.size_bytes


def _search(row: AvailableRow) -> str:
    of = row.model
    words = of.key, of.display_name, of.publisher, of.architecture or "", of.quantization or "", of.params or ""
    return f"{' '.join(words)} {paint.abilities(of)}"


COLUMNS: list[Column[AvailableRow]] = [
    Column("  MODEL", paint.model, 30, 60, sort_key=lambda row: row.model.key.lower()),
    Column("ARCH", lambda row: paint.word(row.model.architecture), 9, 15, "left", 4, _architecture),
    Column("PARAMS", lambda row: paint.word(row.model.params), 7, 8, "left", 5),
    Column("QUANT", lambda row: paint.word(row.model.quantization), 6, 8, "left", 3, _quantization),
    Column("SIZE GB", lambda row: paint.size(row.model.size_bytes), 7, 7, "right", 0, _size, True),
    Column("MAX CTX", lambda row: paint.count(_max_context(row)), 7, 8, "right", 2, _max_context, True),
    Column("CAPS", lambda row: paint.word(paint.abilities(row.model)), 9, 24, "left", 6),
    Column("FIT GiB", paint.fit, 7, 8, "right", 1, paint.need, True),
]
