"""What a verification finds out about servers that keep, refuse, cut, swallow and forget."""

import asyncio
from contextlib import aclosing

import pytest

from lmdeck.backend.dialects import native
from lmdeck.backend.errors import BackendError, BadReply, Refused, StreamCut, Unauthorized, Unreachable
from lmdeck.experiments.search import tolerance
from lmdeck.experiments.verify import cost, plan, seconds_left, verify
from lmdeck.model.context import ContextReading
from lmdeck.model.experiment import Probe, Verified


async def outcome(backend, context: int, *, reasoning_off: bool = False) -> Verified:
    steps = [step async for step in verify(backend, plan("m", context), reasoning_off=reasoning_off)]
    *probes, verified = steps
    assert isinstance(verified, Verified)
    assert verified.probes == tuple(probes)
    assert backend.open == 0
    return verified


def test_the_plan_says_what_it_costs():
    cheap, timed = plan("m", 32768), plan("m", 32768, prompt_speed=1000.0)
    assert cheap.seconds is None
    assert plan("m", 32768, prompt_speed=0).seconds is None
    assert timed.seconds == pytest.approx(61.376)
    assert cost(timed) == (6, 61376)


def test_the_time_left_comes_from_the_last_growth():
    planned = plan("m", 2048)
    controls = (Probe(70, 70, 1.0), Probe(240, 240, 1.0))
    assert seconds_left(planned, controls) is None
    grown = (*controls, Probe(512, 512, 2.0), Probe(1024, 1024, 4.0))
    assert seconds_left(planned, grown) == pytest.approx((1984 - 1024) * 4.0 / 512)
    assert seconds_left(planned, (*grown, Probe(1984, refusal="too long"))) is None


@pytest.mark.parametrize("context", [512, 2048, 32768, 1048576])
@pytest.mark.parametrize("per_word", [0.8, 1.0, 1.37])
async def test_a_context_that_is_there_is_proven_nearly_whole(fake, context, per_word):
    found = await outcome(fake(context=context, per_word=per_word), context)
    assert found.proof is not None
    assert found.proof.refused is None
    assert context - 72 <= found.proof.tokens < context
    assert found.words == f"{found.proof.tokens} of {context} tokens went in and the needle came back."
    assert all(probe.passed and probe.needle for probe in found.probes)


async def test_what_is_sent(fake):
    backend = fake()
    await outcome(backend, 2048, reasoning_off=True)
    for request in backend.asked:
        body = native.body(request, str)
        assert body["store"] is False
        assert body["temperature"] == 0
        assert body["reasoning"] == "off"
        assert body["max_output_tokens"] == 32
    shorter, longer = backend.asked[-2].input, backend.asked[-1].input
    assert longer.startswith(shorter[: shorter.rindex("\n\n")])


@pytest.mark.parametrize("over", ["refuse", "fault"])
@pytest.mark.parametrize("words", [None, "Context size has been exceeded."])
@pytest.mark.parametrize("real", [8192, 20000])
async def test_a_smaller_context_is_found_by_refusals(fake, over, words, real):
    backend = fake(context=real, over=over)
    backend.words = words or backend.words
    found = await outcome(backend, 32768)
    assert found.proof is not None
    assert found.proof.refused is not None
    assert found.proof.tokens < real <= found.proof.refused + 8
    assert found.proof.refused - found.proof.tokens <= tolerance(real) + 8
    about = real if words is None else (found.proof.tokens + found.proof.refused) // 2
    refused = f"{found.proof.tokens} tokens go in, {found.proof.refused} are refused"
    assert found.words == f"{refused}: the context is about {about}, not 32768."
    reading = ContextReading(proof=found.proof)
    assert reading.real is not None
    assert reading.real.tokens == found.proof.tokens


async def test_a_silent_cut_is_no_pass(fake):
    found = await outcome(fake(context=8192, over="cut"), 32768)
    assert found.proof is not None
    assert 8192 - 100 < found.proof.tokens < 8192
    assert "silently cut to 8191" in found.words
    cut = next(probe for probe in found.probes if not probe.passed)
    assert (cut.counted, cut.refusal) == (8191, "silently cut to 8191 tokens")


async def test_a_limit_within_the_reserve_is_no_accusation(fake):
    found = await outcome(fake(context=32768 - 200), 32768)
    assert found.proof is not None
    assert found.proof.refused is None
    assert "all but what an answer needs" in found.words


async def test_a_lost_needle_proves_nothing(fake):
    found = await outcome(fake(sight=9000), 32768)
    assert found.proof is None
    assert found.words.startswith("8191 tokens are proven, not all of 32768.")
    assert "At 16384 tokens the needle was not found" in found.words
    assert [probe.needle for probe in found.probes] == [True] * 4 + [False] * 2


async def test_counted_but_never_answered_proves_nothing(fake):
    found = await outcome(fake(context=9000, over="swallow"), 32768)
    assert found.proof is None
    assert "At 16384 tokens the server counted all tokens and answered nothing" in found.words


async def test_a_needle_lost_in_a_small_prompt_speaks_against_the_model(fake):
    found = await outcome(fake(sight=1500), 8192)
    assert found.proof is not None
    assert [probe.needle for probe in found.probes] == [True] * 3 + [None] * 3
    assert found.words.endswith("only the server's count proves it.")


@pytest.mark.parametrize("over", ["refuse", "swallow"])
async def test_a_model_too_small_to_find_a_needle(fake, over):
    found = await outcome(fake(sight=0, context=10**9 if over == "refuse" else 9000, over=over), 32768)
    if over == "swallow":  # what said something in a tiny prompt must say something in a large one
        assert found.proof is None
        return
    assert found.proof is not None
    assert found.proof.how == "by the server's count alone"
    assert found.words.endswith("only the server's count proves it.")
    assert all(probe.needle is None for probe in found.probes)


async def test_not_even_a_tiny_prompt(fake):
    found = await outcome(fake(context=40), 4096)
    assert found.proof is not None
    assert found.proof.tokens == 0
    assert len(found.probes) == 1
    assert found.words == "Not even a tiny prompt goes in: it is refused."


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("connection refused"),
        StreamCut("the connection broke"),
        Unauthorized("prompt too long for your token", status=401),
        Refused("The model has crashed without additional information. (Exit code: 6)", status=500),
    ],
)
async def test_another_failure_proves_nothing_and_is_raised(fake, error):
    with pytest.raises(type(error)) as caught:
        await outcome(fake(context=5000, over=error), 32768)
    assert caught.value is error


async def test_what_cannot_prove_anything_is_raised(fake):
    with pytest.raises(BadReply, match="does not count"):
        await outcome(fake(counts=False), 4096)
    with pytest.raises(BackendError, match="m does not answer: m:2 answers"):
        await outcome(fake(instance="m:2"), 4096)


async def test_stopping_closes_the_request(fake):
    backend = fake()
    async with aclosing(verify(backend, plan("m", 4096), reasoning_off=False)) as steps:
        await anext(steps)
        backend.hang = True
        task = asyncio.ensure_future(anext(steps))
        await backend.until_open(1)
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert backend.open == 0
