"""Servers of the configuration file, and where the token of each comes from."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from lmdeck.config.address import DEFAULT_URL, normal_url
from lmdeck.config.errors import ConfigError
from lmdeck.config.schema import split_command, split_keyring
from lmdeck.config.token import Token


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a token comes from: `token` where it is known at once, else a `command` that prints it, or neither."""

    token: Token | None = None
    command: tuple[str, ...] | None = None
    name: str | None = None
    """In words: `LM_API_TOKEN`, another variable, `config file`, `token_command`, `token_keyring`."""


class HasToken(Protocol):
    """What a token is read for: `Settings` or a `ServerProfile`."""

    @property
    def token(self) -> Token | None: ...
    @property
    def token_command(self) -> tuple[str, ...] | None: ...
    @property
    def token_source(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """A server that the file names, by `[servers.NAME]` or a profile with an address of its own. What it does not say
    holds as at the top, but for the token."""

    name: str
    url: str = DEFAULT_URL
    token: Token | None = None
    token_command: tuple[str, ...] | None = None
    token_source: str | None = None
    ca_file: str | None = None
    lms: str | None = None
    models_folder: str | None = None
    gpu: bool = True
    gpu_url: str | None = None


def server_profile(name: str, table: Mapping[str, object], environ: Mapping[str, str]) -> ServerProfile:
    """The server that a checked table describes. A variable that is not set is no error: a server that is not
    asked for needs no token."""
    source = token_source(table, environ)

    def text(key: str) -> str | None:
        value = table.get(key)
        return value if isinstance(value, str) and value else None

    return ServerProfile(
        name,
        url=normal_url(text("url") or DEFAULT_URL),
        token=source.token,
        token_command=source.command,
        token_source=source.name,
        ca_file=text("ca_file"),
        lms=text("lms"),
        models_folder=text("models_folder"),
        gpu=table.get("gpu") is not False,
        gpu_url=text("gpu_url"),
    )


def token_source(table: Mapping[str, object], environ: Mapping[str, str]) -> TokenSource:
    """What the settings of one server say about its token."""
    if isinstance(variable := table.get("token_env"), str):
        value = environ.get(variable, "").strip()
        return TokenSource(Token(value) if value else None, name=variable)
    if isinstance(token := table.get("token"), str) and token:
        return TokenSource(Token(token), name="config file")
    if isinstance(entry := table.get("token_keyring"), str):
        service, user = split_keyring(entry)
        return TokenSource(command=(*_keyring(), "get", service, user), name="token_keyring")
    if command := split_command(table.get("token_command")):
        return TokenSource(command=command, name="token_command")
    return TokenSource()


def _keyring() -> tuple[str, ...]:
    """The keyring's command line: beside this Python, or anywhere on PATH. A process of its own can be given up
    when it waits for somebody who unlocks it."""
    import shutil  # brings compression, and most have no keyring
    from importlib.util import find_spec

    if find_spec("keyring") is not None:
        return (sys.executable, "-m", "keyring")
    return (shutil.which("keyring") or "keyring",)


async def read_token(settings: HasToken) -> Token | None:
    """The token, asking its program if there is one (10 s at most); None without either. Raises ConfigError,
    which never holds what the program printed."""
    if settings.token_command is None:
        return settings.token
    from lmdeck.config.tokencommand import ask

    source = settings.token_source or "token_command"
    try:
        return await ask(settings.token_command, source)
    except ConfigError as error:
        if source != "token_keyring":
            raise
        service, user = settings.token_command[-2:]
        raise ConfigError(
            f"{error} It needs the `keyring` package and an entry: `pipx inject lmdeck keyring`, then "
            f"`keyring set {service} {user}`."
        ) from None
