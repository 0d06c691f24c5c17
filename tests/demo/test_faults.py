"""Every scripted fault does what the table says."""

import asyncio
import json

import httpx
import pytest

from lmdeck.demo.faults import TABLE, Faults

QWEN = "qwen/qwen3-coder-30b"


def test_specs_are_checked():
    for bad, words in (("nope", "unknown fault 'nope'"), ("html*x", "invalid literal")):
        with pytest.raises(ValueError, match=words):
            Faults([bad])


def test_counts_and_paths_limit_a_fault():
    faults = Faults(["html*2:/api", "hang"])
    assert [faults.take("html", path) for path in ("/x", "/api/a", "/api/b", "/api/c")] == [False, True, True, False]
    assert faults.active() == ["hang"]
    assert TABLE.keys() >= {"hang", "html"}


@pytest.mark.parametrize(("name", "status", "type"), [("http_500", 500, "internal_error"), ("unauthorized", 401, None)])
async def test_refusals(api, name, status, type):
    await api.faults(name)
    response = await api.get("/api/v1/models")
    assert response.status_code == status
    assert response.json()["error"]["type"] == (type or "invalid_request")
    assert (await api.get("/lmstudio-greeting")).status_code == 200


async def test_hang_answers_nothing(api):
    await api.faults("hang:/api/v1/chat")
    assert len(await api.models()) == 7
    with pytest.raises(httpx.ReadTimeout):
        await api.post("/api/v1/chat", json={}, timeout=0.1)


async def test_html_and_half_a_json(api):
    await api.faults("html*1")
    response = await api.get("/api/v1/models")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    await api.faults("half_json*1")
    with pytest.raises(json.JSONDecodeError):
        (await api.get("/api/v1/models")).json()
    assert len(await api.models()) == 7


async def test_slow_bytes_are_the_same_bytes(api):
    await api.load(QWEN)
    whole = await api.events(QWEN, "grüße", store=False)
    await api.faults("slow_bytes")
    assert await api.events(QWEN, "grüße", store=False) == whole


async def test_a_cut_stream_has_no_end(api):
    await api.load(QWEN)
    await api.faults("sse_cut*1")
    seen: list[str] = []

    async def read() -> None:
        body = {"model": QWEN, "input": "50 words", "stream": True}
        async with api.stream("POST", "/api/v1/chat", json=body) as response:
            async for line in response.aiter_lines():
                seen.append(line)

    with pytest.raises(httpx.RemoteProtocolError):
        await read()
    assert "event: chat.start" in seen
    assert "event: chat.end" not in seen


async def test_a_generation_breaks_with_an_error_and_an_end(api):
    await api.faults("mid_stream_error*1")
    events = await api.events(QWEN, "50 words")
    assert [event["type"] for event in events[-3:]] == ["message.end", "error", "chat.end"]
    assert "crashed" in events[-2]["error"]["message"]
    assert (await api.events(QWEN, "5 words"))[-1]["result"]["stats"]["total_output_tokens"] == 5


async def test_failing_loads(api, lms):
    await api.faults("load_fail*1", "load_fail_generic*1")
    guardrail = await api.post("/api/v1/models/load", json={"model": QWEN, "context_length": 4096})
    assert (guardrail.status_code, guardrail.json()["error"]["type"]) == (500, "model_load_failed")
    assert "requires approximately 17.87 GB of memory" in guardrail.json()["error"]["message"]
    async with lms.log("-s", "runtime") as next_event:
        generic = await api.post("/api/v1/models/load", json={"model": QWEN})
        assert "Exit code: 18446744072635812000" in generic.json()["error"]["message"]
        lines = [await next_event() for _ in range(4)]
        assert "out of memory" in lines[2]["message"]
        assert lines[2]["level"] == "error"
    await api.load(QWEN)


async def test_a_failing_just_in_time_load_is_an_error_event(api):
    await api.faults("load_fail*1")
    events = await api.events(QWEN, "hi")
    assert [event["type"] for event in events] == ["chat.start", "model_load.start", "error", "chat.end"]
    assert events[2]["error"]["type"] == "model_load_failed"


async def test_log_streams_crash(api, lms):
    process = await lms.spawn("log", "stream", "--json")
    await process.stderr.readline()
    await api.faults("lms_crash")
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, b"Error: Log stream ended" in err) == (1, True)
    again = await lms("log", "stream", "--json")
    assert again.code == 1


async def test_log_streams_flood(api, lms):
    await api.faults("lms_flood")
    async with lms.log() as next_event:
        numbers = [int((await next_event())["output"].split()[1]) for _ in range(500)]
    assert numbers == list(range(500))


async def test_malformed_lines_come_between_events(api, lms):
    await api.load(QWEN)
    await api.faults("malformed_log_lines*1")
    process = await lms.spawn("log", "stream", "--json")
    await process.stderr.readline()
    lines = [await asyncio.wait_for(process.stdout.readline(), 10) for _ in range(4)]
    assert lines[3] == b"\xff\xfe\x1b[31mred\n"
    await api.chat(QWEN, "hi")
    assert json.loads(await process.stdout.readline())["data"]["type"] == "llm.prediction.input"
    process.kill()
    await process.communicate()
