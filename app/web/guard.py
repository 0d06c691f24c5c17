"""Who may use the deck in a browser: one browser, that brought the token, under a name that the server knows."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_NO_SESSION: Final = (
    "401: this browser has no session. Open the address that `lmdeck web` printed; it works once, so start it again "
    "for another browser. If you came here by a link, reload the page.\n"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Guard:
    """The token of the address, the session that it is exchanged for, and the names of the server.

    `host` is where it listens, `names` are further names that browsers may call it by. A port says nothing: a tunnel
    has another one.
    """

    def __init__(self, host: str, names: Iterable[str] = ()) -> None:
        self.token = secrets.token_urlsafe(32)
        """Worth a session, once."""
        self._used = False
        self._session = secrets.token_urlsafe(32)
        # Browsers send cookies to every port of a host: two servers must not take each other's place.
        self._cookie = f"lmdeck-{secrets.token_hex(4)}"
        self._names = {name.lower() for name in (*_LOOPBACK, host, *names)}
        self._everywhere = _is_unspecified(host)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer by the handler what comes from the browser that has the session; 401, 403 and 405 for all else."""
        if request.method != "GET":
            raise web.HTTPMethodNotAllowed(request.method, ("GET",))
        self._check_names(request)
        known = compare_digest(_bytes(request.cookies.get(self._cookie, "")), _bytes(self._session))
        if request.path == "/" and (token := request.query.get("token")) is not None:
            if known:
                raise web.HTTPSeeOther("/")
            return self._exchange(token)
        if not known:
            raise web.HTTPUnauthorized(text=_NO_SESSION)
        return await handler(request)

    def _check_names(self, request: web.Request) -> None:
        """What names another server was led here by a foreign page: by its name service, or by a script."""
        host = request.headers.get("Host", "")
        if not self._is_ours(host):
            raise web.HTTPForbidden(text="403: this server has another name; `lmdeck web --host NAME` permits one.\n")
        origin = request.headers.get("Origin")
        if origin is None and not request.headers.get("Upgrade"):
            return
        if origin is None or origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            raise web.HTTPForbidden(text="403: another page may not ask this.\n")

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or (self._everywhere and _is_address(name))

    def _exchange(self, token: str) -> web.Response:
        if self._used or not compare_digest(_bytes(token), _bytes(self.token)):
            raise web.HTTPUnauthorized(text=_NO_SESSION)
        self._used = True
        response = web.Response(status=303, headers={"Location": "/"})
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict")
        return response


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing is kept, framed or fetched from elsewhere: headers of every answer."""
    response.headers.update(_HEADERS)


def _is_address(name: str) -> bool:
    """Whether it is no name: what name service answers cannot lead here."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    return _is_address(host) and ip_address(host).is_unspecified


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")
