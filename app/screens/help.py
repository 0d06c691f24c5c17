"""The help page, made from the bindings themselves: there is no second list of keys."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.widgets import Static

from lmdeck.screens.dialog import Dialog

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "exclamation_mark": "!",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
}

_NO_KEYS: Mapping[str, str] = MappingProxyType({})

Group = tuple[str, list[tuple[str, str]]]


def own_bindings(owner: type[DOMNode]) -> Iterator[Binding]:
    """The bindings that lmdeck's own classes declare (every one has an id), as written, nearest first."""
    seen: set[str] = set()
    for cls in owner.__mro__:
        for binding in cls.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.id not in seen:
                seen.add(binding.id)
                yield binding


def key_names(keys: str) -> str:
    """`up,k` as `↑ k`."""
    return " ".join(_NAMES.get(key, key) for key in keys.split(","))


def normal_keys(keys: str) -> str:
    """Comma-separated keys by their names: `?, x` as `question_mark,x`."""
    return ",".join(binding.key for binding in Binding.make_bindings([Binding(keys, "")]))


def help_groups(owners: Iterable[type[DOMNode]], keys: Mapping[str, str] = _NO_KEYS) -> list[Group]:
    """A group a class, titled by its BINDING_GROUP_TITLE: keys and what they do. `keys` are the user's, by id."""
    groups = []
    for owner in owners:
        title = owner.BINDING_GROUP_TITLE or owner.__name__
        rows = [(key_names(keys.get(b.id or "") or b.key), b.tooltip or b.description) for b in own_bindings(owner)]
        if rows:
            groups.append((title, rows))
    return groups


class HelpScreen(Dialog[None]):
    """All keys, by the place where they work."""

    BINDING_GROUP_TITLE = "Help"
    BINDINGS = [
        Binding("escape,q,question_mark", "app.pop_screen", "Close", id="help.close", tooltip="Back to the deck"),
    ]

    def __init__(self, groups: list[Group]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """One block a group."""
        width = max((len(keys) for _, rows in self._groups for keys, _ in rows), default=0) + 2
        with Vertical(classes="dialog dialog-wide"):
            yield Static("Keys", classes="dialog-title")
            with VerticalScroll(classes="details-body"):
                for title, rows in self._groups:
                    lines = [Content.assemble((keys.ljust(width), "bold"), what) for keys, what in rows]
                    yield Static(title, classes="help-group", markup=False)
                    yield Static(Content("\n").join(lines), classes="help-keys")

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one(VerticalScroll).focus()
