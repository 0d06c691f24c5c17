"""What adds up: requests, tokens, their times, and who came and went."""

import re
from collections.abc import Sequence
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from lmdeck.exchanges.counts import TRUNCATED
from lmdeck.exporter.names import Names
from lmdeck.model.exchange import ExchangeRecord, ExchangeText
from lmdeck.model.timeline import Kind
from lmdeck.state.deck import DeckState

TTFT_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
DURATION_S: Final = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
SPEED: Final = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500)
OUTCOMES: Final = ("done", "truncated", "error")

_MOST_INSTANCES = 1_000
_COPY = re.compile(r":\d{1,4}$")


class Counts:
    """Counters and histograms of one registry. Finished requests come by `add_exchanges`, changes of the state by
    `heed`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"lmstudio_{name}", words, labels, registry=registry)

        def histogram(name: str, words: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(f"lmstudio_{name}", words, ("model",), registry=registry, buckets=buckets)

        self._requests = counter("requests", "Finished requests, by how they ended.", "model", "outcome")
        self._prompt = counter("prompt_tokens", "Tokens of the prompts of finished requests.", "model")
        self._generated = counter("generated_tokens", "Tokens of the answers of finished requests.", "model")
        self._draft = counter("draft_tokens", "Tokens that a draft model proposed.", "model")
        self._accepted = counter("draft_tokens_accepted", "Proposed tokens that were taken.", "model")
        self._happenings = counter("lifecycle_events", "Instances that came, went or changed.", "event")
        self._ttft = histogram("time_to_first_token_seconds", "From a request to its first token.", TTFT_S)
        self._duration = histogram("request_duration_seconds", "From a request to its end.", DURATION_S)
        self._speed = histogram("generation_tokens_per_second", "How fast answers were generated.", SPEED)
        self._models, self._keys = Names(), dict[str, str]()
        for kind in get_args(Kind):
            self._happenings.labels(_event(kind))

    def heed(self, before: DeckState, state: DeckState) -> None:
        """After a change of the state: count who came and went, and begin the series of what is loaded at 0, so that
        rates see the first request, too."""
        if state.models is not before.models:
            for instance in state.instances():
                if instance.id not in self._keys:
                    self._begin(instance.id, instance.model_key)
        if state.timeline is not before.timeline:
            old = {(one.at, one.instance_id, one.model_key) for one in before.timeline}
            for one in state.timeline:
                if (one.at, one.instance_id, one.model_key) not in old:
                    self._happenings.labels(_event(one.kind)).inc()

    def _begin(self, instance_id: str, key: str) -> None:
        self._keys[instance_id] = key
        if len(self._keys) > _MOST_INSTANCES:
            del self._keys[next(iter(self._keys))]
        model = self._models(key)
        for one in (self._prompt, self._generated, self._ttft, self._duration, self._speed):
            one.labels(model)
        for outcome in OUTCOMES:
            self._requests.labels(model, outcome)

    async def add_exchanges(self, exchanges: Sequence[tuple[ExchangeRecord, ExchangeText | None]]) -> None:
        """Count finished requests, each once."""
        for record, _ in exchanges:
            self._count(record)

    def _count(self, record: ExchangeRecord) -> None:
        key = self._keys.get(record.instance_id) or _COPY.sub("", record.instance_id)
        model = self._models(key)
        self._requests.labels(model, _outcome(record)).inc()
        for counter, tokens in (
            (self._prompt, record.prompt_tokens),
            (self._generated, record.predicted_tokens),
            (self._draft, record.draft_tokens),
            (self._accepted, record.accepted_draft_tokens),
        ):
            if tokens and tokens > 0:
                counter.labels(model).inc(tokens)
        for histogram, value in (
            (self._ttft, record.ttft_s),
            (self._duration, record.total_time_s),
            (self._speed, record.tokens_per_second),
        ):
            if value is not None:
                histogram.labels(model).observe(value)


def _event(kind: Kind) -> str:
    return kind.lower().replace(" ", "_")


def _outcome(record: ExchangeRecord) -> str:
    if record.error:
        return "error"
    return "truncated" if record.stop_reason in TRUNCATED else "done"
