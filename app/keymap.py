"""The user's keys: which bindings there are, and what is wrong with the `[keys]` of the configuration file."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from textual.dom import DOMNode
from textual.keys import Keys, key_to_character
from textual.screen import ModalScreen

from lmdeck import screens, widgets
from lmdeck.config.errors import nearest
from lmdeck.screens.dashboard import Dashboard
from lmdeck.screens.help import key_names, normal_keys, own_bindings
from lmdeck.widgets.pane import Pane
from lmdeck.widgets.table import Table

Scope = Mapping[str, frozenset[str]]
"""Keys by the ids of the bindings that work in one place."""

_TAKEN: Final = ("ctrl+h", "ctrl+i", "ctrl+m", "ctrl+s", "ctrl+b")
_MODIFIERS: Final = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_NAMED: Final = tuple(key.value for key in Keys)


def faults(keys: Mapping[str, str], app: type[DOMNode]) -> list[tuple[str, str]]:
    """What is wrong with keys by binding id, a sentence each, with the id: ids and keys that do not exist, and keys
    that would do two things in one place. `app` is the class of the application. Imports every screen (0.5 s)."""
    scopes = list(_scopes(app))
    known = {id for scope, _ in scopes for id in scope}
    found: list[tuple[str, str]] = []
    for id, written in keys.items():
        if id not in known:
            close = nearest(id, known).partition(" (known")[0]
            found.append((id, f"there is no binding {id!r}{close or '; `lmdeck config keys` lists them'}."))
        found += [(id, f"{id}: {words}") for key in written.split(",") if (words := _objection(key.strip()))]
    clashes = dict.fromkeys(clash for scope, title in scopes for clash in _clashes(scope, title, keys))
    return found + list({words: (id, words) for id, words in clashes}.values())


def bindings(app: type[DOMNode]) -> list[tuple[str, str, str]]:
    """Every binding as id, keys and what it does, by id. Imports every screen."""
    found: dict[str, tuple[str, str, str]] = {}
    for owner in (app, *_owners()):
        found |= {
            id: (id, each.key, each.tooltip or each.description) for each in own_bindings(owner) if (id := each.id)
        }
    return [found[id] for id in sorted(found)]


def _owners() -> Iterator[type[DOMNode]]:
    """lmdeck's classes that declare bindings."""
    for package in (screens, widgets):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    waiting: list[type[DOMNode]] = [DOMNode]
    seen = set(waiting)
    while waiting:
        inner = [each for each in waiting.pop().__subclasses__() if each not in seen]
        seen.update(inner)
        waiting += inner
        yield from (each for each in inner if each.__module__.startswith((screens.__name__, widgets.__name__)))


def _scopes(app: type[DOMNode]) -> Iterator[tuple[Scope, str]]:
    """Which bindings work together, and the name of the place: a node's own, and those of what is around it."""
    everywhere = _keys_of(app)
    yield everywhere, app.BINDING_GROUP_TITLE or "Application"
    around = {**everywhere, **_keys_of(Dashboard), **_keys_of(Table)}
    for owner in dict.fromkeys(_owners()):
        if not (own := _keys_of(owner)):
            continue
        outer = around if issubclass(owner, Pane) else {} if issubclass(owner, ModalScreen) else everywhere
        yield {**outer, **own}, owner.BINDING_GROUP_TITLE or owner.__name__


def _keys_of(owner: type[DOMNode]) -> Scope:
    return {each.id: frozenset(each.key.split(",")) for each in own_bindings(owner) if each.id}


def _clashes(scope: Scope, title: str, keys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Keys that the user gave to one binding of the scope and that another has there, too."""
    after = {id: frozenset(normal_keys(keys[id]).split(",")) if id in keys else own for id, own in scope.items()}
    for id in sorted(after.keys() & keys.keys()):
        for other, its in after.items():
            if other == id or (other in keys and other < id):
                continue
            for key in sorted((after[id] & its) - (scope[id] & scope[other])):
                yield id, f"{id}: {key_names(key)} is the key of {other}, too ({title})."


def _objection(key: str) -> str | None:
    """Why this is no key, or none that a terminal sends."""
    *modifiers, name = key.split("+") if len(key) > 1 else [key]
    if key in _TAKEN:
        return f"{key} is taken by terminals and tmux."
    if modifiers == ["shift"] and len(name) == 1:
        return f"{key} is written as {name.upper()!r}."
    if not set(modifiers) <= set(_MODIFIERS) or not (len(name) == 1 or name in _NAMED or key_to_character(name)):
        return f"there is no key {key!r}{nearest(key, _NAMED).partition(' (known')[0]}."
    return None
