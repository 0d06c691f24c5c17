"""The older `/api/v0` list of models."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo.catalog import v0_record
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub


class V0Models:
    """`/api/v0/models`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/api/v0/models", self.list, methods=["GET"]),
            Route("/api/v0/models/{name:path}", self.one, methods=["GET"]),
        ]

    def _records(self) -> list[Json]:
        """One record per model that is not loaded, one per instance otherwise, as LM Studio lists them."""
        records = []
        for model in self._hub.models.values():
            copies = self._hub.copies(model.key)
            records += [v0_record(model, each.runner.reported_context, id=each.id) for each in copies]
            if not copies:
                records.append(v0_record(model, None))
        return records

    async def list(self, request: Request) -> Response:
        """All models with their state."""
        return JSONResponse({"object": "list", "data": self._records()})

    async def one(self, request: Request) -> Response:
        """One model by its id."""
        name = request.path_params["name"]
        instance = self._hub.find(name)
        if instance is not None:
            return JSONResponse(v0_record(instance.model, instance.runner.reported_context, id=instance.id))
        return JSONResponse(v0_record(self._hub.model(name), None))
