"""What lines of the server's log say about exchanges, in LM Studio's words of several years and the demo's."""

# ruff: noqa: E501  (log lines and cases are one line each)

import json

import pytest

from lmdeck.exchanges.reading import Asked, Generated, Over, Refused, read
from lmdeck.model.log import ServerLine

BODY = '{\n  "model": "m",\n  "messages": [\n    {\n      "role": "user",\n      "content": "Hi"\n    }\n  ],\n  "max_tokens": 7\n}'


@pytest.mark.parametrize(
    ("head", "path", "client"),
    [
        ("[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/chat/completions with body ", "/v1/chat/completions", ""),
        ("2025-07-22 01:26:37 [DEBUG]\n Received request: POST to /v1/messages?beta=true with body  ", "/v1/messages", ""),
        ("[2023-08-16 21:09:26.623] [INFO] Received POST request to /v1/completions with body: ", "/v1/completions", ""),
        ("[2026-04-17 18:32:17][DEBUG][Client=10.0.0.7] Received request: POST to /api/v1/chat with body ", "/api/v1/chat", "10.0.0.7"),
        ("Received request: POST to /api/v0/embeddings from 10.0.0.7 with body ", "/api/v0/embeddings", "10.0.0.7"),
    ],
)  # fmt: skip
def test_requests(head: str, path: str, client: str) -> None:
    asked = read(ServerLine(1.0, head + BODY))
    assert isinstance(asked, Asked)
    assert (asked.path, asked.client, asked.model, asked.limit) == (path, client, "m", 7)
    assert asked.parameters == {"model": "m", "max_tokens": 7}
    assert (asked.complete, asked.has_tools, asked.streams, asked.times) == (True, False, False, 1)


@pytest.mark.parametrize(
    ("answer", "kind", "texts", "tokens"),
    [
        ({"id": "x", "object": "chat.completion", "choices": [{"message": {"content": "A"}}, {"message": {"content": None}}],
          "usage": {"prompt_tokens": 3, "completion_tokens": 4}}, "chat", ("A", ""), (3, 4)),
        ({"object": "text_completion", "choices": [{"text": "A"}]}, "text", ("A",), (None, None)),
        ({"object": "response", "output": [{"type": "reasoning"}, {"type": "message", "content": [{"text": "A"}, {"text": "B"}]}],
          "usage": {"input_tokens": 3, "output_tokens": 4}}, "response", ("AB",), (3, 4)),
        ({"model_instance_id": "m", "output": [{"type": "message", "content": "A"}],
          "stats": {"input_tokens": 3, "total_output_tokens": 4}}, "native", ("A",), (3, 4)),
        ({"type": "message", "content": [{"type": "text", "text": "A"}], "usage": {"input_tokens": 3, "output_tokens": 4}},
         "message", ("A",), (3, 4)),
    ],
)  # fmt: skip
def test_answers(answer: dict[str, object], kind: str, texts: tuple[str, ...], tokens: tuple[int, int]) -> None:
    sent = read(ServerLine(1.0, f"[2026-04-17 18:32:17][INFO][m] Generated prediction: {json.dumps(answer, indent=2)}"))
    assert isinstance(sent, Generated)
    assert (sent.kind, sent.texts, sent.model) == (kind, texts, "m")
    assert (sent.stats.prompt_tokens, sent.stats.predicted_tokens) == tokens


def test_ends_and_errors() -> None:
    stamp = "[2026-04-17 18:32:17]"
    assert read(ServerLine(1.0, f"{stamp}[INFO] Finished streaming response")) == Over(1.0, "streamed")
    left = f"{stamp}[INFO][LM STUDIO SERVER] Client disconnected. Stopping generation..."
    assert read(ServerLine(1.0, left)) == Over(1.0, "gone")
    embedded = f"{stamp}[INFO][e] Returning embeddings (not shown in logs)"
    assert read(ServerLine(1.0, embedded)) == Over(1.0, "embedded", "e")
    line = ServerLine(1.0, f"{stamp}[ERROR][m] Error: \x1b[31mno memory", "error")
    assert read(line) == Refused(line, "no memory", "m")
    line = ServerLine(1.0, "Model 'x' not found", "error")
    assert read(line) == Refused(line, "Model 'x' not found", "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[2026-04-17 18:32:17][DEBUG] Received request: GET to /v1/models",
        "[2026-04-17 18:32:17][DEBUG] Received request: POST to /api/v1/models/load with body {}",
        "[2026-04-17 18:32:17][ERROR] Unexpected endpoint or method. (GET /). Returning 200 anyway",
        "[2026-04-17 18:32:17][INFO] Generated prediction: { broken",
        "[2026-04-17 18:32:17][INFO][LM STUDIO SERVER] Streaming response...",
        "[2026-04-17 18:32:17][DEBUG] they said: Received request: POST to /v1/chat/completions with body {}",
    ],
)
def test_lines_that_say_nothing(text: str) -> None:
    assert read(ServerLine(1.0, text)) is None
