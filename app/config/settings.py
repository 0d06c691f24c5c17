"""Settings from flags, the environment and the configuration file, in this order; read once, in `cli`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lmdeck.config.address import DEFAULT_URL, normal_url
from lmdeck.config.configfile import ConfigFile, read_file
from lmdeck.config.errors import ConfigError
from lmdeck.config.intervals import USUAL, Intervals
from lmdeck.config.lines import Place
from lmdeck.config.paths import config_file, data_dir
from lmdeck.config.schema import KEYS, MCP, PRESETS, PROFILES, SERVERS
from lmdeck.config.servers import ServerProfile, TokenSource, read_token, server_profile, token_source
from lmdeck.config.token import Token

if TYPE_CHECKING:
    from lmdeck.model.chat import Tools
    from lmdeck.model.conversation import ChatPreset

__all__ = ["Flags", "Origin", "Settings", "load_settings", "read_token"]

LOG_DAYS, LOG_MEGABYTES = 90, 200

Flags = Mapping[str, str | bool | None]
Origin = str | Place
"""Where a value comes from: a flag or a variable by its name, or its place in the file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants, checked."""

    url: str = DEFAULT_URL
    """The server's base URL: scheme, host, port, perhaps a path; no closing slash."""
    token: Token | None = None
    """The token where it is known at once; `read_token` also asks `token_command`."""
    token_command: tuple[str, ...] | None = None
    """A program and its arguments that print the token; None when `token` is known."""
    token_source: str | None = None
    """Where the token comes from, in words: `LM_API_TOKEN`, another variable, `config file`, `token_command` …"""
    ca_file: str | None = None
    """A file with the certificates of a private authority, as the user wrote it."""
    lms: str | None = None
    """The `lms` to use; None to look for it."""
    models_folder: str | None = None
    """LM Studio's models folder as the user wrote it; None to look where LM Studio keeps it (`models_folder.py`)."""
    gpu_url: str | None = None
    """The metrics page that tells the GPUs of the server's machine; None for this machine's driver."""
    theme: str | None = None
    read_only: bool = False
    """Nothing that changes the server is offered."""
    gpu: bool = True
    """Whether GPUs are asked at all."""
    config: Path | None = None
    """The configuration file that was looked for, whether it exists or not."""
    profile: str | None = None
    history: Path | None = None
    """The file of what outlives a session; None to keep nothing."""
    log_text: bool = False
    """Whether prompts and answers are kept in the history, too, and not only their statistics."""
    log_days: int = LOG_DAYS
    """How long exchanges are kept."""
    log_megabytes: int = LOG_MEGABYTES
    """How large the history may become, in 10⁶ bytes; then the oldest exchanges and conversations go."""
    intervals: Intervals = USUAL
    tools: "tuple[Tools, ...]" = ()
    """Plugins and MCP servers that the chat may use, each under a label of its own."""
    presets: "tuple[ChatPreset, ...]" = ()
    """Parameters and system prompts of the file, under the user's names."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding ids and the keys (comma-separated) that the user gave them; whether these exist is not checked here."""
    servers: tuple[ServerProfile, ...] = ()
    """Every server that the file names, in its order."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where the settings come from, by their names in the file; what is not in it has its default."""


