"""What a line of the server's log says about an exchange.

```
[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/chat/completions with body {…}
Received POST request to /v1/chat/completions with body: {…}                       (older)
[INFO][gemma-3-270m-it] Generated prediction: { "id": "chatcmpl-…", … }
[INFO] Finished streaming response      [INFO][LM STUDIO SERVER] Client disconnected. Stopping generation...
[INFO][embedder] Returning embeddings (not shown in logs)      [ERROR][gemma-3-270m-it] …
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from lmdeck.backend.decode import count, fields, number, parse, records, text
from lmdeck.evidence.lines import body
from lmdeck.exchanges.conversation import CONVERSATION, Said, read_body
from lmdeck.model.log import PredictionStats, ServerLine
from lmdeck.model.text import one_line

Kind = Literal["chat", "text", "response", "message", "native", "embedding"]

KINDS: Mapping[str, Kind] = {
    "/v1/chat/completions": "chat",
    "/api/v0/chat/completions": "chat",
    "/v1/completions": "text",
    "/api/v0/completions": "text",
    "/v1/responses": "response",
    "/v1/messages": "message",
    "/api/v1/chat": "native",
    "/v1/embeddings": "embedding",
    "/api/v0/embeddings": "embedding",
}
"""The paths that ask for an answer, and whose shape the answer has."""

Number = TypeVar("Number", int, float)

_HEAD = 1_000
_LONGEST_ANSWER = 4 * 2**20
_MANY = 1_000
_TAG = re.compile(r"\[(?P<tag>[^\]\n]{1,200})\] ?")
_NO_MODEL = frozenset({"LM STUDIO SERVER", "JIT", "Server Error", "LM Studio", "LMSInternal"})
_REQUEST = re.compile(
    r"Received (?:request: POST to|POST request to) (?P<path>/[\w./-]{1,200})(?:\?\S{0,500})?"
    r"(?: from (?:client )?(?P<client>[\w.:\[\]-]{2,100}))?"
)
_QUOTED = re.compile(r"""['"(]([^'"()\n]{1,200})['")]""")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `complete` says that the whole body could be read; `limit` is its bound on generated tokens; `times`
    how many predictions may come of it."""

    line: ServerLine
    path: str
    kind: Kind
    model: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    client: str = ""
    said: tuple[Said, ...] = ()
    complete: bool = False
    streams: bool = False
    limit: int | None = None
    has_tools: bool = True
    has_images: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer as the server sent it, whole; `texts` are its alternatives."""

    line: ServerLine
    kind: Kind | None
    model: str
    texts: tuple[str, ...]
    stats: PredictionStats


@dataclass(frozen=True, slots=True)
class Over:
    """The end of a request that is not named: `streamed`, `embedded`, `gone` (its client left)."""

    at: float
    how: Literal["streamed", "embedded", "gone"]
    model: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """An error. `model` is the one that its tag or its words name, if any."""

    line: ServerLine
    words: str
    model: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """All that may be a model's name: its tag's, and the words."""
        return self.model, *(word.strip("'\"().,:;") for word in self.words.split())


Reading = Asked | Generated | Over | Refused


def read(entry: ServerLine) -> Reading | None:
    """What the line says; None for most."""
    if not any(word in entry.text[:_HEAD] for word in ("Rece", "Gene", "stre", "embe", "disc", "ERROR", "rror")) and (
        entry.level != "error"
    ):
        return None
    head, model, client = _untagged(body(entry.text[:_HEAD]))
    if head.startswith("Received"):
        return _asked(entry, head, client)
    if head.startswith("Generated prediction:"):
        return _generated(entry, model)
    if head.startswith("Finished streaming"):
        return Over(entry.at, "streamed", model)
    if head.startswith("Returning embeddings"):
        return Over(entry.at, "embedded", model)
    if head.startswith("Client disconnected"):
        return Over(entry.at, "gone", model)
    is_error = entry.level == "error" or "[ERROR]" in entry.text[:60]
    return _refused(entry, head, model) if is_error else None


def _untagged(head: str) -> tuple[str, str, str]:
    """A line without the tags before its words, the model and the client that tags name."""
    model = client = ""
    for _ in range(4):
        if (found := _TAG.match(head)) is None:
            break
        head, tag = head[found.end() :].lstrip(), found["tag"]
        if tag.startswith("Client="):
            client = tag[7:]
        elif tag not in _NO_MODEL and "=" not in tag:
            model = tag
    return head, model, client


def _asked(entry: ServerLine, head: str, client: str) -> Asked | None:
    found = _REQUEST.match(head)
    kind = KINDS.get(found["path"]) if found else None
    if found is None or kind is None:
        return None
    client = one_line(client or found["client"] or "", 100)
    start = entry.text.find("{", entry.text.find(found["path"]))
    if not 0 <= start < _HEAD:
        return Asked(entry, found["path"], kind, client=client)
    given, said, complete = read_body(entry.text, start)
    answers = max(1, count(given.get("n")) or 1)
    prompts = given.get("prompt")
    return Asked(
        entry,
        found["path"],
        kind,
        model=one_line(text(given.get("model")) or "", 200),
        parameters={key: value for key, value in given.items() if key not in CONVERSATION},
        client=client,
        said=said,
        complete=complete,
        streams=given.get("stream") is True,
        limit=_limit(given),
        has_tools=not complete or any(given.get(key) for key in ("tools", "functions", "integrations")),
        has_images='"image' in entry.text,
        times=_MANY if given.get("integrations") else answers * (len(prompts) if isinstance(prompts, list) else 1),
    )


def _limit(given: Mapping[str, object]) -> int | None:
    names = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    return next((limit for name in names if (limit := count(given.get(name)))), None)


def _generated(entry: ServerLine, model: str) -> Generated | None:
    start = entry.text.find("{", 0, _HEAD)
    if start < 0 or len(entry.text) > _LONGEST_ANSWER:
        return None
    try:
        answer = fields(parse(entry.text[start:]))
    except ValueError:
        return None
    kind, texts = _answer(answer)
    usage, stats = fields(answer.get("usage")), fields(answer.get("stats"))
    known = PredictionStats(
        tokens_per_second=number(stats.get("tokens_per_second")),
        ttft_s=_first(number, stats, "time_to_first_token_seconds", "time_to_first_token"),
        prompt_tokens=_first(count, usage | stats, "prompt_tokens", "input_tokens"),
        predicted_tokens=_first(count, usage | stats, "completion_tokens", "output_tokens", "total_output_tokens"),
    )
    return Generated(entry, kind, model or text(answer.get("model_instance_id")) or "", texts, known)


def _answer(answer: dict[str, object]) -> tuple[Kind | None, tuple[str, ...]]:
    """Whose shape an answer has, and its texts."""
    if choices := records(answer.get("choices")):
        said = [text(fields(choice.get("message")).get("content")) or text(choice.get("text")) for choice in choices]
        return "text" if answer.get("object") == "text_completion" else "chat", tuple(each or "" for each in said)
    if "output" in answer:
        items = [item for item in records(answer["output"]) if item.get("type") == "message"]
        kind: Kind = "response" if answer.get("object") == "response" else "native"
        return kind, ("".join(_content(item.get("content")) for item in items),)
    if answer.get("type") == "message":
        return "message", (_content(answer.get("content")),)
    return None, ()


def _content(content: object) -> str:
    return text(content) or "".join(text(part.get("text")) or "" for part in records(content))


def _first(getter: Callable[[object], Number | None], given: Mapping[str, object], *names: str) -> Number | None:
    """The first of some fields that is there."""
    return next((value for name in names if (value := getter(given.get(name))) is not None), None)


def _refused(entry: ServerLine, head: str, model: str) -> Refused | None:
    if not head or head.startswith("Unexpected endpoint"):
        return None
    words = one_line(head.removeprefix("Error: "))
    named = _QUOTED.search(words)
    return Refused(entry, words, model or (named[1] if named else ""))
