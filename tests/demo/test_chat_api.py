"""The native chat, streamed and whole."""

import asyncio
import json

import pytest

QWEN, GLM, DEVSTRAL = "qwen/qwen3-coder-30b", "zai-org/glm-4.7-flash", "mistralai/devstral-small-2-2512"
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def types(events: list[dict]) -> list[str]:
    """The events' types, repetitions folded."""
    names = [event["type"] for event in events]
    return [name for name, before in zip(names, [None, *names], strict=False) if name != before]


async def test_the_events_come_in_the_documented_order(api):
    events = await api.events(GLM, "please use a tool", integrations=["mcp/files"])
    assert types(events) == [
        "chat.start",
        *(f"model_load.{part}" for part in ("start", "progress", "end")),
        *(f"prompt_processing.{part}" for part in ("start", "progress", "end")),
        *(f"reasoning.{part}" for part in ("start", "delta", "end")),
        *(f"tool_call.{part}" for part in ("start", "arguments", "success")),
        *(f"message.{part}" for part in ("start", "delta", "end")),
        "chat.end",
    ]
    result = events[-1]["result"]
    assert [item["type"] for item in result["output"]] == ["reasoning", "tool_call", "message"]
    said = "".join(event["content"] for event in events if event["type"] == "message.delta")
    assert said == result["output"][-1]["content"] == "You said: please use a tool"
    assert result["output"][1]["provider_info"] == {"type": "plugin", "plugin_id": "mcp/files"}
    assert result["stats"].keys() == {
        "input_tokens",
        "total_output_tokens",
        "reasoning_output_tokens",
        "tokens_per_second",
        "time_to_first_token_seconds",
        "model_load_time_seconds",
    }


async def test_a_loaded_model_answers_without_load_events(api):
    await api.load(QWEN)
    events = await api.events(QWEN, "hi")
    assert types(events)[:2] == ["chat.start", "prompt_processing.start"]
    assert events[0]["model_instance_id"] == QWEN
    assert "model_load_time_seconds" not in events[-1]["result"]["stats"]


async def test_whole_answers_equal_the_streams_result(api):
    whole = await api.chat(QWEN, "same", store=False)
    streamed = (await api.events(QWEN, "same", store=False))[-1]["result"]
    assert whole["output"] == streamed["output"] == [{"type": "message", "content": "You said: same"}]
    assert "response_id" not in whole


async def test_conversations_continue_and_branch(api):
    first = await api.chat(QWEN, "my name is Ada")
    second = await api.chat(QWEN, "more", previous_response_id=first["response_id"])
    for previous in (first, second):
        answer = await api.chat(QWEN, "what did I say", previous_response_id=previous["response_id"])
        assert answer["output"][0]["content"] == "You first said: my name is Ada"
    assert second["stats"]["input_tokens"] > first["stats"]["input_tokens"]


async def test_a_stale_response_id_is_refused(api):
    body = {"model": QWEN, "input": "x", "previous_response_id": "resp_old", "stream": True}
    response = await api.post("/api/v1/chat", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid_value"
    assert error["message"].startswith("Could not find stored response for previous_response_id 'resp_old'")


@pytest.mark.parametrize(("setting", "reasons"), [("off", False), ("on", True), (None, True)])
async def test_reasoning_can_be_set(api, setting, reasons):
    answer = await api.chat(GLM, "hi", **({"reasoning": setting} if setting else {}))
    assert (answer["output"][0]["type"] == "reasoning") is reasons
    assert bool(answer["stats"]["reasoning_output_tokens"]) is reasons


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reasoning": "high"}, "does not support reasoning setting 'high'"),
        ({"model": "text-embedding-nomic-embed-text-v1.5"}, "is an embedding model"),
        ({"temperature": 1.5}, "'temperature' must be between 0 and 1"),
        ({"input": 7}, "'input' must be"),
        ({"input": [{"type": "video"}]}, "unknown type: 'video'"),
        ({"input": [{"type": "image", "data_url": PIXEL}]}, "does not support image inputs"),
        ({"model": None}, "'model' is required"),
    ],
)
async def test_bad_requests_are_refused_before_the_stream(api, change, words):
    response = await api.post("/api/v1/chat", json={"model": QWEN, "input": "x", "stream": True} | change)
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]
    assert await api.instances() == []


async def test_images_go_to_a_model_that_sees(api):
    parts = [{"type": "message", "content": "what is this?"}, {"type": "image", "data_url": PIXEL}]
    answer = await api.chat(DEVSTRAL, parts)
    assert answer["output"][0]["content"] == "You said: what is this? [image_url]"


async def test_a_limit_ends_the_answer(api):
    answer = await api.chat(QWEN, "50 words", max_output_tokens=7)
    assert answer["stats"]["total_output_tokens"] == 7


async def test_a_prompt_that_does_not_fit_is_an_error_event_and_an_end(api):
    await api.load(QWEN, context_length=16)
    events = await api.events(QWEN, "word " * 40)
    assert types(events) == ["chat.start", "error", "chat.end"]
    assert "greater than the context length (n_keep: 44 >= n_ctx: 16)" in events[1]["error"]["message"]
    response = await api.post("/api/v1/chat", json={"model": QWEN, "input": "word " * 40})
    assert response.status_code == 400


