"""What lines of the server's and the runtimes' logs prove: LM Studio's words, the demo's, and what proves nothing."""

# ruff: noqa: E501  (log lines are quoted as they come)

import json

import pytest

from lmdeck.evidence.request import top_level
from lmdeck.evidence.server_log import Fact, facts
from lmdeck.model.load import LoadRequest
from lmdeck.model.log import DeckNote, LogEntry, PredictionOutput, RuntimeLine, ServerLine

STAMP = "[2026-04-17 18:32:17][DEBUG] "
CRASH = "The model has crashed without additional information. (Exit code: 18446744072635812000)"
LOAD = f"{STAMP}Received request: POST to /api/v1/models/load with body "


def one(text: str) -> Fact:
    (fact,) = facts(ServerLine(7.0, text))
    return fact


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        (f'{STAMP}Received request: POST to /api/v1/models/unload with body {{"instance_id": "a:2"}}', "unload asked", "a:2"),
        (f'{STAMP}Received request: POST to /v1/chat/completions with body  {{\n  "model": "glm-4.7-flash@mxfp4",\n  "x": 1\n}}',
         "chat asked", "glm-4.7-flash@mxfp4"),
        ('2025-07-22 01:26:37 [DEBUG]\n Received request: POST to /v1/embeddings with body  {\n  "model": "e"\n}', "chat asked", "e"),
        ('Received POST request to /v1/chat/completions with body: {\n  "model": "llama-3.2-1b"\n}', "chat asked", "llama-3.2-1b"),
        ('[2025-07-22 01:28:47][INFO][JIT] Requested model (deepseek/r1) is not loaded. Loading "deepseek/r1" now...',
         "JIT loading", "deepseek/r1"),
        ("[2025-10-30 19:32:23][INFO][JIT] Requested model (qwen/q) is not loaded.\nLoading 'qwen/q' now...", "JIT loading", "qwen/q"),
        ("2026-06-14 21:13:35  [INFO]\n [LM STUDIO SERVER] Success! HTTP server listening on port 1234", "server started", ""),
        ("[2024-04-04 15:45:26.597] [INFO] [LM STUDIO SERVER] Stopping server..", "server stopped", ""),
        ("[2024-04-04 15:45:26.598] [INFO] [LM STUDIO SERVER] Server stopped", "server stopped", ""),
        (f"2025-07-22 01:28:36 [ERROR]\nError: {CRASH}", "crashed", ""),
        (f"[2025-08-25 17:01:46][ERROR][qwen/q] {CRASH}. Error Data: n/a, Additional Data: n/a", "crashed", "qwen/q"),
        (f"{STAMP}Loading model 'a' with context length 4096", "loading", "a"),
        (f"{STAMP}Model 'a:2' loaded in 0.05 s", "loaded", "a:2"),
        (f"{STAMP}Unloaded model 'a'", "unloaded", "a"),
        (f"{STAMP}Unloaded model 'a' after its idle TTL", "idle TTL", "a"),
        (f"{STAMP}Unloaded model 'a' to make room for 'b'", "evicted", "a"),
        (f"{STAMP}Failed to load LLM 'a': Error: too large", "load failed", "a"),
        (f"{STAMP}The model 'a' has crashed without additional information. (Exit code: -9)", "crashed", "a"),
        (f"{STAMP}Model unloaded due to idle TTL: 'a'", "idle TTL", "a"),
        (f"{STAMP}[a] Model unloaded by user", "unloaded", "a"),
        (f"{STAMP}Auto-evicting previously loaded model (a)", "evicted", "a"),
        (f"{STAMP}Unloading other JIT model 'a'", "evicted", "a"),
    ],
)  # fmt: skip
def test_a_line_proves(text: str, kind: str, subject: str) -> None:
    fact = one(text)
    assert (fact.kind, fact.subject, fact.at, fact.source) == (kind, subject, 7.0, "server")
    assert fact.line
    assert len(fact.line) <= 500
    assert "\n" not in fact.line


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{STAMP}Received request: GET to /api/v1/models",
        f"{STAMP}Received request: POST to /api/v1/models/download with body {{}}",
        f'{STAMP}Received request: POST to /other with body {{"m": "The model has crashed. Unloaded model \'a\'"}}',
        f"{STAMP}Received request: POST to /other with body {{\nUnloaded model 'a'\n}}",
        "[2026-04-17 18:32:17][INFO][a] Generated prediction: {\n Unloaded model 'a' after its idle TTL\n}",
        f"{STAMP}[LM STUDIO SERVER] Running chat completion on conversation with 2 messages.",
        f"{STAMP}[a] Accumulated 3 tokens: Model unloaded due to idle TTL",
        f"{STAMP}I think that Unloaded model 'a' after its idle TTL",
        "2026-06-14 21:13:35  [INFO]\n [LM STUDIO SERVER]    ->  POST http://localhost:1234/api/v1/models/load",
    ],
)
def test_these_prove_nothing(text: str) -> None:
    assert facts(ServerLine(1.0, text)) == []


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            RuntimeLine(3.0, "process ended with exit code 134", "error", instance_id="a"),
            ("crashed", "a", "134", "runtime"),
        ),
        (RuntimeLine(3.0, CRASH, instance_id="b"), ("crashed", "b", "18446744072635812000", "runtime")),
        (RuntimeLine(3.0, "process ended with exit code 0", instance_id="a"), None),
        (RuntimeLine(3.0, "Unloaded model 'a' after its idle TTL", instance_id="a"), None),
        (PredictionOutput(3.0, "a", CRASH), None),
        (DeckNote(3.0, CRASH), None),
    ],
)
def test_only_servers_and_dying_runtimes_prove(entry: LogEntry, expected: tuple[str, ...] | None) -> None:
    assert [(f.kind, f.subject, f.code, f.source) for f in facts(entry)] == ([] if expected is None else [expected])


