"""Every setting of the configuration file: what it holds, where it may stand, and the words for `config init`."""

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lmdeck.config.address import normal_url
from lmdeck.config.errors import ConfigError
from lmdeck.config.token import Token

SERVERS, PROFILES, PRESETS, KEYS, MCP = "servers", "profiles", "presets", "keys", "mcp"
TABLES: Final = (SERVERS, PROFILES, PRESETS, KEYS, MCP)
"""Tables of the file that are no settings by themselves."""

SECRETS: Final = ("token", "token_command", "token_env", "token_keyring")
"""Where a token comes from; they exclude each other, and belong to one server."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `low` and `high` bound a number, both included; `sound` raises ConfigError for a value that makes
    no sense; `of_server`: it describes a server and may stand in `[servers.NAME]`."""

    kinds: tuple[type, ...]
    example: str
    help: str
    low: float = 0
    high: float = 0
    of_server: bool = False
    sound: Callable[[str], object] | None = None

    @property
    def words(self) -> str:
        """What it must be."""
        if self.high:
            kind = "a whole number" if self.kinds == (int,) else "a number"
            return f"{kind} from {self.low:g} to {self.high:.15g}"
        return " or ".join(_KIND_WORDS[kind] for kind in self.kinds)

    def objection(self, value: object) -> str | None:
        """Why a value does not do, as it goes on behind the setting's name; None if it does."""
        right = isinstance(value, self.kinds) and (isinstance(value, bool) is (bool in self.kinds))
        if isinstance(value, list):
            right = right and all(isinstance(item, str) for item in value)
        elif self.high and right and isinstance(value, int | float):
            right = self.low <= value <= self.high
        if not right:
            return f" must be {self.words}."
        if self.sound is not None and isinstance(value, str):
            try:
                self.sound(value)
            except ConfigError as error:
                return f": {error}"
        return None


_KIND_WORDS: Final[Mapping[type, str]] = {str: "text", list: "a list of texts", bool: "true or false"}


def split_command(value: object) -> tuple[str, ...]:
    """A program and its arguments. A text is split like a shell would, but without its power; on Windows a
    backslash is part of a path. Raises ConfigError."""
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if not isinstance(value, str):
        return ()
    splitter = shlex.shlex(value, posix=True, punctuation_chars=False)
    splitter.whitespace_split, splitter.commenters = True, ""
    if os.name == "nt":
        splitter.escape = ""
    try:
        return tuple(splitter)
    except ValueError:
        raise ConfigError("token_command has an opening quote without a closing one.") from None


def split_keyring(value: str) -> tuple[str, str]:
    """The service and the user of `SERVICE/USER`; raises ConfigError."""
    service, _, user = value.rpartition("/")
    if not service.strip() or not user.strip() or service.startswith("-") or user.startswith("-"):
        raise ConfigError('token_keyring is written as "SERVICE/USER", as for `keyring set SERVICE USER`.')
    return service, user


def _variable(value: str) -> None:
    if not value.isidentifier():
        raise ConfigError("token_env is the name of an environment variable, never the token itself.")


_TEXT, _SWITCH, _WHOLE, _NUMBER = (str,), (bool,), (int,), (int, float)

SETTINGS: Final[Mapping[str, Key]] = {
    "url": Key(
        _TEXT,
        '"http://127.0.0.1:1234"',
        "The server; a path in front of the API may follow the host.",
        of_server=True,
        sound=normal_url,
    ),
    "token_env": Key(
        _TEXT,
        '"GPUBOX_TOKEN"',
        "The environment variable that holds the token (else LM_API_TOKEN).",
        of_server=True,
        sound=_variable,
    ),
    "token_command": Key(
        (str, list),
        '["pass", "show", "lmstudio"]',
        "A program, run without a shell, whose first output line is the token.",
        of_server=True,
        sound=split_command,
    ),
    "token_keyring": Key(
        _TEXT,
        '"lmdeck/gpubox"',
        "SERVICE/USER in the system's keyring (needs the `keyring` package: keyring set lmdeck gpubox).",
        of_server=True,
        sound=split_keyring,
    ),
    "token": Key(
        _TEXT,
        '"…"',
        "The token itself: only in a private file (chmod 600); any of the above is better.",
        of_server=True,
        sound=Token,
    ),
    "ca_file": Key(
        _TEXT, '"~/ca.pem"', "Certificates (PEM) of a private authority, trusted besides the system's.", of_server=True
    ),
    "lms": Key(_TEXT, '"~/.lmstudio/bin/lms"', "LM Studio's command line; looked for when not given.", of_server=True),
    "models_folder": Key(
        _TEXT, '"/data/models"', "LM Studio's models; its own settings tell it when not given.", of_server=True
    ),
    "gpu": Key(_SWITCH, "true", "Whether the GPU driver of this machine is asked.", of_server=True),
    "gpu_url": Key(
        _TEXT,
        '"http://gpubox:9400/metrics"',
        "The GPUs of another machine: its dcgm-exporter or nvidia_gpu_exporter.",
        of_server=True,
        sound=normal_url,
    ),
    "theme": Key(_TEXT, '"lmdeck-dark"', "lmdeck-dark, lmdeck-light, or any theme of Textual's."),
    "read_only": Key(_SWITCH, "false", "Change nothing on the server."),
    "poll_seconds": Key(
        _NUMBER, "2", "How often the models are asked for while things change; less often at rest.", 0.5, 3600
    ),
    "lms_seconds": Key(
        _NUMBER, "10", "How often `lms ps` runs, for queues and idle times; less often at rest.", 1, 3600
    ),
    "gpu_seconds": Key(_NUMBER, "1", "How often GPU and RAM are read.", 0.5, 3600),
    "log_text": Key(_SWITCH, "false", "Keep prompts and answers in the history, too."),
    "log_days": Key(_WHOLE, "90", "How long finished requests are kept.", 1, 3650),
    "log_megabytes": Key(_WHOLE, "200", "How large the history may become.", 1, 100_000),
    "plugins": Key((list,), '["mcp/playwright"]', "LM Studio's plugins that a chat may use."),
}