async def test_another_context_length_reloads_the_instance(api):
    await api.load(QWEN, context_length=4096)
    events = await api.events(QWEN, "hi", context_length=2048)
    assert "model_load.end" in types(events)
    assert [(each["identifier"], each["contextLength"]) for each in await api.ps()] == [(QWEN, 2048)]
    same = await api.events(QWEN, "hi", context_length=2048)
    assert "model_load.start" not in types(same)


async def test_a_busy_instance_is_not_reloaded(api, until):
    await api.faults(timings="rate=20")
    await api.load(QWEN)
    busy = asyncio.create_task(api.events(QWEN, "5000 words"))
    await until(lambda: _status(api, "generating"))
    response = await api.post("/api/v1/chat", json={"model": QWEN, "input": "x", "context_length": 2048})
    assert (response.status_code, "busy" in response.json()["error"]["message"]) == (400, True)
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)


async def _status(api, wanted: str) -> bool:
    return [each["status"] for each in await api.ps()] == [wanted]


@pytest.mark.parametrize("stream", [True, False])
async def test_leaving_stops_the_generation(api, lms, until, stream):
    await api.faults(timings="rate=50")
    await api.load(QWEN)
    async with lms.log() as next_event:
        body = {"model": QWEN, "input": "5000 words", "stream": stream}
        asking = asyncio.create_task(api.post("/api/v1/chat", json=body))
        await until(lambda: _status(api, "generating"))
        asking.cancel()
        await until(lambda: _status(api, "idle"), timeout=2)
        assert (await next_event())["type"] == "llm.prediction.input"
        output = await next_event()
        assert output["stats"] == {"stopReason": "userStopped"}
        assert output["output"].startswith("word1")


async def test_unloading_under_a_request_ends_it_with_an_error(api, until):
    await api.faults(timings="rate=20")
    await api.load(QWEN)
    asking = asyncio.create_task(api.events(QWEN, "5000 words"))
    await until(lambda: _status(api, "generating"))
    await api.post("/api/v1/models/unload", json={"instance_id": QWEN})
    events = await asking
    assert types(events)[-3:] == ["message.end", "error", "chat.end"]
    assert events[-1]["result"]["output"][0]["content"].startswith("word1")


WEB = {"type": "ephemeral_mcp", "server_label": "web", "server_url": "http://127.0.0.1:9", "headers": {"X-Key": "x"}}
PROVIDER = {"type": "ephemeral_mcp", "server_label": "web"}


@pytest.mark.parametrize(
    ("input", "metadata"),
    [
        ("a bad tool", {"type": "invalid_name", "tool_name": "lookup"}),
        (
            "a wrong tool",
            {"type": "invalid_arguments", "tool_name": "lookup", "arguments": {"query": "a wrong tool"}}
            | {"provider_info": PROVIDER},
        ),
    ],
)
async def test_an_invalid_tool_call_is_told(api, input, metadata):
    events = await api.events(QWEN, input, integrations=[WEB])
    failure = next(event for event in events if event["type"] == "tool_call.failure")
    assert failure["metadata"] == metadata
    assert events[-1]["result"]["output"][0]["type"] == "invalid_tool_call"


async def test_a_tool_is_asked_with_its_headers_and_its_server_can_be_lost(api):
    events = await api.events(QWEN, "a tool", integrations=[WEB])
    success = next(event for event in events if event["type"] == "tool_call.success")
    assert json.loads(success["output"]) == [{"type": "text", "text": "scripted result (X-Key)"}]
    for integration, kind in ((WEB, "mcp_connection_error"), ("mcp/files", "plugin_connection_error")):
        *_, error, end = await api.events(QWEN, "a lost tool", integrations=[integration])
        assert (error["type"], error["error"]["type"], end["type"]) == ("error", kind, "chat.end")


async def test_earlier_answers_can_be_forgotten(api):
    first = await api.chat(QWEN, "my name is Ada")
    follow = {"model": QWEN, "input": "what did I say", "previous_response_id": first["response_id"]}
    await api.faults("forgotten*1")
    response = await api.post("/api/v1/chat", json=follow)
    assert response.status_code == 400
    assert "Could not find stored response" in response.json()["error"]["message"]
    assert (await api.post("/api/v1/chat", json=follow)).status_code == 200


async def test_the_logs_tell_prompt_answer_and_request(api, lms):
    await api.load(QWEN)
    async with lms.log() as model_event, lms.log("-s", "server") as server_event:
        await api.chat(QWEN, "hello", system_prompt="Be brief.", temperature=0)
        prompt, answer = await model_event(), await model_event()
        assert prompt["modelIdentifier"] == answer["modelIdentifier"] == QWEN
        assert prompt["modelPath"].endswith(".gguf")
        assert prompt["input"] == (
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
        )
        assert answer["output"] == "You said: hello"
        stats = answer["stats"]
        assert (stats["stopReason"], stats["tokensPerSecond"], stats["predictedTokensCount"]) == ("eosFound", 1000.0, 3)
        assert stats["totalTokensCount"] == stats["promptTokensCount"] + 3
        received = await server_event()
        head, _, body = received["content"].partition(" with body ")
        assert head.endswith("][DEBUG] Received request: POST to /api/v1/chat")
        assert json.loads(body)["temperature"] == 0
        await server_event()
        generated = await server_event()
        assert f"[INFO][{QWEN}] Generated prediction: {{" in generated["content"]
