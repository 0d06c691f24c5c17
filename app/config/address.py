"""The address of a server, as typed by a person."""

from urllib.parse import urlsplit

from lmdeck.config.errors import ConfigError

DEFAULT_URL = "http://127.0.0.1:1234"

# What other programs want in their settings; ours is what stands before it.
_API_PATHS = ("/v1", "/api/v1", "/api/v0")


def normal_url(typed: str) -> str:
    """`typed` with a scheme, without a closing slash or an API path: `localhost:1234/v1` → `http://localhost:1234`."""
    address = typed.strip()
    if "://" not in address:
        address = f"http://{address}"
    if "@" in address:  # checked first: the other messages quote the address
        raise ConfigError("The address holds a user name or password: put a token into LM_API_TOKEN instead.")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"The address {typed!r} is not a URL such as {DEFAULT_URL}.") from None
    if parts.scheme not in ("http", "https") or not host or host.startswith("-") or port == 0:
        raise ConfigError(f"The address {typed!r} is not a URL such as {DEFAULT_URL}.")
    if parts.query or parts.fragment or not address.isprintable() or " " in address:
        raise ConfigError(f"The address {typed!r} holds more than a server's address, such as {DEFAULT_URL}.")
    path = parts.path.rstrip("/")
    for api in sorted(_API_PATHS, key=len, reverse=True):
        path = path.removesuffix(api)
    return f"{parts.scheme}://{parts.netloc}{path}"
