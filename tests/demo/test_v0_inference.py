"""Generation in `/api/v0`: OpenAI's shapes with statistics, the model and the runtime."""

import json

import pytest

MODEL, EMBEDDER = "ha-expert", "text-embedding-nomic-embed-text-v1.5"
SMOL = "smollm2-135m-instruct"
MESSAGES = [{"role": "user", "content": "count to 3"}]


async def chunks_of(api, path: str, body: dict) -> list[dict]:
    async with api.stream("POST", path, json=body | {"stream": True}) as response:
        lines = [line[6:] async for line in response.aiter_lines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


async def test_a_whole_answer_tells_stats_model_and_runtime(api):
    answer = (await api.post("/api/v0/chat/completions", json={"model": MODEL, "messages": MESSAGES})).json()
    assert answer["choices"][0]["message"]["content"] == "1 2 3"
    assert set(answer["stats"]) == {"tokens_per_second", "time_to_first_token", "generation_time", "stop_reason"}
    assert answer["stats"]["stop_reason"] == "eosFound"
    assert answer["model_info"] == {"arch": "qwen2", "quant": "Q8_0", "format": "gguf", "context_length": 4096}
    runtime = {"name": "llama.cpp-win-x86_64-nvidia-cuda12-avx2", "version": "2.3.0", "supported_formats": ["gguf"]}
    assert answer["runtime"] == runtime


async def test_a_stream_tells_them_with_its_last_choice(api):
    body = {"model": MODEL, "messages": MESSAGES, "stream_options": {"include_usage": True}}
    chunks = await chunks_of(api, "/api/v0/chat/completions", body)
    (last,) = (chunk for chunk in chunks if "stats" in chunk)
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["runtime"]["version"] == "2.3.0"
    assert chunks[-1]["usage"]["completion_tokens"] == 3


async def test_completions_and_embeddings(api):
    answer = (await api.post("/api/v0/completions", json={"model": MODEL, "prompt": "hi", "max_tokens": 1})).json()
    assert (answer["choices"][0]["text"], answer["stats"]["stop_reason"]) == ("You", "maxPredictedTokensReached")
    answer = (await api.post("/api/v0/embeddings", json={"model": EMBEDDER, "input": ["a", "b"]})).json()
    assert [len(row["embedding"]) for row in answer["data"]] == [768, 768]
    assert answer["model_info"]["arch"] == "nomic-bert"
    assert answer["runtime"]["supported_formats"] == ["gguf"]


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("chat/completions", {"model": "nope", "messages": MESSAGES}, 404, "Model nope not found"),
        ("completions", {"model": MODEL}, 400, "'prompt' is required"),
        ("embeddings", {"model": EMBEDDER, "input": [""]}, 400, "'input' is required"),
        ("embeddings", {"model": EMBEDDER, "input": []}, 400, "between 1 and"),
        ("embeddings", {"model": EMBEDDER, "input": "x", "encoding_format": "hex"}, 400, "encoding_format"),
    ],
)
async def test_errors_are_plain(api, path, body, status, words):
    response = await api.post(f"/api/v0/{path}", json=body)
    assert response.status_code == status
    assert words in response.json()["error"]


async def test_llamas_numbers_are_measured(llama):
    body = {"model": SMOL, "messages": MESSAGES, "max_tokens": 5}
    answer = (await llama.post("/api/v0/chat/completions", json=body)).json()
    stats = answer["stats"]
    assert stats["tokens_per_second"] > 0 < stats["generation_time"]
    assert answer["usage"]["completion_tokens"] <= 5
    assert answer["model_info"]["quant"] == "Q4_1"
    chunks = await chunks_of(llama, "/api/v0/completions", {"model": SMOL, "prompt": "Once", "max_tokens": 3})
    assert chunks[-1]["stats"]["stop_reason"] == "maxPredictedTokensReached"
    assert answer["runtime"]["name"].startswith("llama.cpp-")
