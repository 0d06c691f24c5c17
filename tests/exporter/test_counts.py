"""What adds up over requests and changes."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from scrape import Scrape

from lmdeck.exporter.counts import Counts
from lmdeck.exporter.names import MOST_NAMES, OTHER
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.exchange import ExchangeRecord
from lmdeck.model.timeline import Happening
from lmdeck.state.deck import DeckState

STATE = DeckState(models=(Model("qwen/qwen3", instances=(Instance("mine", "qwen/qwen3"),)),))
DONE = ExchangeRecord(
    1.0, "server", "mine", stop_reason="eosFound", prompt_tokens=800, predicted_tokens=100, tokens_per_second=41.0,
    ttft_s=0.3, total_time_s=2.9, draft_tokens=40, accepted_draft_tokens=30,
)  # fmt: skip


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def counts(registry: CollectorRegistry) -> Counts:
    return Counts(registry)


async def add(counts: Counts, *records: ExchangeRecord) -> None:
    await counts.add_exchanges([(record, None) for record in records])


async def test_requests_under_the_key_of_their_model(registry, counts):
    counts.heed(DeckState(), STATE)
    await add(
        counts,
        DONE,
        replace(DONE, ttft_s=4.0, stop_reason="contextLengthReached"),
        ExchangeRecord(2.0, "server", "mine", error="the model crashed"),
    )
    scrape, model = Scrape(registry), {"model": "qwen/qwen3"}
    outcomes = [scrape("requests_total", **model, outcome=outcome) for outcome in ("done", "truncated", "error")]
    assert outcomes == [1, 1, 1]
    assert scrape("prompt_tokens_total", **model) == 1600
    assert scrape("generated_tokens_total", **model) == 200
    assert (scrape("draft_tokens_total", **model), scrape("draft_tokens_accepted_total", **model)) == (80, 60)
    assert scrape("time_to_first_token_seconds_bucket", **model, le="0.5") == 1
    assert scrape("time_to_first_token_seconds_bucket", **model, le="5.0") == 2
    assert scrape("time_to_first_token_seconds_sum", **model) == 4.3
    assert scrape("request_duration_seconds_count", **model) == 2
    assert scrape("generation_tokens_per_second_bucket", **model, le="40.0") == 0
    assert scrape("generation_tokens_per_second_bucket", **model, le="50.0") == 2


async def test_what_is_loaded_begins_at_nothing(registry, counts):
    counts.heed(DeckState(), STATE)
    scrape = Scrape(registry)
    assert scrape("requests_total", model="qwen/qwen3", outcome="error") == 0
    assert scrape("time_to_first_token_seconds_count", model="qwen/qwen3") == 0
    assert scrape("lifecycle_events_total", event="load_failed") == 0


async def test_an_instance_that_has_gone_keeps_its_model(registry, counts):
    counts.heed(DeckState(), STATE)
    counts.heed(STATE, DeckState(models=()))
    await add(counts, DONE, replace(DONE, instance_id="stranger:2"), replace(DONE, instance_id=""))
    scrape = Scrape(registry)
    for model in ("qwen/qwen3", "stranger", "unknown"):
        assert scrape("requests_total", model=model, outcome="done") == 1


async def test_however_many_names_come_the_series_stay_few(registry, counts):
    await add(counts, *(replace(DONE, instance_id=f"{'x' * 999}{at}") for at in range(3)))
    await add(counts, *(replace(DONE, instance_id=f'evil "name"\n{at}') for at in range(3 * MOST_NAMES)))
    scrape = Scrape(registry)
    assert scrape("requests_total", model=OTHER, outcome="done") == 2 * MOST_NAMES + 1
    models = {dict(labels)["model"] for name, labels in scrape.series if name == "lmstudio_requests_total"}
    assert len(models) == MOST_NAMES + 1
    assert all(len(model) <= 120 and model.isprintable() for model in models)


def test_a_change_is_counted_once(registry, counts):
    came, went = (Happening(at, "JIT loaded", "qwen", "qwen", "") for at in (1.0, 2.0))
    one = replace(STATE, timeline=(came,))
    told_better = replace(one, timeline=(replace(came, words="by a chat"),))
    both = replace(one, timeline=(came, replace(went, kind="evicted")))
    for before, after in ((STATE, one), (one, told_better), (told_better, both), (both, both)):
        counts.heed(before, after)
    scrape = Scrape(registry)
    assert scrape("lifecycle_events_total", event="jit_loaded") == 1
    assert scrape("lifecycle_events_total", event="evicted") == 1
