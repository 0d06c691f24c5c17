"""The real engine: SmolLM2 on llama.cpp really loads, answers, runs in parallel, stops and frees."""

import asyncio
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from lmdeck.demo.engines.find_model import find_model
from lmdeck.demo.launch import DemoServer
from lmdeck.telemetry.processes import LMStudioProcesses
from lmdeck.telemetry.simulated import SimulatedGpu

CHAT, EMBEDDING = "smollm2-135m-instruct", "text-embedding-smollm2-135m"


def workers(pid: int) -> list[psutil.Process]:
    """The engine's child processes."""
    return psutil.Process(pid).children(recursive=True)


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended (an orphan nobody reaps counts)."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_load_is_a_process_with_memory_and_an_unload_its_end(llama, llama_server, llama_lms):
    assert workers(llama_server.pid) == []
    async with llama_lms.log("-s", "runtime") as next_event:
        loaded = await llama.load(CHAT, context_length=2048, echo_load_config=True)
        assert loaded["load_config"]["context_length"] == 2048
        (worker,) = workers(llama_server.pid)
        assert worker.memory_info().rss > 120 * 2**20
        line = await next_event()
        while "n_ctx " not in line["message"]:
            line = await next_event()
    assert line["pid"] == worker.pid
    assert line["engineName"].startswith("llama.cpp-")
    assert line["message"].split()[-3:] == ["n_ctx", "=", "2048"]
    await llama.post("/api/v1/models/unload", json={"instance_id": CHAT})
    assert gone(worker)
    assert await llama.instances() == []


async def test_its_process_tells_which_file_it_runs(llama, llama_server, llama_lms):
    path = next(model["path"] for model in (await llama_lms("ls", "--json")).json if model["modelKey"] == CHAT)
    await llama.load(CHAT, context_length=512)
    processes = LMStudioProcesses(llama_server.pid)
    (engine,) = processes.engines()
    assert engine.pid == workers(llama_server.pid)[0].pid
    assert engine.model_path == str(Path(llama_server.models, path))
    assert SimulatedGpu(processes).sample().gpus[0].vram_used == processes.engines()[0].vram == engine.rss
    await llama.post("/api/v1/models/unload", json={"instance_id": CHAT})
    assert LMStudioProcesses(llama_server.pid).engines() == ()


async def test_it_answers_with_measured_numbers(llama, llama_lms):
    await llama.load(CHAT)
    async with llama_lms.log() as next_event:
        events = await llama.events(CHAT, "Write one sentence about the sea.", max_output_tokens=24, temperature=0)
        prompt, output = await next_event(), await next_event()
    result = events[-1]["result"]
    text = result["output"][0]["content"]
    assert len(text) > 20
    assert "".join(event["content"] for event in events if event["type"] == "message.delta") == text
    assert events[1]["type"] == "prompt_processing.start"
    stats = result["stats"]
    assert 0 < stats["total_output_tokens"] <= 24
    assert stats["input_tokens"] > 10
    assert stats["tokens_per_second"] > 0
    assert stats["time_to_first_token_seconds"] > 0
    assert "<|im_start|>user\nWrite one sentence about the sea.<|im_end|>" in prompt["input"]
    assert output["output"] == text
    assert output["stats"]["tokensPerSecond"] == stats["tokens_per_second"]


async def test_a_long_prompt_reports_its_progress(llama):
    await llama.load(CHAT, eval_batch_size=128)
    events = await llama.events(CHAT, "The quick brown fox jumps over the lazy dog. " * 60, max_output_tokens=1)
    steps = [event["progress"] for event in events if event["type"] == "prompt_processing.progress"]
    assert len(steps) > 3
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


async def test_slots_run_in_parallel(llama):
    await llama.load(CHAT)
    order: list[int] = []

    async def ask(number: int) -> None:
        body = {"model": CHAT, "input": f"Tell story {number}.", "stream": True, "max_output_tokens": 40}
        async with llama.stream("POST", "/api/v1/chat", json=body | {"temperature": 1}) as response:
            async for line in response.aiter_lines():
                if line.startswith("event: message.delta"):
                    order.append(number)

    await asyncio.gather(*(ask(number) for number in range(3)))
    begun = [order.index(number) for number in range(3)]
    ended = [len(order) - order[::-1].index(number) for number in range(3)]
    assert max(begun) < min(ended)


