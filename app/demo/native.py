"""LM Studio's native v1 endpoints for models: list, load, unload, download."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lmdeck.demo import fields
from lmdeck.demo.catalog import CatalogModel, v1_record
from lmdeck.demo.engines.base import LoadOptions
from lmdeck.demo.errors import ApiError
from lmdeck.demo.fields import Json
from lmdeck.demo.hub import Hub
from lmdeck.demo.instance import config_record
from lmdeck.demo.web import read_body


def load_options(hub: Hub, model: CatalogModel, body: Json) -> LoadOptions:
    """The parameters of a load request over the model's defaults. Raises FieldError."""
    usual = hub.defaults(model)
    flash = fields.flag(body, "flash_attention")
    offload = fields.flag(body, "offload_kv_cache_to_gpu")
    return replace(
        usual,
        context_length=fields.integer(body, "context_length") or usual.context_length,
        eval_batch_size=fields.integer(body, "eval_batch_size") or usual.eval_batch_size,
        num_experts=fields.integer(body, "num_experts"),
        flash_attention=usual.flash_attention if flash is None else flash,
        offload_kv_cache_to_gpu=usual.offload_kv_cache_to_gpu if offload is None else offload,
    )


@dataclass(slots=True)
class DownloadJob:
    """One simulated download: it fetches nothing, and is full after `seconds`."""

    id: str = field(default_factory=lambda: f"job_{secrets.token_hex(12)}")
    total_bytes: int = 400_000_000
    seconds: float = 4.0
    started: float = field(default_factory=time.time)

    def record(self, *, details: bool) -> Json:
        """The job as the download (or, with `details`, the status) endpoint tells it."""
        share = min(1.0, (time.time() - self.started) / self.seconds)
        record: Json = {
            "job_id": self.id,
            "status": "completed" if share == 1.0 else "downloading",
            "total_size_bytes": self.total_bytes,
            "started_at": _iso(self.started),
        }
        if share == 1.0:
            record["completed_at"] = _iso(self.started + self.seconds)
        if details:
            record["downloaded_bytes"] = int(self.total_bytes * share)
            if share < 1.0:
                record["bytes_per_second"] = int(self.total_bytes / self.seconds)
                record["estimated_completion"] = _iso(self.started + self.seconds)
        return record


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class NativeModels:
    """`/api/v1/models…`. `downloads`: whether simulated downloads are offered (the scripted engine only; the real
    one has no place to download from and says so)."""

    def __init__(self, hub: Hub, *, downloads: bool) -> None:
        self._hub, self._downloads = hub, downloads
        self._jobs: dict[str, DownloadJob] = {}

    def routes(self) -> list[Route]:
        """The endpoints."""
        base = "/api/v1/models"
        return [
            Route(base, self.list, methods=["GET"]),
            Route(f"{base}/load", self.load, methods=["POST"]),
            Route(f"{base}/unload", self.unload, methods=["POST"]),
            Route(f"{base}/download", self.download, methods=["POST"]),
            Route(f"{base}/download/status/{{job_id}}", self.download_status, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """All models on disk, with their instances."""
        models = self._hub.models.values()
        records = [v1_record(model, [each.v1() for each in self._hub.copies(model.key)]) for model in models]
        return JSONResponse({"models": records})

    async def load(self, request: Request) -> Response:
        """Load and answer when it is in memory; the load goes on if the client leaves."""
        body = await read_body(request, self._hub.log)
        model = self._hub.model(fields.required(body, "model"))
        options = load_options(self._hub, model, body)
        ttl = fields.integer(body, "ttl")
        job = self._hub.load(model, options, ttl_s=ttl)
        instance = await job.done()
        answer: Json = {
            "type": model.type,
            "instance_id": instance.id,
            "load_time_seconds": round(job.seconds, 3),
            "status": "loaded",
        }
        if fields.flag(body, "echo_load_config"):
            answer["load_config"] = config_record(model, instance.reported)
        return JSONResponse(answer)

    async def unload(self, request: Request) -> Response:
        """Unload one instance."""
        body = await read_body(request, self._hub.log)
        instance_id = fields.required(body, "instance_id")
        await self._hub.unload(instance_id)
        return JSONResponse({"instance_id": instance_id})

    async def download(self, request: Request) -> Response:
        """Start a simulated download, or say that the model is there."""
        body = await read_body(request, self._hub.log)
        name = fields.required(body, "model")
        if name in self._hub.models:
            return JSONResponse({"status": "already_downloaded"})
        if not self._downloads:
            raise ApiError(501, "not_implemented", "This server cannot download models; start it with --model FILE.")
        job = DownloadJob()
        self._jobs[job.id] = job
        return JSONResponse(job.record(details=False))

    async def download_status(self, request: Request) -> Response:
        """How far a download is."""
        job = self._jobs.get(request.path_params["job_id"])
        if job is None:
            raise ApiError(404, "job_not_found", f"Download job {request.path_params['job_id']} not found")
        return JSONResponse(job.record(details=True))
