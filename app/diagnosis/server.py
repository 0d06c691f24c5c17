"""Whether the server answers, lets us in, and has the endpoints that the deck uses."""

import asyncio
from dataclasses import dataclass
from typing import Final

from lmdeck.backend.errors import BackendError, Forbidden, TimedOut, Unauthorized, Unreachable
from lmdeck.backend.lmstudio import LMStudio
from lmdeck.config.settings import Settings
from lmdeck.model.exchange import PROBE
from lmdeck.model.finding import Finding
from lmdeck.model.server import exposure
from lmdeck.state.hardware import is_local

Refusable = dict[str, object]

_PROBE: Final[Refusable] = {PROBE: True}
_WRONG_MODEL: Final[Refusable] = _PROBE | {"model": 0}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: asked by GET, or where there is a `wrong` body by a POST of that, which no server can carry out:
    its fields have the wrong types, so that all it can do is to refuse. PROBE keeps it out of the statistics."""

    name: str
    path: str
    wrong: Refusable | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """Endpoints that came together, and what the deck lacks without one of them."""

    part: str
    endpoints: tuple[Endpoint, ...]
    next_step: str


APIS: Final = (
    Api(
        "API v1",
        (
            Endpoint("models", "/api/v1/models"),
            Endpoint("load", "/api/v1/models/load", _WRONG_MODEL),
            Endpoint("unload", "/api/v1/models/unload", _PROBE | {"instance_id": 0}),
            Endpoint("download", "/api/v1/models/download", _WRONG_MODEL),
            Endpoint("download status", "/api/v1/models/download/status/lmdeck-doctor"),
            Endpoint("chat", "/api/v1/chat", _WRONG_MODEL | {"input": 0}),
        ),
        "Update LM Studio (0.4 or newer): loading and unloading, downloads and native chats need this API.",
    ),
    Api(
        "API v0",
        (
            Endpoint("models", "/api/v0/models"),
            Endpoint("chat", "/api/v0/chat/completions", _WRONG_MODEL | {"messages": 0}),
            Endpoint("completions", "/api/v0/completions", _WRONG_MODEL | {"prompt": 0}),
            Endpoint("embeddings", "/api/v0/embeddings", _WRONG_MODEL | {"input": 0}),
        ),
        "Without it a context length is reported by one API only; `v` in Loaded proves it all the same.",
    ),
    Api(
        "OpenAI API",
        (
            Endpoint("models", "/v1/models"),
            Endpoint("chat", "/v1/chat/completions", _WRONG_MODEL | {"messages": 0}),
            Endpoint("completions", "/v1/completions", _WRONG_MODEL | {"prompt": 0}),
            Endpoint("embeddings", "/v1/embeddings", _WRONG_MODEL | {"input": 0}),
            Endpoint("responses", "/v1/responses", _WRONG_MODEL | {"input": 0}),
        ),
        "Update LM Studio, or choose another endpoint for a chat (ctrl+o there).",
    ),
    Api(
        "Anthropic API",
        (Endpoint("messages", "/v1/messages", _WRONG_MODEL | {"messages": 0}),),
        "Update LM Studio, or choose another endpoint for a chat (ctrl+o there).",
    ),
)


async def server_finding(backend: LMStudio) -> Finding:
    """Whether LM Studio answers there; `fail` if nobody does, or somebody else."""
    try:
        await backend.greet()  # opens the connection
        round_trip_s = await backend.greet()
    except BackendError as error:
        return Finding("server", "fail", f"{backend.url}: {error.problem.sentence}", _advice(error, backend.url))
    return Finding("server", "ok", f"{backend.url} is LM Studio, {round_trip_s * 1000:.0f} ms")


def _advice(error: BackendError, url: str) -> str:
    """How to reach it, by why it was not reached."""
    if not isinstance(error, Unreachable):
        return error.problem.next_step
    if error.reason.startswith("TLS"):
        return "Check the certificate and the name in the address; LM Studio itself speaks plain http://."
    if error.reason.startswith("name"):
        return "Check how the name is written, or use the address in numbers."
    if is_local(url):
        return "Start it (`lms server start`, or LM Studio's Developer page), and compare the port with --url."
    if isinstance(error, TimedOut):
        return "Check that the machine is up and its firewall lets the port through."
    return "Start it there with `lms server start --bind 0.0.0.0`: by default it listens to its own machine only."


async def token_finding(backend: LMStudio, settings: Settings) -> Finding:
    """Whether the server lets us in; `fail` if it does not."""
    source = settings.token_source or "the settings"
    try:
        models = await backend.models()
    except (Unauthorized, Forbidden) as error:
        words = f"{error.problem.title} ({f'from {source}' if backend.has_token else 'none was given'})"
        return Finding("token", "fail", words, error.problem.next_step)
    except BackendError as error:
        return Finding("token", "unknown", f"the models are not listed: {error.problem.sentence}")
    listed = f"{len(models)} models are listed"
    if not backend.has_token:
        return Finding("token", "ok", f"none, and none is wanted; {listed}")
    if (problem := exposure(backend.url, has_token=True)) is not None:
        return Finding("token", "warn", f"from {source}, accepted; {problem.sentence}", problem.next_step)
    return Finding("token", "ok", f"from {source}, accepted; {listed}")


async def api_finding(backend: LMStudio, api: Api) -> Finding:
    """Which endpoints of an API are there: all are asked at once."""
    answers = await asyncio.gather(*(_offers(backend, endpoint) for endpoint in api.endpoints))
    there, missing, unclear = list[str](), list[str](), list[str]()
    for endpoint, answer in zip(api.endpoints, answers, strict=True):
        if isinstance(answer, str):
            unclear.append(f"{endpoint.name} ({answer})")
        else:
            (there if answer else missing).append(endpoint.name)
    told = (("", there), ("missing: ", missing), ("unclear: ", unclear))
    words = "; ".join(label + ", ".join(names) for label, names in told if names)
    if missing:
        return Finding(api.part, "warn", words, api.next_step)
    return Finding(api.part, "unknown" if unclear else "ok", words)


async def _offers(backend: LMStudio, endpoint: Endpoint) -> bool | str:
    """Whether it is there, or why that is not known."""
    try:
        return await backend.offers(endpoint.path, endpoint.wrong)
    except BackendError as error:
        return error.problem.sentence
