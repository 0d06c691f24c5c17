"""What a line of the server log (or of a runtime's) proves about loads and unloads.

LM Studio's own words, where published logs show them, and those of the demo server:

```
Received request: POST to /api/v1/models/load with body {…}          (older: Received POST request to … with body: {…})
[JIT] Requested model (qwen/qwen3-4b) is not loaded. Loading "qwen/qwen3-4b" now...
[LM STUDIO SERVER] Success! HTTP server listening on port 1234       Stopping server..   Server stopped
Error: The model has crashed without additional information. (Exit code: 18446744072635812000)
Failed to load LLM 'x': Error: …      Loading model 'x' …    Model 'x' loaded in 0.05 s
Unloaded model 'x' after its idle TTL      Unloaded model 'x' to make room for 'y'
```
"""

import re
from dataclasses import dataclass
from typing import Literal

from lmdeck.evidence import request
from lmdeck.evidence.exits import exit_code
from lmdeck.evidence.lines import body, is_traffic, quoted
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import LogEntry, RuntimeLine, ServerLine
from lmdeck.model.text import one_line

FactKind = Literal[
    "load asked", "unload asked", "chat asked", "JIT loading", "loading", "loaded", "unloaded", "idle TTL", "evicted",
    "crashed", "load failed", "server started", "server stopped",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a line proves. `at` is Unix time; `subject` the model key or instance id as the line has it, which may
    be empty; `settings` what a request asked for; `code` an exit code as printed; `line` the evidence, cleaned and
    bounded, without a request's body; `source` the log it stands in."""

    at: float
    kind: FactKind
    subject: str = ""
    settings: LoadRequest | None = None
    code: str | None = None
    line: str = ""
    source: str = "server"


_HEAD = 2_000
_REQUEST = re.compile(
    r"(?:\[[^\]\n]{1,40}\] ?)?Received (?:request: (?:POST|DELETE) to|POST request to) (?P<path>/[\w./-]{1,200})"
)
_CHATS = frozenset({
    "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/api/v1/chat",
    "/api/v0/chat/completions", "/api/v0/completions", "/api/v0/embeddings",
})  # fmt: skip
_TAG = re.compile(r"\[(?P<tag>[^\]\n]{1,200})\] ?")
_NO_MODEL = frozenset({"LM STUDIO SERVER", "JIT", "Server Error", "LM Studio", "LMSInternal"})
_NAME = r"""(?:['"(](?P<name>[^'"()\n]{1,200})['")])"""
_JIT = re.compile(r"Requested model \((?P<name>[^()\n]{1,200})\) is not loaded\. *\n?Loading\b")
_MESSAGES: tuple[tuple[re.Pattern[str], FactKind], ...] = (
    (re.compile(rf"(?:The model|Model) ?{_NAME}? ?has crashed\b"), "crashed"),
    (re.compile(r"(?:The )?(?:[Ee]ngine )?[Pp]rocess (?:ended|exited|terminated) with (?:exit )?code"), "crashed"),
    (re.compile(rf"(?:Failed to load|Error loading) (?:LLM |embedding |the )?(?:model )?{_NAME}?"), "load failed"),
    (re.compile(r"(?:Success! )?HTTP server listening on port \d|Server started\b"), "server started"),
    (re.compile(r"(?:Stopping server|Server stopped)\b"), "server stopped"),
    (re.compile(rf"Unloaded model {_NAME} to make room for\b"), "evicted"),
    (re.compile(r"(?i:(?:auto-?)?evict(?:ed|ing)\b|unload(?:ed|ing) other JIT\b)"), "evicted"),
    (
        re.compile(r"(?i:(?:model|unload(?:ed|ing)|eject(?:ed|ing))\b[^\n]{0,250}\b(?:idle|inactiv\w+|TTL)\b)"),
        "idle TTL",
    ),
    (re.compile(r"(?i:(?:idle )?TTL (?:expired|reached)\b)"), "idle TTL"),
    (re.compile(rf"Unload(?:ed|ing) model\b:? ?{_NAME}?"), "unloaded"),
    (re.compile(rf"Model ?{_NAME}? (?:was )?unloaded\b"), "unloaded"),
    (re.compile(rf"Loading model {_NAME}"), "loading"),
    (re.compile(rf"Model {_NAME} loaded\b"), "loaded"),
)
_SUBJECT = re.compile(_NAME)
_SERVER_WORDS = ("Received", "oad", "crash", "exit", "TTL", "vict", "ject", "erver")
_RUNTIME_WORDS = ("crash", "exit", "terminated")


def facts(entry: LogEntry) -> list[Fact]:
    """What an entry proves; nothing for most. A request's words beyond its own keys are never evidence."""
    if not isinstance(entry, ServerLine | RuntimeLine):
        return []
    is_server = isinstance(entry, ServerLine)
    head = entry.text[:_HEAD]
    if not any(word in head for word in (_SERVER_WORDS if is_server else _RUNTIME_WORDS)):
        return []
    plain = body(head)
    if isinstance(entry, ServerLine) and (asked := _REQUEST.match(plain)):
        return _request(entry, asked["path"])
    if is_traffic(plain):
        return []
    plain, tag = _untagged(plain)
    if is_server and (jit := _JIT.match(plain)):
        return [_fact(entry, "JIT loading", jit["name"])]
    for pattern, kind in _MESSAGES:
        if (found := pattern.match(plain)) is not None:
            return _message(entry, kind, plain, found.groupdict().get("name"), tag)
    return []


def _message(entry: ServerLine | RuntimeLine, kind: FactKind, plain: str, name: str | None, tag: str) -> list[Fact]:
    """The fact of one message; a runtime proves nothing but its own end."""
    code = exit_code(plain) if kind in ("crashed", "load failed") else None
    if isinstance(entry, RuntimeLine):
        subject = name or entry.instance_id or tag
        return [] if kind != "crashed" or code == "0" else [_fact(entry, kind, subject, code)]
    if name is None and kind in ("idle TTL", "evicted") and (found := _SUBJECT.search(plain.partition("\n")[0])):
        name = found["name"]
    return [_fact(entry, kind, name or tag, code)]


def _untagged(plain: str) -> tuple[str, str]:
    """A line without the tags before its words, and the model that a tag names."""
    model = ""
    for _ in range(3):
        if (found := _TAG.match(plain)) is None:
            break
        plain = plain[found.end() :]
        model = "" if found["tag"] in _NO_MODEL or "=" in found["tag"] else found["tag"]
    return plain.removeprefix("Error: "), model


def _fact(entry: ServerLine | RuntimeLine, kind: FactKind, subject: str, code: str | None = None) -> Fact:
    return Fact(entry.at, kind, one_line(subject, 200), None, code, quoted(entry.text), entry.source)


def _request(entry: ServerLine, path: str) -> list[Fact]:
    """A request that concerns models, read from its path and the keys of its body."""
    start = entry.text.find("{", 0, _HEAD)
    asked = request.top_level(entry.text[start:]) if start >= 0 and _concerns_models(path) else {}
    model = one_line(request.text(asked.get("model")), 200)
    line = f"POST {path}" + (f" model={model}" if model else "")
    if path == "/api/v1/models/load":
        settings = _settings(asked, model)
        line += f" context_length={settings.context_length}" if settings.context_length else ""
        return [Fact(entry.at, "load asked", model, settings, None, line)]
    if path == "/api/v1/models/unload":
        name = one_line(request.text(asked.get("instance_id")), 200)
        return [Fact(entry.at, "unload asked", name, None, None, f"{line} instance_id={name}")]
    if path in _CHATS:
        settings = _settings(asked, model)
        return [Fact(entry.at, "chat asked", model, None if settings == LoadRequest(model) else settings, None, line)]
    return []


def _concerns_models(path: str) -> bool:
    return path in _CHATS or path in ("/api/v1/models/load", "/api/v1/models/unload")


def _settings(asked: request.Fields, model: str) -> LoadRequest:
    return LoadRequest(
        model,
        context_length=request.count(asked.get("context_length")),
        eval_batch_size=request.count(asked.get("eval_batch_size")),
        flash_attention=request.flag(asked.get("flash_attention")),
        num_experts=request.count(asked.get("num_experts")),
        offload_kv_cache_to_gpu=request.flag(asked.get("offload_kv_cache_to_gpu")),
        ttl_s=request.count(asked.get("ttl")),
    )
