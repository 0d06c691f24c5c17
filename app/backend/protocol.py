"""The seam: what the deck asks of a server. LM Studio's HTTP API is one implementation."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from lmdeck.model.catalog import Activity, Model, ModelFile
from lmdeck.model.chat import ChatEvent, ChatRequest
from lmdeck.model.download import DownloadReport
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.log import LogEntry
from lmdeck.model.outlook import LmsFigure

REPEATABLE = frozenset(
    {
        "/api/v1/chat",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/embeddings",
        "/api/v0/chat/completions",
        "/api/v0/completions",
        "/api/v0/embeddings",
    }
)
"""Endpoints that only answer. What is repeated comes from a log: no other path is ever sent."""


class Secret(Protocol):
    """A token that shows itself only to who asks for it (`lmdeck.config.token.Token` is one)."""

    def reveal(self) -> str:
        """The token's text, for the one header or variable that carries it."""
        ...


class Backend(Protocol):
    """One server. Every method raises a `BackendError`; reads retry by themselves, writes never do."""

    @property
    def url(self) -> str:
        """The base URL, without a token."""
        ...

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token."""
        ...

    @property
    def round_trip_s(self) -> float:
        """What the last answered read took, in seconds, without the tries before it."""
        ...

    async def greet(self) -> float:
        """Ask whether LM Studio is there; answers the round trip in seconds."""
        ...

    async def models(self) -> tuple[Model, ...]:
        """All downloaded models with their loaded instances."""
        ...

    async def loaded_contexts(self) -> Mapping[str, int]:
        """Context lengths by instance id as the older API v0 reports them; NotFound where it is not served."""
        ...

    async def load(self, request: LoadRequest) -> LoadResult:
        """Load a model; returns when it is in memory, which may take minutes. Cancelling it closes the
        connection, but the server may go on loading."""
        ...

    async def unload(self, instance_id: str) -> None:
        """Unload one instance."""
        ...

    async def download(self, model: str, quantization: str | None = None) -> DownloadReport:
        """Begin a download: `model` is a catalogue id, or a full Hugging Face URL, for which a quantisation may be
        chosen. Raises DownloadRefused with the server's words."""
        ...

    async def download_status(self, job_id: str) -> DownloadReport:
        """How far a download is; NotFound if the server does not know it."""
        ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent]:
        """Stream one answer; closing the iterator closes the connection, and the server stops generating."""
        ...

    async def embed(self, model: str, inputs: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """One vector for each input, in their order."""
        ...

    async def repeat(self, path: str, body: Mapping[str, object]) -> None:
        """Send a request to an inference endpoint (`REPEATABLE`) again, not streamed; its answer shows in the log."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class CommandLine(Protocol):
    """The `lms` command for one server. Each call costs a process: ask rarely."""

    async def ps(self) -> tuple[Activity, ...]:
        """`lms ps --json`; raises CommandFailed."""
        ...

    async def ls(self) -> tuple[ModelFile, ...]:
        """`lms ls --json`: where the models are; raises CommandFailed."""
        ...

    async def estimate(self, request: LoadRequest) -> LmsFigure:
        """`lms load --estimate-only`: LM Studio's own figure, loading nothing; raises CommandFailed."""
        ...

    async def load(self, request: LoadRequest) -> LoadResult:
        """`lms load` with the settings REST does not have; returns when the model is in memory. Raises CommandFailed,
        or LoadFailed when the server could not load it. Cancelling it interrupts `lms`, and with it the load."""
        ...

    async def runtime(self) -> str | None:
        """The selected GGUF runtime as `name@version` from `lms runtime ls`; raises CommandFailed."""
        ...

    def log(self, source: str, allowed: asyncio.Event | None = None) -> AsyncGenerator[tuple[LogEntry, ...]]:
        """Batches of one source (`model`, `server`, `runtime`) from one long-lived `lms log stream`, restarted
        with back-off when it ends; what happens to it is told by `DeckNote` entries in between. Closing the
        iterator ends the process. It is started only while `allowed` is set: `lms` wakes up an LM Studio that
        somebody has just quit."""
        ...

    async def close(self) -> None:
        """End every child process."""
        ...
