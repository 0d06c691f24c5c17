"""`load` and `unload`: what they do, and that a context which is not there is told by words and the exit code."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lmdeck.demo.launch import DemoEndpoint
from lmdeck.feeds.sources import Sources
from lmdeck.model.log import LogEntry, RuntimeLine
from lmdeck.plain.listening import listening, wait_for_allocation
from lmdeck.plain.reader import Reader

KEY, CODER, EMBEDDER = "ha-expert", "qwen/qwen3-coder-30b", "text-embedding-nomic-embed-text-v1.5"


def test_a_load_reads_back_what_it_got(run, server) -> None:
    found = run("load", "Coder-30B", "--context", "16384")
    assert found.code == 0
    assert found.out.startswith(f"Loaded {CODER} in ")
    assert found.out.endswith("context 16384 ?\n")
    record = run("load", KEY, "--context", "4096", "--parallel", "2", "--json").json("load.json")
    assert (record["instance"], record["differs"], record["verdict"]) == (KEY, None, None)
    assert record["context"]["requested"] == {"tokens": 4096, "source": "this deck"}
    assert [one["slots"] for one in run("ps", "--json").json("ps.json")["instances"] if one["instance"] == KEY] == [2]


def test_a_context_that_is_there_is_proven(run, server) -> None:
    found = run("load", KEY, "--context", "8192", "--verify", "--json")
    assert found.code == 0
    record = found.json("load.json")
    assert record["context"]["mark"] == "agree"
    assert record["context"]["proven"]["refused"] is None
    assert "of 8192 tokens went in" in record["verdict"]
    assert "lmdeck load: verifying 8192 tokens: " in found.err


@pytest.mark.parametrize("fault", ["context_collapse", "context_deny"])
def test_a_context_that_collapsed_is_exit_code_5(fault, run, server, faults) -> None:
    faults(fault)
    found = run("load", CODER, "--context", "32768", "--verify", "--json")
    assert found.code == 5
    record = found.json("load.json")
    assert record["context"]["mark"] == "collapsed"
    assert record["context"]["collapse"].startswith("context collapsed: 32768 requested, 8")
    assert f"lmdeck load: {record['context']['collapse']}\n" in found.err
    assert record["context"]["reason"] in found.err


def test_the_real_engine_is_proven(run, llama_server: DemoEndpoint, monkeypatch) -> None:
    for name, value in (("URL", llama_server.url), ("LMS", llama_server.lms)):
        monkeypatch.setenv(f"LMDECK_{name}", value)
    monkeypatch.setenv("LM_API_TOKEN", llama_server.token)
    found = run("load", "135m-instruct", "--context", "256", "--verify")
    assert found.code == 0, found.err
    assert "context 256 ✓" in found.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nope"], 1, "no model 'nope'"),
        (["t"], 1, "may be any of ha-expert, qwen/qwen3-coder-next"),
        ([KEY, "--parallel", "2", "--batch", "512"], 2, "does not have eval_batch_size"),
        ([KEY, "--context", "0"], 2, "a number from 1 up"),
        ([KEY, "--gpu", "2"], 2, "max, off, or a number from 0 to 1"),
        ([EMBEDDER, "--verify"], 2, "an embedding model answers no prompts"),
        ([], 2, "KEY"),
    ],
)
def test_loads_that_are_not_tried(arguments, code, words, run, server) -> None:
    found = run("load", *arguments)
    assert (found.code, found.out) == (code, "")
    assert words in found.err
    assert run("ps", "--json").json("ps.json")["instances"] == []


def test_a_load_that_fails_says_why(run, server, faults) -> None:
    faults("load_fail")
    found = run("load", KEY)
    assert (found.code, found.out) == (1, "")
    assert "lmdeck load: load failed" in found.err


def test_without_lms_slots_cannot_be_set(run, server, monkeypatch) -> None:
    monkeypatch.setenv("LMDECK_LMS", "/absent/lms")
    found = run("load", KEY, "--parallel", "2")
    assert found.code == 1
    assert "by `lms load` only" in found.err


def test_unload(run, server) -> None:
    assert run("load", KEY).code == run("load", KEY).code == run("load", CODER).code == 0
    found = run("unload", KEY)
    assert (found.code, found.out) == (0, f"Unloaded {KEY}\n")
    wrong = run("unload", KEY)
    assert wrong.code == 1
    assert f"did you mean '{KEY}:2'" in wrong.err
    gone = run("unload", "--all", "--json").json("unload.json")["unloaded"]
    assert sorted(gone) == [f"{KEY}:2", CODER]
    assert run("unload", "--all").out == "nothing was unloaded\n"


@pytest.mark.parametrize("arguments", [[], [KEY, "--all"]])
def test_unload_must_be_told_what(arguments, run, server) -> None:
    assert run("unload", *arguments).code == 2


@pytest.mark.parametrize("arguments", [["load", KEY], ["unload", "--all"]])
def test_a_read_only_configuration_is_kept_to(arguments, run, server, tmp_path) -> None:
    (tmp_path / "ro.toml").write_text("read_only = true")
    found = run(*arguments, "--config", str(tmp_path / "ro.toml"))
    assert found.code == 2
    assert "read-only" in found.err


class FakeServer:
    """A backend and an `lms` of which only the log is asked."""

    url, has_token = "http://127.0.0.1:1234", False

    def __init__(self) -> None:
        self.closed = 0

    async def log(self, source: str) -> AsyncIterator[tuple[LogEntry, ...]]:
        try:
            if source == "runtime":
                lines = ("llama_context: n_ctx = 8192", "slot   load_model: id  0 | task -1 | new slot, n_ctx = 8192")
                yield tuple(RuntimeLine(1.0, text, instance_id=KEY, pid=7) for text in lines)
            await asyncio.Event().wait()
        finally:
            self.closed += 1


async def test_what_the_log_tells_meanwhile_is_known() -> None:
    fake = FakeServer()
    reader = Reader(Sources(backend=fake, cli=fake, cli_missing=None, open_machine=NotImplemented))  # type: ignore[arg-type]
    async with listening(reader, ("runtime", "server")):
        async with asyncio.timeout(30):
            await wait_for_allocation(reader, KEY)
        assert reader.state.allocations[KEY].n_ctx == 8192
    assert fake.closed == 2
