"""Contexts that are not what was asked for: what the API says, what the runtime's log says, and what prompts find."""

import pytest

from lmdeck.demo.engines.context import arrange, short
from lmdeck.demo.faults import Faults

QWEN, SMOLLM = "qwen/qwen3-coder-30b", "smollm2-135m-instruct"
LONG = "word " * 9000


@pytest.mark.parametrize(
    ("asked", "left"), [(131072, 8192), (8193, 8192), (8192, 2048), (4096, 1024), (1000, 256), (256, 256), (100, 100)]
)
def test_a_short_context_suits_small_ones_too(asked, left):
    assert short(asked) == left


def test_only_what_an_engine_can_have_is_taken():
    faults = Faults(["context_deny*1", "context_collapse*1"])
    assert arrange(32768, 262144, faults, {"context_collapse"}).allocated == 8192
    assert faults.active() == ["context_deny"]
    assert arrange(32768, 262144, faults).usable == 8192
    assert arrange(32768, 262144, faults).usable == 32768


async def reported(api, key: str = QWEN) -> set[int]:
    """What every endpoint says of the one instance's context."""
    (instance,) = (await api.models())[key]["loaded_instances"]
    (listed,) = await api.ps()
    v0 = (await api.get(f"/api/v0/models/{key}")).json()
    return {instance["config"]["context_length"], listed["contextLength"], v0["loaded_context_length"]}


async def logged(next_event, name: str = "n_ctx ") -> int:
    """The number after a name in the runtime's log."""
    while f": {name}" not in (message := (await next_event())["message"]):
        pass
    return int(message.rpartition("=")[2])


async def tried(api, words: int, key: str = QWEN) -> int | str:
    """The input tokens of a prompt of so many words, or the words of its refusal."""
    body = {"model": key, "input": "word " * words, "max_output_tokens": 1}
    answer = await api.post("/api/v1/chat", json=body)
    found = answer.json()
    return found["stats"]["input_tokens"] if answer.status_code == 200 else found["error"]["message"]


async def load(api, lms, fault: str, context: int = 32_768) -> int:
    """Load under a fault; answers the context in the runtime's log."""
    await api.faults(f"{fault}*1")
    async with lms.log("-s", "runtime") as next_event:
        loaded = await api.load(QWEN, context_length=context, echo_load_config=True)
        return (await logged(next_event)) if loaded["load_config"]["context_length"] == context else -1


async def test_collapse_is_in_the_log_and_real_but_not_in_the_api(api, lms):
    assert await load(api, lms, "context_collapse") == 8192
    assert await reported(api) == {32_768}
    assert await tried(api, 8000) > 8000
    assert "n_ctx: 8192" in await tried(api, 9000)


async def test_deny_shows_in_an_experiment_only(api, lms):
    assert await load(api, lms, "context_deny") == 32_768
    assert await reported(api) == {32_768}
    assert await tried(api, 8000) > 8000
    assert "n_ctx: 8192" in await tried(api, 9000)


async def test_mislabel_is_a_number_in_the_api_and_nothing_else(api, lms):
    assert await load(api, lms, "context_mislabel") == -1  # the echo is wrong, too
    assert await reported(api) == {262_144}
    assert await tried(api, 30_000) > 30_000
    assert "n_ctx: 32768" in await tried(api, 33_000)


async def test_drift_comes_with_the_first_prompt(api, lms):
    assert await load(api, lms, "context_drift") == 32_768
    assert await reported(api) == {32_768}
    async with lms.log("-s", "runtime") as next_event:
        assert await tried(api, 10) > 10
        lines = [(await next_event())["message"] for _ in range(2)]
    assert lines[1].endswith("configured=32,768 fitted=28,672")
    assert await reported(api) == {28_672}
    assert "n_ctx: 28672" in await tried(api, 30_000)


async def test_truncate_counts_what_was_kept_and_keeps_both_ends(api, lms):
    assert await load(api, lms, "context_truncate") == 32_768
    assert await tried(api, 8000) > 8000
    assert await tried(api, 20_000) == 8192
    await api.faults(timings="rate=1000000")
    answer = await api.chat(QWEN, f"first {LONG} last", max_output_tokens=9000)
    said = answer["output"][0]["content"]
    assert said.startswith("You said: first word")
    assert said.split()[-2:] == ["word", "last"]
    assert len(said.split()) < 8192


async def test_a_code_in_the_prompt_is_found_while_it_is_there(api):
    await api.load(QWEN, context_length=16_384)
    question = "What is the secret code from the beginning? Answer with the code only."
    answer = await api.chat(QWEN, f"The secret code is AMBER-1234. Keep it in mind. {LONG} {question}")
    assert answer["output"][0]["content"] == "AMBER-1234"
    assert (await api.chat(QWEN, question))["output"][0]["content"] == "I was told no secret code."


async def test_the_real_engine_collapses_for_real(llama, llama_lms):
    await llama.faults("context_collapse*1")
    async with llama_lms.log("-s", "runtime") as next_event:
        loaded = await llama.load(SMOLLM, context_length=4096, echo_load_config=True)
        assert loaded["load_config"]["context_length"] == 4096
        assert await logged(next_event) == 1024
    assert await reported(llama, SMOLLM) == {4096}
    assert await tried(llama, 200, SMOLLM) > 200
    assert "exceeds the available context size (1024 tokens)" in await tried(llama, 1100, SMOLLM)
