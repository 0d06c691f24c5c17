"""A certificate authority that nothing but the tests of one run trusts."""

import ssl
from pathlib import Path

import trustme

_AUTHORITY = trustme.CA()
_SERVER = _AUTHORITY.issue_cert("box.test", "127.0.0.1")


def authority_file(folder: Path) -> str:
    """The authority's certificate, written into `folder`."""
    path = folder / "ca.pem"
    _AUTHORITY.cert_pem.write_to_path(path)
    return str(path)


def server_context() -> ssl.SSLContext:
    """What a server for `box.test` and 127.0.0.1 shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _SERVER.configure_cert(context)
    return context
