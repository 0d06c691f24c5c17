"""The web server: the page, textual-serve's files, and a socket for each deck."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from aiohttp import web

from lmdeck.web.deck import Deck
from lmdeck.web.guard import Guard, harden
from lmdeck.web.page import KEYS, page

MOST_DECKS: Final = 8
"""Each is a process with polls of its own."""
_LONGEST_MESSAGE = 1 << 20


class WebServer:
    """Serves the deck that `arguments` start to the browser that `guard` lets in."""

    def __init__(self, arguments: Sequence[str], guard: Guard) -> None:
        self._arguments = arguments
        self._decks: set[Deck] = set()
        app = web.Application(middlewares=[guard.check])
        app.on_response_prepare.append(harden)
        app.router.add_get("/", self._page)
        app.router.add_get("/keys.js", self._keys)
        app.router.add_get("/ws", self._deck)
        app.router.add_static("/static", str(files("textual_serve") / "static"))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def open(self, host: str, port: int) -> int:
        """Serve at this address; answers the port, which the system chooses for 0. Raises OSError."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound: int = self._runner.addresses[0][1]
        return bound

    async def close(self) -> None:
        """End all decks, then serving."""
        await asyncio.gather(*(deck.end() for deck in self._decks))
        await self._runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=page(request.headers["Host"]), content_type="text/html")

    async def _keys(self, request: web.Request) -> web.Response:
        return web.Response(text=KEYS, content_type="text/javascript")

    async def _deck(self, request: web.Request) -> web.StreamResponse:
        if len(self._decks) >= MOST_DECKS:
            raise web.HTTPServiceUnavailable(text=f"503: {MOST_DECKS} decks are open; close one.\n")
        socket = web.WebSocketResponse(heartbeat=15, max_msg_size=_LONGEST_MESSAGE)
        deck = Deck(self._arguments, socket)
        self._decks.add(deck)
        try:
            await socket.prepare(request)
            await deck.serve(request.query.get("width", ""), request.query.get("height", ""))
        finally:
            self._decks.discard(deck)
        return socket
