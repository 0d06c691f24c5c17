"""`lms ls` and `lms load`: what they print, and loads that fail, lie, hang or are given up."""

import asyncio
import json
import os
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from lmdeck.backend import children, lms
from lmdeck.backend.errors import CommandFailed, LoadFailed
from lmdeck.backend.lms import Lms
from lmdeck.backend.lmsload import figure, identifier, load_seconds
from lmdeck.backend.lmsoutput import model_files
from lmdeck.config.token import Token
from lmdeck.demo.launch import DemoEndpoint
from lmdeck.model.catalog import InstanceConfig, ModelFile
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.outlook import LmsFigure

from .conftest import until

posix = pytest.mark.skipif(os.name == "nt", reason="Windows runs no shell scripts, and the fake lms is one")
GIB, MIB = 2**30, 2**20
QWEN = "qwen/qwen3"
ESTIMATE = """\
Model: qwen/qwen3
Context Length: 8,192
GPU Offload: 100%
Estimated GPU Memory:   11.47 GiB
Estimated Total Memory: 1,024.50 MiB
Confidence: LOW

Estimate: This model may be loaded based on your resource guardrails settings.
"""
LOADED = 'Model loaded successfully in 2.10s.\n(768.72 MiB)\nTo use the model in the API/SDK, use the identifier "{}".'


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert not children._live


def test_files_with_everything_and_with_nothing():
    whole = {"modelKey": "a", "path": "p/a.gguf", "sizeBytes": 5, "deviceIdentifier": "box", "new": 1}
    odd = {"modelKey": "b", "path": "b.gguf", "sizeBytes": "5", "deviceIdentifier": 3}
    found = model_files([whole, {"modelKey": "c"}, {"path": "d"}, None, odd])
    assert found == (ModelFile("a", "p/a.gguf", 5, "box"), ModelFile("b", "b.gguf"))
    assert model_files({"modelKey": "a"}) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (ESTIMATE, LmsFigure(round(11.47 * GIB), round(1024.5 * MIB), True, True)),
        (ESTIMATE.upper(), LmsFigure(round(11.47 * GIB), round(1024.5 * MIB), True, True)),
        ("Estimated GPU Memory: \x1b[32m11.47 GB\x1b[39m", LmsFigure(11_470_000_000, None)),
        ("Estimated Total Memory: 1,234,567 B", LmsFigure(None, 1_234_567)),
        ("Estimated Total Memory: 11,47 GB", LmsFigure(None, 11_470_000_000)),
        ("Estimated GPU Memory: ? GiB\nthis model will\nfail to load based", LmsFigure(None, None, False, False)),
        ("Estimated GPU Memory: much", None),
        ("", None),
    ],
)
def test_the_estimate_as_far_as_it_can_be_read(said, found):
    assert figure(said) == found


@pytest.mark.parametrize(
    ("said", "name", "seconds"),
    [
        (LOADED.format("\x1b[32mqwen/qwen3:2\x1b[39m"), "qwen/qwen3:2", 2.1),
        ("Model loaded successfully on box in 1m 2.5s.", None, 62.5),
        ("Modell geladen", None, None),
    ],
)
def test_what_a_load_says_of_itself(said, name, seconds):
    assert (identifier(said), load_seconds(said)) == (name, seconds)


FAKE = """
state = here / 'state'
loaded = json.loads(state.read_text()) if state.exists() else []
with open(here / 'calls', 'a') as calls: calls.write(json.dumps(args) + '\\n')
def put(name, key={key!r}, **more):
    loaded.append({{'identifier': name, 'modelKey': key, 'contextLength': 8192, 'parallel': 2, **more}})
    state.write_text(json.dumps(loaded))
if args[0] == 'ps':
    print(json.dumps(loaded)); sys.exit(0)
"""


@pytest.fixture
def loading(fake_lms):
    """Makes an `lms` whose `load` runs the given code, with `put` to add an instance."""
    return lambda code: Lms(fake_lms(FAKE.format(key=QWEN) + code), host="box", port=4321)


