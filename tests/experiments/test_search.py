"""Which size comes next."""

import random

import pytest

from lmdeck.experiments.search import RESERVE, Search, growing_sizes, tolerance


@pytest.mark.parametrize(
    ("context", "sizes"),
    [
        (512, (256, 448)),
        (2048, (256, 512, 1024, 1984)),
        (32768, (4096, 8192, 16384, 32704)),
        (131072, (16384, 32768, 65536, 131008)),
        (1048576, (16384, 32768, 65536, 131072, 262144, 524288, 1048512)),
        (1, (1,)),
    ],
)
def test_sizes_grow_from_cheap_to_nearly_everything(context, sizes):
    assert growing_sizes(context) == sizes


def run(search: Search, real: int, *, hint: int | None = None) -> list[int]:
    sent = []
    while (size := search.next_size()) is not None:
        sent.append(size)
        assert len(sent) < 40
        search.took(size, passed=size < real, limit=hint)
    return sent


def test_nothing_refused_sends_the_plan_and_no_more():
    assert run(Search((256, 512, 960), 200), 10**9) == [256, 512, 960]


@pytest.mark.parametrize("context", [512, 4096, 32768, 262144, 1048576])
def test_bisection_finds_every_limit_within_its_tolerance(context):
    generator = random.Random(context)
    for real in [300, context - 70, *(generator.randrange(260, context) for _ in range(50))]:
        search = Search(growing_sizes(context), 240)
        sent = run(search, real)
        if search.refused is None:
            assert sent[-1] == context - RESERVE < real
            continue
        assert search.accepted < real <= search.refused
        assert search.refused - search.accepted <= tolerance(search.refused)


def test_a_named_limit_saves_prompts():
    blind, told = (run(Search(growing_sizes(131072), 240), 8192, hint=hint) for hint in (None, 8192))
    assert told[:2] == [16384, 8152]
    assert len(told) <= 4 < len(blind)


@pytest.mark.parametrize("hint", [1, 300, 12000, 10**9])
def test_a_wrong_limit_only_costs_prompts(hint):
    search = Search(growing_sizes(131072), 240)
    run(search, 8192, hint=hint)
    assert search.accepted < 8192 <= (search.refused or 0) <= search.accepted + tolerance(8300)
