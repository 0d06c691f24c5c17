"""`lms` as a child process, played by a script."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lmdeck.backend import children, lms, logprocess
from lmdeck.backend.errors import CommandFailed
from lmdeck.backend.lms import Lms, find_lms
from lmdeck.backend.lmsoutput import activities, selected_runtime
from lmdeck.config.token import Token
from lmdeck.model.catalog import Activity
from lmdeck.model.log import DeckNote, LogEntry, PredictionInput, ServerLine

from .conftest import until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake lms is a shell script")

SECRET = "sk-lm-12345678:abcdefghijklmnopqrst"
INSTANCE = {
    "type": "llm",
    "modelKey": "ha-expert",
    "identifier": "ha-expert:2",
    "status": "generating",
    "queued": 2,
    "parallel": 4,
    "contextLength": 8192,
    "sizeBytes": 8400000000,
    "ttlMs": 3600000,
    "lastUsedTime": 1789795491321,
    "deviceIdentifier": None,
    "new": {},
}
LINE = '{"data":{"type":"server.log","content":"%s"}}'


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def seen_by(path: str) -> list:
    """What the fake wrote into `seen`."""
    return json.loads(Path(path).with_name("seen").read_text())


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert not children._live


def test_ps_records_with_everything_and_with_nothing():
    full = Activity("ha-expert:2", "ha-expert", "generating", 2, 4, 8192, 8400000000, 3600.0, 1789795491.321)
    assert activities([INSTANCE, {"identifier": "x"}, {"modelKey": "y"}, 3]) == (full, Activity("x", "x"))
    wrong = dict.fromkeys(INSTANCE, True) | {"identifier": "z"}
    assert activities([wrong]) == (Activity("z", "z"),)
    assert activities({"identifier": "x"}) is None


def test_the_selected_runtime_is_the_marked_gguf_row():
    table = (
        "LLM ENGINE                                     SELECTED  MODEL FORMAT\n"
        "llama.cpp-win-x86_64-vulkan-avx2@2.3.0                   GGUF\n"
        "mlx-llm-mac-arm64@1.0.0                        ✓         MLX\n"
        "llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0  ✓         GGUF\n"
    )
    assert selected_runtime(table) == "llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.3.0"
    assert selected_runtime("No runtimes installed\n") is None


def test_find_lms_looks_where_it_is_told_then_on_path_then_at_home(tmp_path):
    def program(*parts: str) -> str:
        path = tmp_path.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
        return str(path)

    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}
    assert find_lms(None, environ) is None
    old = program("home", ".cache", "lm-studio", "bin", "lms")
    assert find_lms(None, environ) == old
    new = program("home", ".lmstudio", "bin", "lms")
    assert find_lms(None, environ) == new
    on_path = program("bin", "lms")
    assert find_lms(None, environ) == on_path
    other = program("bin", "other")
    assert find_lms("other", environ) == other
    assert find_lms(str(tmp_path / "absent"), environ) == str(tmp_path / "absent")


async def test_ps_passes_address_and_token_the_right_way(fake_lms):
    path = fake_lms(
        "seen = [args, os.environ.get('LM_API_TOKEN'), os.environ.get('FORCE_COLOR')]\n"
        "(here / 'seen').write_text(json.dumps(seen))\n"
        f"print(json.dumps([json.loads({json.dumps(INSTANCE)!r})]))"
    )
    client = Lms(path, host="box.lan", port=4321, token=Token(SECRET))
    (activity,) = await client.ps()
    assert activity.instance_id == "ha-expert:2"
    seen = seen_by(path)
    assert seen == [["ps", "--json", "--host", "box.lan", "--port", "4321"], SECRET, None]
    assert SECRET not in repr(vars(client))
    for host, port in ((None, None), ("127.0.0.1", 1234), ("localhost", None)):
        await Lms(path, host=host, port=port).ps()
        assert seen_by(path)[0] == ["ps", "--json"]
    await Lms(path, port=5555).ps()
    assert seen_by(path)[0] == ["ps", "--json", "--host", "127.0.0.1", "--port", "5555"]


async def test_runtime_reads_the_table(fake_lms):
    path = fake_lms("print('LLM ENGINE SELECTED FORMAT\\n\\x1b[32mllama.cpp-linux@2.3.0\\x1b[0m  ✓  GGUF')")
    assert await Lms(path).runtime() == "llama.cpp-linux@2.3.0"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "print('[]'); print('Waking up…\\nError: no\\x1b[2J server', file=sys.stderr)",
            r"`lms ps --json`: no␛\[2J server$",
        ),
        ("print('boom', file=sys.stderr); sys.exit(3)", "`lms ps --json`: boom$"),
        ("sys.exit(7)", "exit code 7"),
        ("print('No Models Loaded')", "without a JSON list"),
        ("print('{}')", "without a JSON list"),
        ("sys.stdout.write(' ' * 2**20 * 20)", "printed more than 16 MiB"),
    ],
)
async def test_a_call_that_fails_says_so_in_its_own_words(fake_lms, code, words):
    with pytest.raises(CommandFailed, match=words):
        await Lms(fake_lms(code)).ps()


async def test_an_lms_that_is_not_there_or_cannot_run(tmp_path):
    with pytest.raises(CommandFailed, match=r"absent cannot be run: No such file"):
        await Lms(str(tmp_path / "absent")).ps()
    (tmp_path / "text").write_text("no program")
    with pytest.raises(CommandFailed, match=r"text cannot be run: Permission denied"):
        await Lms(str(tmp_path / "text")).ps()


async def test_stderr_without_end_is_drained_and_bounded(fake_lms):
    path = fake_lms("sys.stderr.write('noise\\n' * 500_000)\nprint('last words', file=sys.stderr)\nsys.exit(1)")
    with pytest.raises(CommandFailed, match="last words"):
        await Lms(path).ps()


HANG = "(here / 'pid').write_text(str(os.getpid()))\nprint('started', flush=True)\ntime.sleep(600)"


def pid_of(path: str) -> int:
    file = Path(path).with_name("pid")
    return int(file.read_text() or 0) if file.exists() else 0


async def test_a_call_that_hangs_is_killed_with_its_children(fake_lms, monkeypatch):
    monkeypatch.setattr(lms, "CALL_S", 1.0)
    path = fake_lms(HANG)
    with pytest.raises(CommandFailed, match="no answer within 1 s"):
        await Lms(path).ps()
    await until(lambda: not alive(pid_of(path)))


async def test_a_child_that_ignores_sigterm_is_killed(fake_lms, monkeypatch):
    monkeypatch.setattr(children, "GRACE_S", 0.1)
    path = fake_lms("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + HANG)
    task = asyncio.create_task(Lms(path).ps())
    await until(lambda: pid_of(path) > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not alive(pid_of(path)))


@pytest.mark.parametrize("way", ["aclose", "cancel", "close"])
async def test_a_log_stream_ends_its_process(fake_lms, way, monkeypatch):
    monkeypatch.setattr(children, "GRACE_S", 5.0)
    path = fake_lms(f"print({LINE % 'x'!r}, flush=True)\n" + HANG)
    client = Lms(path)
    entries: list[LogEntry] = []

    async def read() -> None:
        async for batch in client.log("server"):
            entries.extend(batch)

    if way == "aclose":
        stream = client.log("server")
        entries.extend(await anext(stream))
        await until(lambda: pid_of(path) > 0)
        began = time.monotonic()
        await stream.aclose()
    else:
        task = asyncio.create_task(read())
        await until(lambda: bool(entries) and pid_of(path) > 0)
        began = time.monotonic()
        if way == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            await client.close()
            await asyncio.wait_for(task, 5)  # it ends by itself, without a note
            assert not any(isinstance(entry, DeckNote) for entry in entries)
            with pytest.raises(CommandFailed):
                await client.ps()
    assert time.monotonic() - began < children.GRACE_S  # asked once, and gone
    await until(lambda: not alive(pid_of(path)))
    assert isinstance(entries[0], ServerLine)


async def test_log_arguments_by_source(fake_lms):
    path = fake_lms(f"(here / 'seen').write_text(json.dumps(args))\nprint({LINE % 'x'!r}, flush=True)\ntime.sleep(600)")
    client = Lms(path)
    for source, more in (("model", ["--stats", "--filter", "input,output"]), ("server", []), ("runtime", [])):
        stream = client.log(source)
        await anext(stream)
        await stream.aclose()
        assert seen_by(path) == ["log", "stream", "--json", "-s", source, *more]


async def test_a_stream_that_ends_starts_again_and_says_why(fake_lms, monkeypatch):
    monkeypatch.setattr(logprocess, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(logprocess, "LAST_PAUSE_S", 0.02)
    path = fake_lms(
        "runs = here / 'runs'\nrun = int(runs.read_text()) if runs.exists() else 0\nruns.write_text(str(run + 1))\n"
        "print('Streaming logs from LM Studio', file=sys.stderr)\n"
        "if run < 4:\n    print('Error: LM Studio quit', file=sys.stderr)\n    sys.exit(1)\n"
        f"print({LINE % 'back'!r}, flush=True)\ntime.sleep(600)"
    )
    entries: list[LogEntry] = []
    async for batch in (stream := Lms(path).log("server")):
        entries.extend(batch)
        if isinstance(entries[-1], ServerLine):
            break
    await stream.aclose()
    assert [entry.text for entry in entries] == [
        "log stream (server) ended: Error: LM Studio quit; again in 0.01 s",
        "log stream (server) is back",
        "back",
    ]


async def test_health_resets_the_pause(fake_lms, monkeypatch):
    monkeypatch.setattr(logprocess, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(logprocess, "HEALTHY_S", 0.0)
    notes: list[LogEntry] = []
    async for batch in (stream := Lms(fake_lms(f"print({LINE % 'x'!r})")).log("server")):
        notes += [entry for entry in batch if isinstance(entry, DeckNote) and "again" in entry.text]
        if len(notes) == 3:
            break
    await stream.aclose()
    assert {note.text for note in notes} == {"log stream (server) ended: exit code 0, without a word; again in 0.01 s"}


async def test_a_missing_lms_is_told_in_the_log(tmp_path):
    stream = Lms(str(tmp_path / "absent")).log("model")
    (note,) = await anext(stream)
    await stream.aclose()
    assert isinstance(note, DeckNote)
    assert "absent cannot be run: No such file or directory; again in 0.5 s" in note.text


async def test_a_line_of_ten_megabytes_comes_through(fake_lms):
    path = fake_lms(
        "line = json.dumps({'data': {'type': 'llm.prediction.input', 'input': 'x' * 10_000_000}})\n"
        "print(line, flush=True)\ntime.sleep(600)"
    )
    stream = Lms(path).log("model")
    (entry,) = await anext(stream)
    await stream.aclose()
    assert isinstance(entry, PredictionInput)
    assert len(entry.text) == 10_000_000


async def test_a_writer_that_is_too_fast_waits_for_the_reader(fake_lms):
    lines, size = 5_000, 1_000
    path = fake_lms(
        f"progress = open(here / 'progress', 'w')\nfor number in range({lines}):\n"
        f"    data = {{'type': 'server.log', 'content': str(number).ljust({size})}}\n"
        "    print(json.dumps({'data': data}), flush=True)\n"
        "    progress.seek(0); progress.write(str(number)); progress.flush()\ntime.sleep(600)"
    )
    progress = Path(path).with_name("progress")
    stream = Lms(path).log("server")
    entries = list(await anext(stream))
    before = -1
    while (now := int(progress.read_text() or 0)) != before:  # until the writer stands still
        before = now
        await asyncio.sleep(0.2)
    assert now < lines / 5  # the pipe holds 64 KiB, we hold about as much; it could have written 5 MB
    async for batch in stream:
        entries.extend(batch)
        if len(entries) == lines:
            break
    await stream.aclose()
    assert [int(entry.text) for entry in entries] == list(range(lines))


async def test_entries_gather_into_few_batches(fake_lms):
    path = fake_lms(
        f"for _ in range(300):\n    print({LINE % 'x'!r}, flush=True)\n    time.sleep(0.001)\ntime.sleep(600)"
    )
    stream = Lms(path).log("server")
    sizes = []
    began = time.monotonic()
    async for batch in stream:
        sizes.append(len(batch))
        if sum(sizes) == 300:
            break
    await stream.aclose()
    assert len(sizes) <= (time.monotonic() - began) / logprocess.BATCH_S + 2


def test_a_program_that_ends_on_an_error_leaves_no_child(fake_lms):
    path = fake_lms(HANG)
    program = f"""
import asyncio
from lmdeck.backend.lms import Lms
async def main():
    stream = Lms({path!r}).log("server")
    task = asyncio.ensure_future(anext(stream))
    import pathlib
    while not pathlib.Path({path!r}).with_name("pid").exists():
        await asyncio.sleep(0.01)
    print("up", flush=True)
    raise RuntimeError("a crash")
asyncio.new_event_loop().run_until_complete(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert done.stdout == b"up\n"
    assert done.returncode == 1
    assert not alive(pid_of(path))


def test_killing_twice_is_harmless():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as process:
        children._live.add(process.pid)
        children.kill_all()
        children.kill_all()
        assert process.wait(10) == -signal.SIGKILL