def say(text: str) -> str:
    return f"print({text!r}, file=sys.stderr)\n"


def calls(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


@posix
async def test_a_load_ends_with_the_instance_that_ps_lists(loading, tmp_path):
    client = loading("put('qwen/qwen3:2')\n" + say(LOADED.format("qwen/qwen3:2")))
    request = LoadRequest(QWEN, context_length=8192, parallel=2, gpu=1.0, ttl_s=60)
    assert await client.load(request) == LoadResult("qwen/qwen3:2", 2.1, "loaded", InstanceConfig(8192, 2))
    address = ["--host", "box", "--port", "4321"]
    load = ["load", "-c", "8192", "--parallel", "2", "--gpu", "max", "--ttl", "60", "-y", QWEN, *address]
    assert calls(tmp_path) == [["ps", "--json", *address], load, ["ps", "--json", *address]]


@posix
async def test_a_key_that_begins_with_a_dash_is_no_option(loading, tmp_path):
    client = loading("put('x')\n" + say(LOADED.format("x")))
    await client.load(LoadRequest("-odd"))
    assert calls(tmp_path)[1] == ["load", "-y", "--host", "box", "--port", "4321", "--", "-odd"]


@posix
@pytest.mark.parametrize(
    ("code", "request_", "name"),
    [
        ("put('qwen/qwen3:2')", LoadRequest(QWEN), "qwen/qwen3:2"),
        ("put('mine', 'other'); put('own')", LoadRequest("own", identifier="mine"), "mine"),
        ("put('other', 'other'); put('late')", LoadRequest(f"{QWEN}@q4_k_m"), "late"),
        ("put('real')\n" + say(LOADED.format("wrong")), LoadRequest(QWEN), "real"),
    ],
)
async def test_an_instance_that_is_not_named_is_the_one_that_came(loading, code, request_, name):
    assert (await loading(code).load(request_)).instance_id == name


@posix
@pytest.mark.parametrize("words", [LOADED.format("qwen/qwen3"), ""])
async def test_exit_code_0_proves_nothing(loading, words):
    with pytest.raises(LoadFailed, match="but `lms ps` does not list qwen/qwen3"):
        await loading(say(words)).load(LoadRequest(QWEN))


@posix
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (
            say('Loading model "qwen/qwen3"...\nLoading 60%\nError: Failed to load model\nOut of memory')
            + "sys.exit(1)",
            LoadFailed,
            "Failed to load model Out of memory",
        ),
        (say("Error: insufficient system resources") + "sys.exit(0)", LoadFailed, "insufficient system resources"),
        (
            say("Loading 10%\nModel not found\nNo model found that matches") + "sys.exit(1)",
            LoadFailed,
            "Model not found",
        ),
        (say("Error: connect ECONNREFUSED 127.0.0.1:1234") + "sys.exit(1)", CommandFailed, "ECONNREFUSED"),
        (say("error: unknown option '--parallel'") + "sys.exit(1)", CommandFailed, "unknown option"),
        ("sys.exit(7)", LoadFailed, "exit code 7"),
    ],
)
async def test_a_load_that_fails_says_why(loading, code, kind, words):
    with pytest.raises(kind, match=words) as caught:
        await loading(code).load(LoadRequest(QWEN))
    assert type(caught.value) is kind
    assert "Loading" not in caught.value.detail


@posix
async def test_giving_a_load_up_is_ctrl_c_and_its_end_is_awaited(loading, tmp_path):
    client = loading(
        "try:\n    (here / 'begun').touch(); time.sleep(600)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.3); (here / 'stopped').touch(); sys.exit(1)"
    )
    task = asyncio.create_task(client.load(LoadRequest(QWEN)))
    await until((tmp_path / "begun").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "stopped").exists()


