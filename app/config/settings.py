"""Settings from flags, the environment and the configuration file, in this order; read once, in `cli`."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lmdeck.config.address import DEFAULT_URL, normal_url
from lmdeck.config.configfile import Table, read_file
from lmdeck.config.errors import ConfigError
from lmdeck.config.paths import config_file, data_dir
from lmdeck.config.token import Token

if TYPE_CHECKING:
    from lmdeck.model.chat import Tools

LOG_DAYS, LOG_MEGABYTES = 90, 200

Flags = Mapping[str, str | bool | None]


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
    """Where the token comes from, in words: `LM_API_TOKEN`, `config file` or `token_command`."""
    lms: str | None = None
    """The `lms` to use; None to look for it."""
    models_folder: str | None = None
    """LM Studio's models folder as the user wrote it; None to look where LM Studio keeps it (`models_folder.py`)."""
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
    tools: "tuple[Tools, ...]" = ()
    """Plugins and MCP servers that the chat may use, each under a label of its own."""


def load_settings(flags: Flags, environ: Mapping[str, str]) -> Settings:
    """Settings by precedence: flags, environment, file, default. Raises ConfigError.

    Flags: `url`, `lms`, `models` (a folder), `theme`, `config`, `profile` (texts), `read_only` (only True counts) and
    `gpu` (only False counts); None or absent means not given, others are ignored. Environment: LMDECK_URL,
    LM_API_TOKEN, LMDECK_LMS, LMDECK_CONFIG, LMDECK_DATA; an empty variable counts as absent.
    """
    path, profile = _config_path(flags, environ), _flag(flags, "profile")
    file = read_file(path, profile)
    token, command, source = _token(environ, file)
    return Settings(
        url=normal_url(_flag(flags, "url") or environ.get("LMDECK_URL") or _text(file, "url") or DEFAULT_URL),
        token=token,
        token_command=command,
        token_source=source,
        lms=_flag(flags, "lms") or environ.get("LMDECK_LMS") or _text(file, "lms"),
        models_folder=_flag(flags, "models") or _text(file, "models_folder"),
        theme=_flag(flags, "theme") or _text(file, "theme"),
        read_only=flags.get("read_only") is True or file.get("read_only") is True,
        gpu=flags.get("gpu") is not False and file.get("gpu") is not False,
        config=path,
        profile=profile,
        history=data_dir(environ) / "history.db",
        log_text=file.get("log_text") is True,
        log_days=_whole(file, "log_days", LOG_DAYS),
        log_megabytes=_whole(file, "log_megabytes", LOG_MEGABYTES),
        tools=_tools(path, file),
    )


async def read_token(settings: Settings) -> Token | None:
    """The token, asking `token_command` if there is one (10 s at most); None without either. Raises ConfigError,
    which never holds what the command printed."""
    if settings.token_command is None:
        return settings.token
    from lmdeck.config.tokencommand import ask

    return await ask(settings.token_command)


def _config_path(flags: Flags, environ: Mapping[str, str]) -> Path:
    """The file to read; one that the user named must exist."""
    named = _flag(flags, "config")
    path = Path(named).expanduser() if named else config_file(environ)
    if (named or environ.get("LMDECK_CONFIG")) and not path.is_file():
        raise ConfigError(f"The configuration file {path} does not exist.")
    return path


def _token(environ: Mapping[str, str], file: Table) -> tuple[Token | None, tuple[str, ...] | None, str | None]:
    if from_environment := environ.get("LM_API_TOKEN", "").strip():
        return Token(from_environment), None, "LM_API_TOKEN"
    if from_file := _text(file, "token"):
        return Token(from_file), None, "config file"
    if command := _command(file.get("token_command")):
        return None, command, "token_command"
    return None, None, None


def _command(value: object) -> tuple[str, ...]:
    """A program and its arguments. A text is split like a shell would, but without its power; on Windows a
    backslash is part of a path."""
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


def _tools(path: Path, file: Table) -> "tuple[Tools, ...]":
    plugins, servers = file.get("plugins", []), file.get("mcp", {})
    if plugins == [] and servers == {}:
        return ()
    from lmdeck.config.tools import tools  # most have none, and `lmdeck --version` reads no module for it

    return tools(path, plugins, servers)


def _flag(flags: Flags, name: str) -> str | None:
    value = flags.get(name)
    return value if isinstance(value, str) and value else None


def _text(table: Table, name: str) -> str | None:
    value = table.get(name)
    return value if isinstance(value, str) and value else None


def _whole(table: Table, name: str, default: int) -> int:
    value = table.get(name)
    return value if isinstance(value, int) else default
