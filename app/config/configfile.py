"""The configuration file: TOML, checked key by key, so that a typing error is named and not ignored."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from lmdeck.config.errors import ConfigError, nearest

Table = dict[str, object]

_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "url": ((str,), "text"),
    "token": ((str,), "text"),
    "token_command": ((str, list), "text or a list of texts"),
    "lms": ((str,), "text"),
    "models_folder": ((str,), "text"),
    "theme": ((str,), "text"),
    "read_only": ((bool,), "true or false"),
    "gpu": ((bool,), "true or false"),
    "log_text": ((bool,), "true or false"),
    "log_days": ((int,), "a whole number from 1 to 3650"),
    "log_megabytes": ((int,), "a whole number from 1 to 100000"),
    "plugins": ((list,), "a list of texts"),
}
_LARGEST = {"log_days": 3650, "log_megabytes": 100_000}
_PROFILES, _MCP = "profiles", "mcp"


def read_file(path: Path, profile: str | None) -> Table:
    """The settings in the file at `path`, those of `[profiles.PROFILE]` over those at the top; empty if there is
    no file. Raises ConfigError.

    A profile with an address of its own does not inherit the top's token: that one belongs to another server.
    """
    top = _load(path)
    profiles, servers = top.pop(_PROFILES, {}), top.pop(_MCP, {})
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        raise ConfigError(f"{path}: profiles are written as tables: [profiles.NAME].")
    _check(path, top, (*_KINDS, _PROFILES, _MCP))
    for name, table in profiles.items():
        _check(path, table, _KINDS, f"[profiles.{name}] ")
    top[_MCP] = servers  # `tools.py` checks them
    if profile is None:
        return top
    if profile not in profiles:
        raise ConfigError(f"{path}: there is no profile {profile!r}{nearest(profile, profiles)}.")
    chosen: Table = profiles[profile]
    secret = ("token", "token_command")
    dropped = secret if "url" in chosen or any(key in chosen for key in secret) else ()
    return {key: value for key, value in top.items() if key not in dropped} | chosen


def _load(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            import tomllib

            mode = os.fstat(file.fileno()).st_mode
            table: Table = tomllib.load(file)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:  # TOMLDecodeError (which names the line, and quotes one character) or not UTF-8
        raise ConfigError(f"{path} is not valid TOML: {str(error).splitlines()[0]}.") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077 and _holds_token(table):
        raise ConfigError(
            f"{path} holds a token and others may read it: run `chmod 600 {path}`, or better, use token_command."
        )
    return table


def _holds_token(table: Table) -> bool:
    profiles = table.get(_PROFILES)
    inner = profiles.values() if isinstance(profiles, dict) else ()
    return "token" in table or any("token" in profile for profile in inner if isinstance(profile, dict))


def _check(path: Path, table: Table, known: Iterable[str], where: str = "") -> None:
    for key, value in table.items():
        if key not in _KINDS:
            raise ConfigError(f"{path}: {where}unknown setting {key!r}{nearest(key, known)}.")
        kinds, words = _KINDS[key]
        if not isinstance(value, kinds) or not _is_sound(key, value):
            raise ConfigError(f"{path}: {where}{key} must be {words}.")
    if "token" in table and "token_command" in table:
        raise ConfigError(f"{path}: {where}token and token_command exclude each other.")


def _is_sound(key: str, value: object) -> bool:
    """Whether a value of a right kind holds right things: texts in a list, numbers in their range."""
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    if key in _LARGEST:
        return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LARGEST[key]
    return True