@posix
async def test_one_that_does_not_hear_it_is_killed(loading, tmp_path, monkeypatch):
    monkeypatch.setattr(lms, "INTERRUPT_S", 0.1)
    monkeypatch.setattr(children, "GRACE_S", 0.1)
    client = loading(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "(here / 'begun').touch()\ntime.sleep(600)"
    )
    task = asyncio.create_task(client.load(LoadRequest(QWEN)))
    await until((tmp_path / "begun").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


@posix
async def test_a_load_may_take_longer_than_any_other_call(loading, monkeypatch):
    client = loading("time.sleep(0.8); put('x'); " + say(LOADED.format("x")))
    monkeypatch.setattr(lms, "CALL_S", 0.6)
    assert (await client.load(LoadRequest(QWEN))).instance_id == "x"


@posix
async def test_an_estimate_loads_nothing_and_asks_without_what_does_not_matter(fake_lms, tmp_path):
    path = fake_lms("(here / 'seen').write_text(json.dumps(args))\n" + say(ESTIMATE))
    request = LoadRequest(QWEN, context_length=8192, parallel=4, gpu=0.5, ttl_s=60, identifier="x")
    assert await Lms(path).estimate(request) == figure(ESTIMATE)
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen == ["load", "--estimate-only", "-c", "8192", "--parallel", "4", "--gpu", "0.5", "-y", QWEN]
    with pytest.raises(CommandFailed, match="told no figure"):
        await Lms(fake_lms("")).estimate(request)
    with pytest.raises(CommandFailed, match="no such model"):
        await Lms(fake_lms(say("Error: no such model") + "sys.exit(1)")).estimate(request)


@posix
async def test_ls_reads_the_list(fake_lms):
    assert await Lms(fake_lms('print(\'[{"modelKey": "a", "path": "b"}]\')')).ls() == (ModelFile("a", "b"),)
    with pytest.raises(CommandFailed, match="`lms ls --json` answered without a JSON list"):
        await Lms(fake_lms("print('No models')")).ls()


def of(endpoint: DemoEndpoint) -> Lms:
    return Lms(endpoint.lms, token=Token(endpoint.token))


async def test_against_the_demo(scripted_server):
    client = of(scripted_server)
    files = await client.ls()
    assert ModelFile("ha-expert", "local/ha-expert/ha-expert-Q8_0.gguf", 8_400_000_000) in files
    request = LoadRequest("ha-expert", context_length=8192, parallel=2, identifier="mine")
    estimate = await client.estimate(request)
    assert estimate == await client.estimate(LoadRequest("ha-expert", context_length=8192))
    assert estimate.gpu_bytes == estimate.total_bytes
    assert (estimate.will_load, estimate.low_confidence) == (True, False)
    loaded = await client.load(request)
    assert (loaded.instance_id, loaded.config) == ("mine", InstanceConfig(8192, 2))
    with pytest.raises(LoadFailed, match="already in use"):
        await client.load(request)
    with pytest.raises(LoadFailed, match="exceeds the model's maximum of 32768"):
        await client.load(LoadRequest("ha-expert", context_length=65_536, parallel=2))


async def test_the_demos_files_are_where_ls_says(llama_server):
    files = await of(llama_server).ls()
    assert files
    for file in files:
        assert os.path.getsize(f"{llama_server.models}/{file.path}") == file.size_bytes  # noqa: ASYNC240


async def free_again(client: Lms, request: LoadRequest) -> LoadResult:
    """The load, tried until its identifier is no longer in use."""
    while True:
        try:
            return await client.load(request)
        except LoadFailed as error:
            if "already in use" not in str(error):
                raise


@posix
async def test_a_load_given_up_leaves_nothing_on_the_demo_server(scripted_server):
    headers = {"authorization": f"Bearer {scripted_server.token}"}
    client, request = of(scripted_server), LoadRequest("ha-expert", identifier="late")
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=scripted_server.url, headers=headers) as http:
        await http.post("/demo/faults", json={"timings": "load=30"})
        async with http.stream("GET", "/demo/logs?source=server") as log, aclosing(log.aiter_lines()) as lines:
            await anext(lines)  # it listens
            task = asyncio.create_task(client.load(request))
            async for line in lines:
                if "Loading model 'late'" in line:
                    break
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await http.post("/demo/faults", json={"timings": "load=0"})
        assert (await free_again(client, request)).instance_id == "late"
