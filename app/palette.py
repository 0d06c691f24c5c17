"""The command palette: every binding by name, and every model by what can be done with it."""

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from lmdeck.model.text import one_line
from lmdeck.screens.dashboard import Dashboard
from lmdeck.screens.help import own_bindings
from lmdeck.widgets.available_pane import AvailablePane
from lmdeck.widgets.loaded_pane import LoadedPane

Command = tuple[str, str, Callable[[], object]]
"""Name, one line of help, what it does."""


class DeckCommands(Provider):
    """Commands of the dashboard under the palette."""

    async def discover(self) -> Hits:
        """Everything, while nothing is typed."""
        for name, help_text, run in self._commands():
            yield DiscoveryHit(Content(name), run, text=name, help=help_text)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for name, help_text, run in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, Content(name), run, text=name, help=help_text)

    def _commands(self) -> Iterator[Command]:
        dashboard = self.screen
        if isinstance(dashboard, Dashboard):
            yield from self._bound(dashboard)
            yield from self._for_models(dashboard)

    def _bound(self, dashboard: Dashboard) -> Iterator[Command]:
        for node in [self.app, *dashboard.key_owners()]:
            group = type(node).BINDING_GROUP_TITLE or ""
            for binding in own_bindings(type(node)):
                if binding.description:
                    run = partial(self.app.run_action, binding.action, node)
                    yield f"{group}: {binding.description}", binding.tooltip, run

    def _for_models(self, dashboard: Dashboard) -> Iterator[Command]:
        writable = not dashboard.loaded.read_only
        for row in (dashboard.available.rows or ()) if writable else ():
            ask_load = partial(dashboard.post_message, AvailablePane.LoadRequested(row.model))
            yield f"Load {one_line(row.model.key)}", "Open the load dialog", ask_load
        for loaded in dashboard.loaded.rows or ():
            name = one_line(loaded.id)
            if writable and not loaded.pending:
                ask_unload = partial(dashboard.post_message, LoadedPane.UnloadRequested(loaded))
                yield f"Unload {name}", "Free its memory", ask_unload
            if not loaded.pending:
                ask_chat = partial(dashboard.post_message, LoadedPane.ChatRequested(loaded.id))
                yield f"Chat with {name}", "Send the next turn to it", ask_chat
