"""The five panes on one screen: which are in sight, and how the keyboard moves between them."""

from typing import cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.dom import DOMNode
from textual.getters import query_one
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from lmdeck.screens.layout import PANES, TITLES, visible_panes
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.chat_pane import ChatPane
from lmdeck.widgets.gpu_pane import GpuPane
from lmdeck.widgets.header import Header
from lmdeck.widgets.key_bar import KeyBar
from lmdeck.widgets.loaded_pane import LoadedPane
from lmdeck.widgets.log_pane import LogPane
from lmdeck.widgets.pane import Pane
from lmdeck.widgets.pane_strip import PaneStrip
from lmdeck.widgets.table import Table

_LEFT, _RIGHT = ("loaded", "available", "log"), ("gpu", "chat")


def _pane_keys() -> list[BindingType]:
    return [
        Binding(str(number), f"pane('{name}')", title, show=False, id=f"deck.pane.{name}", tooltip=f"Go to {title}")
        for number, (name, title) in enumerate(zip(PANES, TITLES, strict=True), 1)
    ]


class PaneScreen(Screen[None]):
    """Lays the panes out for its size. Panes out of sight keep their state, and a key brings each back."""

    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS = [
        Binding("tab", "next_pane(1)", "Next pane", show=False, id="deck.next", tooltip="To the next pane"),
        Binding("shift+tab", "next_pane(-1)", "Previous pane", show=False, id="deck.previous", tooltip="And back"),
        *_pane_keys(),
        Binding("z", "zoom", "Zoom", id="deck.zoom", tooltip="This pane alone on the screen, and back"),
    ]

    header = query_one(Header)
    strip = query_one(PaneStrip)
    loaded = query_one(LoadedPane)
    available = query_one(AvailablePane)
    gpu = query_one(GpuPane)
    log_pane = query_one(LogPane)
    chat = query_one(ChatPane)

    focused: reactive[Widget | None] = reactive(None, repaint=False)
    """As Textual's, but a new focus draws the two widgets that differ, not the whole screen."""
    current: reactive[str] = reactive("loaded", init=False)
    """The id of the pane that has, or last had, the keyboard."""
    zoomed: reactive[bool] = reactive(False, init=False)
    """Whether the current pane is alone on the screen."""

    def compose(self) -> ComposeResult:
        """Header, strip, two columns, keys."""
        yield Header()
        yield PaneStrip(TITLES)
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield LoadedPane(id="loaded")
                yield AvailablePane(id="available")
                yield LogPane(id="log")
            with Vertical(id="right"):
                yield GpuPane(id="gpu")
                yield ChatPane(id="chat")
        yield KeyBar()

    def key_owners(self) -> list[DOMNode]:
        """The nodes whose bindings help and palette list: the screen, one list for all lists, the panes."""
        lists = cast("Table[object]", self.loaded.query(Table).first())
        return [self, lists, self.loaded, self.available, self.gpu, self.log_pane, self.chat]

    def on_mount(self) -> None:
        """Choose the panes before the first frame is drawn, or a second one would follow it at once."""
        self._lay_out()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may hold other panes."""
        self._lay_out()

    def watch_current(self) -> None:
        """Another pane may need another layout."""
        self._lay_out()

    def watch_zoomed(self) -> None:
        """Alone, or among the others."""
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.app.size
        visible = visible_panes(width, height, self.current, self.zoomed)
        for name in PANES:
            self.query_one(f"#{name}").display = name in visible
        left, right = bool(visible & set(_LEFT)), bool(visible & set(_RIGHT))
        self.query_one("#left").display, self.query_one("#right").display = left, right
        self.set_class(not (left and right), "-one-column")
        self.set_class(len(visible) == 1, "-one-pane")
        self.strip.display = len(visible) < len(PANES)
        self.strip.visible_panes = frozenset(index for index, name in enumerate(PANES) if name in visible)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which pane has the keyboard."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Pane) and node.id:
                self.current = node.id

    def action_pane(self, name: str) -> None:
        """Go to a pane, showing it if it was hidden."""
        self.current = name
        self.query_one(f"#{name}", Pane).focus_content()

    def action_next_pane(self, step: int) -> None:
        """Round the five panes."""
        self.action_pane(PANES[(PANES.index(self.current) + step) % len(PANES)])

    def action_zoom(self) -> None:
        """This pane alone, and back."""
        self.zoomed = not self.zoomed

    @on(PaneStrip.Picked)
    def pick_pane(self, message: PaneStrip.Picked) -> None:
        """A click on the strip."""
        self.action_pane(PANES[message.index])
