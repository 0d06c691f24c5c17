"""The demo's `lms`, as lms-cli.md describes the real one: streams, exit codes, shapes."""

import asyncio
import json
import re
import signal
import sys

import httpx
import pytest

from lmdeck.demo.launch import DemoServer

QWEN = "qwen/qwen3-coder-30b"


async def test_ls_lists_models_and_ps_instances(lms):
    models = (await lms("ls", "--json")).json
    qwen = next(model for model in models if model["modelKey"] == QWEN)
    assert qwen["quantization"] == {"name": "Q4_K_M", "bits": 4}
    assert qwen["deviceIdentifier"] is None
    assert {"path", "sizeBytes", "indexedModelIdentifier", "paramsString", "maxContextLength", "vision"} <= qwen.keys()
    assert (await lms("ps", "--json")).json == []
    loading = ("load", QWEN, "-c", "8192", "--parallel", "2", "--gpu", "max", "--ttl", "600", "--identifier", "q", "-y")
    loaded = await lms(*loading)
    assert (loaded.code, loaded.out) == (0, "")
    *_, took, size, name = loaded.err.splitlines()
    assert re.fullmatch(r"Model loaded successfully in \d+\.\d\ds\.", took)
    assert (size, name) == ("(16.21 GiB)", 'To use the model in the API/SDK, use the identifier "q".')
    (instance,) = (await lms("ps", "--json")).json
    assert qwen.items() <= instance.items()
    shown = {name: instance[name] for name in ("identifier", "ttlMs", "contextLength", "status", "queued", "parallel")}
    assert shown == {
        "identifier": "q",
        "ttlMs": 600_000,
        "contextLength": 8192,
        "status": "idle",
        "queued": 0,
        "parallel": 2,
    }
    assert instance["lastUsedTime"] > 1.7e12
    assert QWEN in (await lms("ls")).out
    assert "600s" in (await lms("ps")).out


async def test_unload_by_name_and_all(lms):
    await lms("load", "ha-expert", "-y")
    unloaded = await lms("unload", "ha-expert")
    assert (unloaded.code, unloaded.out, "unloaded" in unloaded.err) == (0, "", True)
    again = await lms("unload", "ha-expert")
    assert again.code == 0
    assert again.err.startswith('Error: Model "ha-expert" not found')
    await lms("load", "ha-expert", "-y")
    assert (await lms("unload", "--all")).err == "Unloaded 1 models.\n"
    assert (await lms("ps", "--json")).json == []


async def test_status_words(lms, scripted_server):
    port = scripted_server.url.rpartition(":")[2]
    assert (await lms("status")).out == f"Server: ON (port: {port})\n\nNo Models Loaded\n"
    await lms("load", "ha-expert", "-y")
    assert (await lms("status")).out.endswith("Loaded Models\n  · ha-expert - 8.40 GB\n")
    assert (await lms("server", "status", "--json", "--quiet")).json == {"running": True, "port": int(port)}


async def test_estimates_go_to_stderr_and_load_nothing(lms):
    small = await lms("load", "--estimate-only", QWEN, "-c", "8192", "--gpu", "max", "-y")
    assert (small.code, small.out) == (0, "")
    lines = small.err.splitlines()
    assert lines[:3] == [f"Model: {QWEN}", "Context Length: 8,192", "GPU Offload: 100%"]
    assert lines[3].startswith("Estimated GPU Memory:   17.0")
    assert lines[-1] == "Estimate: This model may be loaded based on your resource guardrails settings."
    assert (await lms("load", "--estimate-only", QWEN, "-c", "8192", "--gpu", "max", "--parallel", "16", "-y")) == small
    big = await lms("load", "--estimate-only", "qwen/qwen3-coder-next", "-y")
    assert "will fail to load" in big.err
    assert (await lms("ps", "--json")).json == []