async def test_leaving_stops_the_generation(llama, llama_lms, until):
    await llama.load(CHAT)
    async with llama_lms.log("-s", "runtime") as next_event:
        body = {"model": CHAT, "input": "Count to one thousand, in words.", "stream": True, "temperature": 1}
        async with llama.stream("POST", "/api/v1/chat", json=body) as response:
            async for line in response.aiter_lines():
                if "message.delta" in line:
                    break

        async def idle() -> bool:
            return (await llama.ps())[0]["status"] == "idle"

        await until(idle, timeout=3)
        line = ""
        while "cancel task" not in line:
            line = (await next_event())["message"]
        while "all slots are idle" not in line:
            line = (await next_event())["message"]


async def test_a_conversation_is_remembered(llama):
    first = await llama.chat(CHAT, "My favourite colour is blue.", max_output_tokens=16, temperature=0)
    second = await llama.chat(
        CHAT, "And now?", previous_response_id=first["response_id"], max_output_tokens=8, temperature=0
    )
    assert second["stats"]["input_tokens"] > first["stats"]["input_tokens"] + 16
    assert [each["ttlMs"] for each in await llama.ps()] == [3_600_000]


async def test_unloading_under_a_request_is_quick(llama, until):
    await llama.load(CHAT)
    asking = asyncio.create_task(llama.events(CHAT, "Count to one thousand, in words.", temperature=1))

    async def generating() -> bool:
        return (await llama.ps())[0]["status"] == "generating"

    await until(generating)
    begun = asyncio.get_running_loop().time()
    await llama.post("/api/v1/models/unload", json={"instance_id": CHAT})
    assert asyncio.get_running_loop().time() - begun < 3
    assert [event["type"] for event in (await asking)[-2:]] == ["error", "chat.end"]


async def test_a_context_beyond_the_model_is_refused(llama):
    response = await llama.post("/api/v1/models/load", json={"model": CHAT, "context_length": 1_048_576})
    assert (response.status_code, response.json()["error"]["type"]) == (500, "model_load_failed")
    assert "maximum of 8192" in response.json()["error"]["message"]


async def test_a_prompt_beyond_the_context_is_llama_cpps_error(llama):
    await llama.load(CHAT, context_length=256)
    response = await llama.post("/api/v1/chat", json={"model": CHAT, "input": "word " * 400})
    assert response.status_code == 400
    assert "exceeds the available context size (256 tokens)" in response.json()["error"]["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal that kills")
async def test_a_dead_worker_is_an_unloaded_instance_and_a_log_line(llama, llama_lms, llama_server, until):
    await llama.load(CHAT)
    async with llama_lms.log("-s", "server") as next_event:
        workers(llama_server.pid)[0].kill()

        async def nothing() -> bool:
            return await llama.instances() == []

        await until(nothing)
        assert "has crashed without additional information. (Exit code: -9)" in (await next_event())["content"]
    await llama.chat(CHAT, "hi", max_output_tokens=4)


async def test_a_corrupt_file_fails_with_llama_cpps_reason(tmp_path):
    broken = tmp_path / "Broken-Q4_1.gguf"
    with find_model(None).open("rb") as whole:
        broken.write_bytes(whole.read(5_000_000))
    server = DemoServer("llama", model=broken, options=("--no-auth",))
    endpoint = await server.start()
    try:
        process = await asyncio.create_subprocess_exec(endpoint.lms, "load", "broken", "-y", stdout=-1, stderr=-1)
        _, err = await process.communicate()
        assert process.returncode == 1
        assert b"Failed to load LLM 'broken': Error: tensor 'token_embd.weight' data is not within" in err
    finally:
        await server.close()
        shutil.rmtree(tmp_path)


@pytest.mark.parametrize("killed", [False, True])
async def test_no_process_stays_behind(until, killed):
    server = DemoServer("llama", options=("--no-auth",))
    endpoint = await server.start()
    try:
        for key in (CHAT, EMBEDDING):
            process = await asyncio.create_subprocess_exec(endpoint.lms, "load", key, "-y", stdout=-1, stderr=-1)
            await process.communicate()
        family = [psutil.Process(endpoint.pid), *workers(endpoint.pid)]
        assert len(family) == 3
        if killed:
            family[0].kill()
    finally:
        await server.close()

    async def all_gone() -> bool:
        return all(gone(each) for each in family)

    await until(all_gone, timeout=5)
