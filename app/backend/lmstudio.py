"""LM Studio over HTTP: the native API v1, with the model list of v0 where v1 does not exist."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence

from lmdeck.backend import downloads, embeddings, native, v0
from lmdeck.backend.decode import fields
from lmdeck.backend.dialects.answer import AnswerReader, Clock
from lmdeck.backend.dialects.headers import from_environment
from lmdeck.backend.dialects.table import DIALECTS
from lmdeck.backend.errors import (
    BadReply,
    Forbidden,
    LoadFailed,
    NotFound,
    NotLMStudio,
    Refused,
    StreamCut,
    Unauthorized,
)
from lmdeck.backend.http import READ_S, Http, Transport, retrying
from lmdeck.backend.protocol import REPEATABLE, Secret
from lmdeck.backend.refusal import of_chat
from lmdeck.model.catalog import Model
from lmdeck.model.chat import ChatEvent, ChatRequest
from lmdeck.model.download import DownloadReport
from lmdeck.model.load import LoadRequest, LoadResult

GREETING = "/lmstudio-greeting"

_UNLOAD_S = _DOWNLOAD_S = 60.0
_FINE, _WRONG_METHOD = 200, 405
_UNKNOWN_THINGS = ("model_not_found", "job_not_found")
"""An endpoint that is there says so of what it does not know; one that is not there has no such words."""


class LMStudio:
    """One LM Studio server (implements `protocol.Backend`). Nothing is sent before the first call."""

    def __init__(
        self,
        url: str,
        token: Secret | None = None,
        transport: Transport | None = None,
        clock: Clock = time.perf_counter,
        ca_file: str | None = None,
    ) -> None:
        self._http = Http(url, token, transport, ca_file)
        self._clock = clock
        self._only_v0 = False

    @property
    def url(self) -> str:
        """The base URL, without a token."""
        return self._http.url

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token."""
        return self._http.has_token

    @property
    def round_trip_s(self) -> float:
        """What the last answered read took, in seconds, without the tries before it."""
        return self._http.round_trip_s

    async def greet(self) -> float:
        """The round trip of `GET /lmstudio-greeting` in seconds; NotLMStudio if the body is not its greeting."""
        return await retrying(self._greet)

    async def _greet(self) -> float:
        started = time.perf_counter()
        try:
            body = await self._http.get_once(GREETING)
        except (BadReply, NotFound) as error:
            raise NotLMStudio(error.problem.sentence) from None
        if fields(body).get("lmstudio") is not True:
            raise NotLMStudio("the greeting is not LM Studio's")
        return time.perf_counter() - started

    async def models(self) -> tuple[Model, ...]:
        """All downloaded models with their instances, from v1, or from v0 (then without sizes) once v1 has been
        found missing."""
        if not self._only_v0:
            try:
                return native.models(await self._http.get(native.MODELS))
            except NotFound:
                found = v0.models(await self._http.get(v0.MODELS))
                self._only_v0 = True
                return found
        return v0.models(await self._http.get(v0.MODELS))

    async def loaded_contexts(self) -> Mapping[str, int]:
        """`loaded_context_length` of `GET /api/v0/models` by instance id."""
        return v0.loaded_contexts(await self._http.get(v0.MODELS))

    async def load(self, request: LoadRequest) -> LoadResult:
        """`POST /api/v1/models/load`: answers when the model is in memory. Raises LoadFailed with the server's
        words; compare `config` and the model list with what was asked for."""
        try:
            return native.load_result(await self._http.post(native.LOAD, request.body()))
        except Refused as error:
            if type(error) is not Refused or (error.status or 0) < 500:
                raise
            raise LoadFailed(error.detail, status=error.status, kind=error.kind, code=error.code) from None

    async def unload(self, instance_id: str) -> None:
        """`POST /api/v1/models/unload` of one instance; NotFound if it is not loaded."""
        await self._http.post(native.UNLOAD, {"instance_id": instance_id}, _UNLOAD_S)

    async def download(self, model: str, quantization: str | None = None) -> DownloadReport:
        """`POST /api/v1/models/download`. Raises DownloadRefused with the server's words, NotFound where it has no such
        endpoint."""
        body = downloads.body(model, quantization)
        try:
            return downloads.begun(await self._http.post(downloads.DOWNLOAD, body, _DOWNLOAD_S))
        except Refused as error:
            if type(error) is Refused or error.kind in _UNKNOWN_THINGS:
                raise downloads.refused(error) from None
            raise

    async def download_status(self, job_id: str) -> DownloadReport:
        """`GET /api/v1/models/download/status/{job_id}`; NotFound if the server does not know the job. An error in an
        answer that is none is why the download failed."""
        try:
            return downloads.report(await self._http.get(downloads.status_path(job_id)), job_id)
        except Refused as error:
            if type(error) is Refused and error.status == _FINE:
                return DownloadReport("failed", job_id, words=error.detail)
            raise

    async def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Stream one answer through `request.endpoint`; ends after ChatEnded. Raises StreamCut if the stream ends
        before the answer does, NotSent if a header's variable is not set, and refusals as what they mean in a chat."""
        dialect = DIALECTS[request.endpoint]
        body = dialect.body(request, from_environment)
        answer = AnswerReader(dialect.decoder(), self._clock)
        try:
            async with self._http.stream(request.endpoint, body) as pieces:
                async for piece in pieces:
                    for event in answer.feed(piece):
                        yield event
                    if answer.ended:
                        return
        except Refused as error:
            raise of_chat(error) from None
        for event in answer.close():
            yield event
        if not answer.ended:
            raise StreamCut("the server ended the answer without its closing event")

    async def embed(self, model: str, inputs: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """`POST /v1/embeddings`: one vector for each input, in their order."""
        try:
            answer = await self._http.post(embeddings.EMBEDDINGS, {"model": model, "input": list(inputs)})
        except Refused as error:
            raise of_chat(error) from None
        return embeddings.vectors(answer, len(inputs))

    async def repeat(self, path: str, body: Mapping[str, object]) -> None:
        """POST it again; ValueError for a path that is not in `REPEATABLE`."""
        if path not in REPEATABLE:
            raise ValueError(f"{path} is no inference endpoint")
        await self._http.post(path, {**body, "stream": False})

    async def offers(self, path: str, wrong: Mapping[str, object] | None = None) -> bool:
        """Whether the server has this endpoint, asked by GET, or by a POST of `wrong`: a body that it must refuse.
        Raises BackendError where the answer does not tell."""
        try:
            if wrong is None:
                await self._http.get_once(path)
            else:
                await self._http.post(path, wrong, READ_S)
        except NotFound as error:
            return error.kind in _UNKNOWN_THINGS
        except (Unauthorized, Forbidden):
            raise
        except Refused as error:
            return error.status != _WRONG_METHOD
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()
