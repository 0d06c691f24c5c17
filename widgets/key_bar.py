"""The last line of the screen: the keys that work here, from the bindings. One widget where Textual's footer is one
for each key, because it changes with every move of the focus."""

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

Key = tuple[str, str, str, bool]
"""Key name, what it does, the key to simulate for a click, whether it works now."""


class KeyBar(Widget):
    """`u Unload  c Chat …`: the active bindings that are meant to be shown; what cannot be done now is dim."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; width: 1fr; padding: 0 1; background: $panel; color: $foreground; }
    """

    keys: reactive[tuple[Key, ...]] = reactive(())
    """What the line shows."""

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._read)
        self._read(self.screen)

    def _read(self, screen: Screen[object]) -> None:
        shown: dict[str, Key] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in shown:
                name = self.app.get_key_display(binding)
                shown[binding.action] = (name, binding.description, binding.key, active.enabled)
        self.keys = tuple(shown.values())

    def render(self) -> RenderResult:
        """As many keys as the width takes."""
        parts = []
        for name, words, _, enabled in self.keys:
            parts += [(name, "bold $accent" if enabled else "dim"), (f" {words}  ", "" if enabled else "dim")]
        return Content.assemble(*parts).truncate(self.content_size.width, ellipsis=True)

    def on_click(self, event: events.Click) -> None:
        """A click on a key presses it."""
        position = event.x - 1
        for name, words, key, enabled in self.keys:
            cells = Content(f"{name} {words}  ").cell_length
            if 0 <= position < cells and enabled:
                self.app.simulate_key(key)
            position -= cells
