"""The server's web application: routes, errors and guards put together."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lmdeck.demo.engines.base import EngineError
from lmdeck.demo.errors import ApiError
from lmdeck.demo.faults import Faults
from lmdeck.demo.fields import FieldError
from lmdeck.demo.guard import GREETING, FaultGuard, TokenGuard
from lmdeck.demo.logs import LogHub
from lmdeck.demo.web import error_response


async def greeting(request: Request) -> Response:
    """`GET /lmstudio-greeting`."""
    return JSONResponse({"lmstudio": True})


def build(routes: Iterable[BaseRoute], token: str, faults: Faults, log: LogHub) -> Starlette:
    """The application. No `token`, no authentication."""

    async def unknown(request: Request, error: Exception) -> Response:
        """LM Studio answers 200 to what it does not know, but a real 404 below `/api/v1`."""
        path = request.url.path
        words = f"Unexpected endpoint or method. ({request.method} {path})"
        found = path.startswith("/api/v1/")
        log.server(words if found else f"{words}. Returning 200 anyway", level="ERROR")
        return JSONResponse({"error": words}, 404 if found else 200)

    async def failed(request: Request, error: Exception) -> Response:
        response = error_response(request, error)
        log.server(str(error), level="ERROR")
        return response

    async def left(request: Request, error: Exception) -> Response:
        return Response(status_code=499)

    return Starlette(
        routes=[Route(GREETING, greeting, methods=["GET"]), *routes],
        middleware=[Middleware(FaultGuard, faults), Middleware(TokenGuard, token, faults, log)],
        exception_handlers={
            HTTPException: unknown,
            ApiError: failed,
            FieldError: failed,
            EngineError: failed,
            ClientDisconnect: left,
        },
    )