def test_a_load_request_tells_what_was_asked_for() -> None:
    body = {"model": "qwen/q", "context_length": 131072.0, "flash_attention": True, "ttl": 300, "num_experts": -1,
            "eval_batch_size": "512", "offload_kv_cache_to_gpu": False, "echo_load_config": True}  # fmt: skip
    for text in (json.dumps(body), json.dumps(body, indent=2)):
        fact = one(LOAD + text)
        assert (fact.kind, fact.subject) == ("load asked", "qwen/q")
        assert fact.settings == LoadRequest(
            "qwen/q", context_length=131072, flash_attention=True, offload_kv_cache_to_gpu=False, ttl_s=300
        )
        assert fact.line == "POST /api/v1/models/load model=qwen/q context_length=131072"


def test_a_chat_that_reloads_tells_its_context() -> None:
    path = f"{STAMP}Received request: POST to /api/v1/chat with body "
    assert one(path + '{"model": "a", "context_length": 8192, "input": "x"}').settings == LoadRequest(
        "a", context_length=8192
    )
    assert one(path + '{"model": "a", "input": "x"}').settings is None


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ('{"model": "a", "context_length": 131072', None),
        ('{"model": "a", "context_length": 131072,', 131072),
        ('{"model": "a", "context_length": 131… <99 more characters>', None),
        ('{"model": "a", "context_length": 4096, "x": "unfinished', 4096),
        ('{"model": "a", "x": {"context_length": 1}, "context_length": 4096}', 4096),
        ('{"model": "a", "x": "\\"context_length\\": 1"}', None),
        ('{"model": "a", "context_length": "4096"}', None),
        ('{"model": "a", "context_length": true}', None),
        ('{"model": "a", "context_length": 1e999}', None),
        ('{"model": "a", "context_length": ' + "9" * 4000 + "}", None),
        ('{"model": "a", "x": ' + "[" * 100_000, None),
        ('{"model": "a", "x": "' + "y" * 3_000_000 + '", "context_length": 1}', None),
        ('{\n  "model": "a",\n  "x": "' + "y" * 3_000_000 + '",\n  "context_length": 4096\n}', 4096),
        ('{\n  "model": "a",\n  "x": {\n    "context_length": 1\n  }\n}', None),
    ],
)
def test_bodies_are_read_tolerantly(body: str, context: int | None) -> None:
    fact = one(LOAD + body)
    assert fact.subject == "a"
    assert fact.settings is not None
    assert fact.settings.context_length == context


@pytest.mark.parametrize("body", ["", "[]", "{", '{"', '{"a"', '{"a":', "{1: 2}", "null", '{"a" 1}'])
def test_a_body_that_is_none_is_empty(body: str) -> None:
    assert top_level(body) == {}
    assert one(LOAD + body).subject == ""


def test_subjects_are_made_safe() -> None:
    fact = one(LOAD + json.dumps({"model": "\x1b[31m" + "x" * 1000}))
    assert "\x1b" not in fact.subject + fact.line
    assert len(fact.subject) <= 300
