"""No header value of an MCP server leaves the log's decoder."""

import json

import pytest

from lmdeck.backend.logstream import LogDecoder
from lmdeck.backend.masking import masked
from lmdeck.model.log import ServerLine

SECRET = 'Bearer "s3cret" {x}'


@pytest.mark.parametrize("indent", [None, 2])
def test_header_values_are_masked_and_nothing_else(indent: int | None) -> None:
    body = {
        "model": "m",
        "input": "what are headers?",
        "integrations": [
            {"type": "ephemeral_mcp", "server_url": "http://h/mcp", "headers": {"Authorization": SECRET, "X-Two": "b"}}
        ],
    }
    found = json.loads(masked(json.dumps(body, indent=indent)))
    body["integrations"][0]["headers"] = {"Authorization": "…", "X-Two": "…"}  # type: ignore[index]
    assert found == body


@pytest.mark.parametrize("text", ["", "no JSON", '"headers" are words', '{"headers": ["a"]}', '{"headers": {"a": '])
def test_other_texts_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("cut", [3, 4, 12])
def test_a_text_that_ends_within_a_value_is_masked(cut: int) -> None:
    whole = json.dumps({"headers": {"Authorization": "s3cret and more"}})
    assert "s3c" not in masked(whole[:-cut])


def test_the_servers_log_is_masked_where_it_is_read() -> None:
    body = json.dumps({"integrations": [{"headers": {"Authorization": SECRET}}]})
    line = {"timestamp": 1, "data": {"type": "server.log", "content": f"Received request: POST to /x with body {body}"}}
    (entry,) = LogDecoder("server").feed(json.dumps(line).encode() + b"\n")
    assert isinstance(entry, ServerLine)
    assert "s3cret" not in entry.text
    assert "Authorization" in entry.text