def load_settings(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Settings by precedence: flags, environment, file, default. Raises ConfigError.

    Flags: `url`, `lms`, `models` (a folder), `theme`, `config`, `profile` (texts), `read_only` (only True counts) and
    `gpu` (only False counts); None or absent means not given, others are ignored. Environment: LMDECK_URL,
    LM_API_TOKEN, LMDECK_LMS, LMDECK_CONFIG, LMDECK_DATA; an empty variable counts as absent.
    """
    profile = _flag(flags, "profile")
    file = read_file(config_path(flags, environ))
    layers = _Layers(flags, environ, file, file.chosen(profile))
    token = layers.token()
    return Settings(
        url=normal_url(layers.text("url", variable="LMDECK_URL") or DEFAULT_URL),
        token=token.token,
        token_command=token.command,
        token_source=token.name,
        ca_file=layers.text("ca_file"),
        lms=layers.text("lms", variable="LMDECK_LMS"),
        models_folder=layers.text("models_folder", flag="models"),
        gpu_url=layers.text("gpu_url"),
        theme=layers.text("theme"),
        read_only=layers.switch("read_only", False),
        gpu=layers.switch("gpu", True),
        config=file.path,
        profile=profile,
        history=data_dir(environ) / "history.db",
        log_text=layers.value("log_text") is True,
        log_days=int(layers.number("log_days", LOG_DAYS)),
        log_megabytes=int(layers.number("log_megabytes", LOG_MEGABYTES)),
        intervals=Intervals(
            layers.number("poll_seconds", USUAL.models),
            layers.number("lms_seconds", USUAL.activity),
            layers.number("gpu_seconds", USUAL.machine),
        ),
        tools=_tools(file, layers.value("plugins")),
        presets=_presets(file),
        keys=_keys(file),
        servers=_servers(file, environ),
        origins=layers.origins,
    )


def config_path(flags: Flags, environ: Mapping[str, str]) -> Path:
    """The file to read; one that the user named must exist, else it is a ConfigError."""
    named = _flag(flags, "config")
    path = Path(named).expanduser() if named else config_file(environ)
    if (named or environ.get("LMDECK_CONFIG")) and not path.is_file():
        raise ConfigError(f"The configuration file {path} does not exist.")
    return path


class _Layers:
    """Looks a setting up in one layer after the other, and notes in `origins` where it was found."""

    def __init__(self, flags: Flags, environ: Mapping[str, str], file: ConfigFile, chosen: Mapping[str, Place]) -> None:
        self._flags, self._environ = flags, environ
        self._values = {name: file.value(place) for name, place in chosen.items()}
        self.origins: dict[str, Origin] = dict(chosen)

    def value(self, name: str) -> object:
        """As the file has it."""
        return self._values.get(name)

    def text(self, name: str, *, flag: str | None = None, variable: str = "") -> str | None:
        """A text; an empty one counts as absent."""
        flag = flag or name
        if given := _flag(self._flags, flag):
            self.origins[name] = f"--{flag}"
            return given
        if given := self._environ.get(variable):
            self.origins[name] = variable
            return given
        found = self._values.get(name)
        return found if isinstance(found, str) and found else None

    def switch(self, name: str, default: bool) -> bool:
        """A flag and the file can only turn it away from `default`."""
        if self._flags.get(name) is (not default):
            self.origins[name] = f"--no-{name}" if default else f"--{name.replace('_', '-')}"
            return not default
        return default if self._values.get(name) is not (not default) else not default

    def number(self, name: str, default: float) -> float:
        """A number, whose bounds were checked with the file."""
        found = self._values.get(name)
        return found if isinstance(found, int | float) else default

    def token(self) -> TokenSource:
        """LM_API_TOKEN, but the variable that `token_env` names in its place, then what the file says."""
        variable = self._values.get("token_env")
        if variable is None and (given := self._environ.get("LM_API_TOKEN", "").strip()):
            self.origins["token"] = "LM_API_TOKEN"
            return TokenSource(Token(given), name="LM_API_TOKEN")
        found = token_source(self._values, self._environ)
        if variable is not None and found.token is None:
            raise ConfigError(f"The variable {variable}, which token_env names, is not set.")
        return found


# Most files have none of these, and `lmdeck --version` reads no module for them.


def _tools(file: ConfigFile, plugins: object) -> "tuple[Tools, ...]":
    servers = file.table.get(MCP, {})
    if not plugins and not servers:
        return ()
    from lmdeck.config.tools import tools

    return tools(file.path, plugins or [], servers)


def _presets(file: ConfigFile) -> "tuple[ChatPreset, ...]":
    if PRESETS not in file.table:
        return ()
    from lmdeck.config.chatting import presets

    return presets(file.table[PRESETS])


def _keys(file: ConfigFile) -> dict[str, str]:
    if KEYS not in file.table:
        return {}
    from lmdeck.config.chatting import keymap

    return keymap(file.table[KEYS])


def _servers(file: ConfigFile, environ: Mapping[str, str]) -> tuple[ServerProfile, ...]:
    named = {**file.tables(SERVERS), **{name: t for name, t in file.tables(PROFILES).items() if "url" in t}}
    return tuple(
        server_profile(name, {key: file.value(place) for key, place in file.chosen(name).items()}, environ)
        for name in named
    )


def _flag(flags: Flags, name: str) -> str | None:
    value = flags.get(name)
    return value if isinstance(value, str) and value else None
