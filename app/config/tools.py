"""Sources of tools for the chat: `plugins = […]` and the `[mcp.NAME]` tables of the configuration file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lmdeck.config.errors import ConfigError, nearest
from lmdeck.model.chat import Tools

_KEYS: Final = ("url", "headers", "allowed_tools")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def tools(path: Path, plugins: object, servers: object) -> tuple[Tools, ...]:
    """Plugins by their ids, then MCP servers by their names; `path` is the file, for the words of a ConfigError, which
    never quotes a header's value."""
    ids = tuple(dict.fromkeys(plugins)) if isinstance(plugins, list) else ()
    if not all(isinstance(each, str) and each.strip() for each in ids):
        raise ConfigError(f"{path}: plugins holds an empty id.")
    if not isinstance(servers, Mapping) or not all(isinstance(table, Mapping) for table in servers.values()):
        raise ConfigError(f"{path}: MCP servers are written as tables: [mcp.NAME].")
    for name in servers:
        if name in ids:
            raise ConfigError(f"{path}: {name!r} is a plugin and an MCP server: give the server another name.")
    return (
        *(Tools(id, plugin_id=id) for id in ids),
        *(_server(f"{path}: [mcp.{name}]", name, table) for name, table in servers.items()),
    )


def _server(where: str, name: str, table: Mapping[str, object]) -> Tools:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where} the name must be letters, digits, dots, dashes or underscores.")
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"{where} unknown setting {key!r}{nearest(key, _KEYS)}.")
    allowed = table.get("allowed_tools", [])
    if not isinstance(allowed, list) or not all(isinstance(each, str) and each for each in allowed):
        raise ConfigError(f"{where} allowed_tools must be a list of texts.")
    return Tools(
        name,
        server_url=_url(where, table.get("url")),
        allowed_tools=tuple(allowed),
        headers=_headers(where, table.get("headers", {})),
    )


def _url(where: str, url: object) -> str:
    if not isinstance(url, str):
        raise ConfigError(f"{where} url must be text." if url is not None else f"{where} url is missing.")
    try:
        parts = urlsplit(url)
        host, secret, _ = parts.hostname, parts.username is not None or parts.password is not None, parts.port
    except ValueError:
        host, secret = None, "@" in url
    if secret:
        raise ConfigError(f"{where} url holds a user name or password: send a header instead.")
    if not host or parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise ConfigError(f"{where} url must be an address such as http://127.0.0.1:3000/mcp.")
    return url


def _headers(where: str, headers: object) -> dict[str, str]:
    """Header names and the variables that hold their values."""
    if not isinstance(headers, Mapping):
        raise ConfigError(f'{where} headers must be a table such as {{ Authorization = "MY_VARIABLE" }}.')
    found = dict[str, str]()
    for name, variable in headers.items():
        if not _HEADER.fullmatch(name):
            raise ConfigError(f"{where} headers: {name!r} is no name of a header.")
        if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
            raise ConfigError(f"{where} headers: {name} must name an environment variable that holds the value.")
        found[name] = variable
    return found
