"""The tables of the file that are lists of things: `[keys]`, `[presets.NAME]`, `[mcp.NAME]`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lmdeck.config.errors import ConfigError, nearest
from lmdeck.config.lines import Place
from lmdeck.config.schema import KEYS, MCP, PRESETS, PROFILES
from lmdeck.config.tools import tools
from lmdeck.model.conversation import ChatPreset
from lmdeck.model.parameter_table import PARAMETERS
from lmdeck.model.parameters import check, named

if TYPE_CHECKING:
    from lmdeck.model.chat import Value

_SYSTEM: Final = "system_prompt"


def objections(table: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    """What is wrong with them, and where."""
    yield from _of_keys((KEYS,), table.get(KEYS, {}))
    yield from _of_presets(table.get(PRESETS, {}))
    yield from _of_tools(table)


def keymap(table: object) -> dict[str, str]:
    """The keys of every binding id in `[keys]`, comma-separated; ids may be quoted or written as dotted names."""
    found: dict[str, str] = {}
    for name, value in table.items() if isinstance(table, Mapping) else ():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": keys for inner, keys in keymap(value).items()}
        else:
            found[name] = ",".join(value) if isinstance(value, list) else str(value)
    return found


def presets(table: object) -> tuple[ChatPreset, ...]:
    """The chat's presets in `[presets.*]`: one of parameters, one of the system prompt, or both under one name."""
    found: list[ChatPreset] = []
    for name, settings in table.items() if isinstance(table, Mapping) else ():
        parameters = {key: value for key, value in settings.items() if key != _SYSTEM}
        if parameters:
            found.append(ChatPreset("parameters", name, parameters))
        if prompt := settings.get(_SYSTEM):
            found.append(ChatPreset("system prompt", name, system_prompt=prompt))
    return tuple(found)


def _of_keys(place: Place, table: object) -> Iterator[tuple[Place, str]]:
    if not isinstance(table, Mapping):
        yield place, "keys are written as a table: [keys]."
        return
    for name, value in table.items():
        texts = value if isinstance(value, list) else [value]
        if isinstance(value, Mapping):
            yield from _of_keys((*place, name), value)
        elif not texts or not all(isinstance(each, str) and each.strip(", ") for each in texts):
            yield (*place, name), f"[keys] {'.'.join((*place[1:], name))} must be a key or a list of keys."


def _of_presets(table: object) -> Iterator[tuple[Place, str]]:
    if not isinstance(table, Mapping) or not all(isinstance(each, Mapping) for each in table.values()):
        yield (PRESETS,), "presets are written as tables: [presets.NAME]."
        return
    for name, settings in table.items():
        for key, value in settings.items():
            if words := _of_parameter(key, value):
                yield (PRESETS, name, key), f"[presets.{name}] {words}"


def _of_parameter(name: str, value: "Value") -> str | None:
    if name == _SYSTEM:
        return None if isinstance(value, str) else "system_prompt must be text."
    if (parameter := named(name)) is None:
        return f"unknown parameter {name!r}{nearest(name, [_SYSTEM, *(each.name for each in PARAMETERS)])}."
    refused = [check({name: value}, endpoint) for endpoint in parameter.wire]
    return None if not all(refused) else f"{refused[0][0]}."


def _of_tools(table: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    """`tools` says the first thing only, so each is asked for by itself."""
    servers, profiles = table.get(MCP, {}), table.get(PROFILES, {})
    owners: list[tuple[Place, object]] = [((), table)]
    if isinstance(profiles, Mapping):
        owners += [((PROFILES, name), each) for name, each in profiles.items()]
    for place, owner in owners:
        plugins = owner.get("plugins", []) if isinstance(owner, Mapping) else []
        if isinstance(plugins, list) and all(isinstance(each, str) for each in plugins):
            clash = {name: {"url": "http://x"} for name in servers} if isinstance(servers, Mapping) else {}
            yield from _said((*place, "plugins"), plugins, clash)
    if not isinstance(servers, Mapping):
        yield from _said((MCP,), [], servers)
        return
    for name, server in servers.items():
        yield from _said((MCP, name), [], {name: server})


def _said(place: Place, plugins: object, servers: object) -> Iterator[tuple[Place, str]]:
    try:
        tools(Path(), plugins, servers)
    except ConfigError as error:
        yield place, str(error).removeprefix(f"{Path()}: ")