async def test_runtime_and_version(lms):
    rows = [line.split() for line in (await lms("runtime", "ls")).out.splitlines()]
    assert rows == [
        ["LLM", "ENGINE", "SELECTED", "MODEL", "FORMAT"],
        ["llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0", "✓", "GGUF"],
    ]
    (engine,) = (await lms("runtime", "survey", "--json")).json["engines"]
    assert engine["hardwareSurvey"]["gpuSurveyResult"]["gpuInfo"][0]["totalMemoryCapacityBytes"] == 24 * 2**30
    assert engine["memoryInfo"]["ramCapacity"] > 0
    assert (await lms("version", "--json")).json["version"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("load", "nope", "-y"), "Error: Model nope not found in downloaded models"),
        (("log", "stream", "-s", "server", "--stats"), "Error: --stats and --filter can only be used"),
        (("unload",), "Error: Name the model"),
        (("ps", "--port", "1"), "Error: Cannot connect to LM Studio on 127.0.0.1:1."),
    ],
)
async def test_errors_are_words_on_stderr(lms, arguments, words):
    ran = await lms(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err


async def test_a_wrong_token_is_refused(lms):
    ran = await lms("ps", "--json", token="sk-lm-XXXXXXXX:YYYYYYYYYYYYYYYYYYYY")
    assert (ran.code, ran.out) == (1, "")
    assert "token provided is not valid" in ran.err


async def test_the_public_port_is_reachable_with_host_and_port(lms, scripted_server):
    port = scripted_server.url.rpartition(":")[2]
    assert (await lms("ps", "--json", "--host", "127.0.0.1", "--port", port)).json == []


async def test_runtime_lines_of_a_load(api, lms):
    async with lms.log("-s", "runtime") as next_event:
        await api.load(QWEN, context_length=16_384)
        lines = []
        while "llama_kv_cache: size" not in (lines[-1]["message"] if lines else ""):
            lines.append(await next_event())
    assert {line["engineName"] for line in lines} == {"llama.cpp-win-x86_64-nvidia-cuda12-avx2"}
    assert {line["modelIdentifier"] for line in lines} == {QWEN}
    assert "llama_context: n_ctx         = 16384" in [line["message"] for line in lines]


async def test_a_filter_passes_outputs_only(api, lms):
    await api.load(QWEN)
    async with lms.log("--stats", "--filter", "output") as next_event:
        await api.chat(QWEN, "one")
        await api.chat(QWEN, "two")
        assert [(await next_event())["output"] for _ in range(2)] == ["You said: one", "You said: two"]


async def test_without_json_events_are_text(api, lms):
    await api.load(QWEN)
    process = await lms.spawn("log", "stream", "--stats")
    await process.stderr.readline()
    await api.chat(QWEN, "one")
    text = b""
    while b"stopReason" not in text:
        text += await asyncio.wait_for(process.stdout.readline(), 10)
    process.kill()
    await process.communicate()
    assert b"type: llm.prediction.input\n" in text
    assert b"output: You said: one\n" in text


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to one process is POSIX; Windows sends Ctrl+C to a console")
async def test_interrupting_a_load_stops_it(api, lms, until):
    await api.faults(timings="load=30")
    process = await lms.spawn("load", QWEN, "-y")
    while b"Loading 0%" not in await asyncio.wait_for(process.stderr.readline(), 10):
        pass
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert err.endswith(b"Load cancelled.\n")
    assert process.returncode == 1
    await api.faults(timings="load=0")
    await until(lambda: _free_id(api))


async def _free_id(api) -> bool:
    """Whether the name of the interrupted load is free again: a load gets it."""
    loaded = await api.load(QWEN)
    await api.post("/api/v1/models/unload", json={"instance_id": loaded["instance_id"]})
    return loaded["instance_id"] == QWEN


async def test_the_server_stops_and_starts_on_its_port():
    server = DemoServer("scripted", options=("--no-auth",))
    endpoint = await server.start()
    try:
        assert endpoint.token == ""

        async def run(*arguments: str) -> bytes:
            process = await asyncio.create_subprocess_exec(endpoint.lms, *arguments, stdout=-1, stderr=-1)
            out, _ = await process.communicate()
            return out

        async with httpx.AsyncClient(base_url=endpoint.url, trust_env=False) as client:
            assert (await client.get("/api/v1/models")).status_code == 200
            await run("server", "stop")
            with pytest.raises(httpx.TransportError):
                await client.get("/lmstudio-greeting")
            assert await run("status") == b"Server:  OFF\n"
            assert json.loads(await run("server", "status", "--json")) == {"running": False}
            await run("server", "start")
            assert (await client.get("/lmstudio-greeting")).json() == {"lmstudio": True}
    finally:
        await server.close()


async def test_quiet_silences_the_words(lms):
    loaded = await lms("load", "ha-expert", "-y", "--quiet")
    assert (loaded.code, loaded.out, loaded.err) == (0, "", "")
    assert len((await lms("ps", "--json", "--quiet")).json) == 1
