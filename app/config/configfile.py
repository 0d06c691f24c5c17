"""The configuration file: TOML, checked key by key, so that a typing error is named and not ignored."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lmdeck.config.errors import ConfigError, nearest
from lmdeck.config.lines import Place, line_of, places
from lmdeck.config.schema import KEYS, MCP, PRESETS, PROFILES, SECRETS, SERVERS, SETTINGS, TABLES

Table = Mapping[str, object]

Objection = tuple[Place, str]
"""What is wrong, and at which setting or table."""

_SERVER_SETTINGS = tuple(name for name, key in SETTINGS.items() if key.of_server)


@dataclass(frozen=True)
class ConfigFile:
    """A file as it was read; without one, `table` is empty."""

    path: Path
    table: Table
    text: str = ""

    @cached_property
    def _lines(self) -> Mapping[Place, int]:
        return places(self.text)

    def where(self, place: Place) -> str:
        """`FILE:LINE` of a setting."""
        line = line_of(place, self._lines)
        return f"{self.path}:{line}" if line else str(self.path)

    def faults(self) -> list[str]:
        """Everything that is wrong, a sentence each, by line."""
        found = sorted(_objections(self.table), key=lambda each: line_of(each[0], self._lines) or 0)
        return [f"{self.where(place)}: {words}" for place, words in found]

    def tables(self, name: str) -> Mapping[str, Table]:
        """The tables `[name.*]`."""
        found = self.table.get(name)
        inner = found.items() if isinstance(found, dict) else ()
        return {key: table for key, table in inner if isinstance(table, dict)}

    def chosen(self, profile: str | None) -> dict[str, Place]:
        """Which settings hold, and where each stands: those of `[profiles.PROFILE]` or `[servers.PROFILE]` over those
        at the top. Raises ConfigError for a name that is neither.

        A profile with an address of its own does not inherit the top's token: that one belongs to another server.
        """
        top: dict[str, Place] = {key: (key,) for key in self.table if key in SETTINGS}
        if profile is None:
            return top
        known = {name: kind for kind in (PROFILES, SERVERS) for name in self.tables(kind)}
        if profile not in known:
            raise ConfigError(f"{self.path}: there is no profile {profile!r}{nearest(profile, known)}.")
        kind = known[profile]
        own: dict[str, Place] = {key: (kind, profile, key) for key in self.tables(kind)[profile]}
        dropped = SECRETS if "url" in own or any(key in own for key in SECRETS) else ()
        return {key: place for key, place in top.items() if key not in dropped} | own

    def value(self, place: Place) -> object:
        """What stands there; None if nothing does."""
        found: object = self.table
        for name in place:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


def read_file(path: Path) -> ConfigFile:
    """The file at `path`, checked; empty if there is none. Raises ConfigError with the first fault."""
    file = load(path)
    if faults := file.faults():
        more = f" ({len(faults) - 1} more: lmdeck config check)" if len(faults) > 1 else ""
        raise ConfigError(faults[0] + more)
    return file


def load(path: Path) -> ConfigFile:
    """The file at `path`, unchecked but for TOML and for a token that others may read (both ConfigErrors)."""
    try:
        with path.open("rb") as file:
            import tomllib

            mode = os.fstat(file.fileno()).st_mode
            text = file.read().decode().replace("\r\n", "\n")
            table: Table = tomllib.loads(text)
    except FileNotFoundError:
        return ConfigFile(path, {})
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # TOMLDecodeError (which names the line, and quotes one character) or not UTF-8
        raise ConfigError(f"{path} is not valid TOML: {str(error).splitlines()[0]}.") from None
    found = ConfigFile(path, table, text)
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077 and _holds_token(found):
        raise ConfigError(
            f"{path} holds a token and others may read it: run `chmod 600 {path}`, or better, use token_command."
        )
    return found


def _holds_token(file: ConfigFile) -> bool:
    inner = [table for kind in (PROFILES, SERVERS) for table in file.tables(kind).values()]
    return any("token" in table for table in (file.table, *inner))


def _objections(table: Table) -> Iterator[Objection]:
    settings = {key: value for key, value in table.items() if key not in TABLES}
    yield from _settings((), settings, (*SETTINGS, *TABLES))
    for kind, allowed in ((PROFILES, tuple(SETTINGS)), (SERVERS, _SERVER_SETTINGS)):
        inner = table.get(kind, {})
        if not isinstance(inner, dict) or not all(isinstance(each, dict) for each in inner.values()):
            yield (kind,), f"{kind} are written as tables: [{kind}.NAME]."
            continue
        for name, each in inner.items():
            yield from _settings((kind, name), each, allowed)
            if kind == SERVERS:
                yield from _server(name, each, table.get(PROFILES))
    if table.keys() & {"plugins", MCP, PRESETS, KEYS} or any("plugins" in each for each in _profiles(table)):
        from lmdeck.config.chatting import objections  # most files have none

        yield from objections(table)


def _profiles(table: Table) -> list[Table]:
    inner = table.get(PROFILES)
    return [each for each in inner.values() if isinstance(each, dict)] if isinstance(inner, dict) else []


def _server(name: str, table: Table, profiles: object) -> Iterator[Objection]:
    if "url" not in table:
        yield (SERVERS, name), f"[servers.{name}] url is missing."
    if isinstance(profiles, dict) and name in profiles:
        yield (SERVERS, name), f"[servers.{name}] and [profiles.{name}] have the same name."


def _settings(place: Place, table: Table, known: Iterable[str]) -> Iterator[Objection]:
    """What is wrong with the settings of one table."""
    where = f"[{'.'.join(place)}] " if place else ""
    for key, value in table.items():
        if key not in known:
            yield (*place, key), f"{where}unknown setting {key!r}{nearest(key, known)}."
        elif words := SETTINGS[key].objection(value):
            yield (*place, key), f"{where}{key}{words}"
    if len(given := [key for key in SECRETS if key in table]) > 1:
        yield (*place, given[1]), f"{where}{' and '.join(given)} exclude each other."
