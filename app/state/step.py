"""The one place where the deck's state changes: `step(state, event) -> state`, pure.

An event that tells nothing new answers the very same object, so that nobody repaints.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Activity
from lmdeck.model.context import Claim
from lmdeck.state import events as ev
from lmdeck.state.changes import facts_seen, forget, told, with_changes, with_collapses
from lmdeck.state.deck import DeckState, LoadJob

V = TypeVar("V")

# Two readings of one deadline differ by clock and network jitter; below this (seconds) the older one stands.
_DEADLINE_JITTER = 1.5
_MOST_ALLOCATIONS = 64
_MOST_DOWNLOADS = 100
# Events after which a context may be known to be smaller than was promised.
_TELLING = (ev.CatalogSeen, ev.ActivitySeen, ev.OlderApiSaid, ev.AllocationSeen, ev.LoadEnded, ev.ContextProven)


def step(state: DeckState, event: ev.Event) -> DeckState:
    """The state after `event`."""
    after = _step(state, event)
    if isinstance(event, _TELLING):
        after = with_collapses(state, after, event)
    return state if after == state else after


def _step(state: DeckState, event: ev.Event) -> DeckState:
    match event:
        case ev.Connected():
            return DeckState(event.url, event.has_token, event.has_cli)
        case ev.CatalogSeen():
            return _catalog_seen(state, event)
        case ev.ActivitySeen():
            return _activity_seen(state, event)
        case ev.SourceLost():
            if event.source == "models":
                return replace(state, problem=event.problem, latency_s=None, was_lost=True)
            return replace(state, activity={}, activity_problem=event.problem)
        case ev.RuntimeSeen():
            return replace(state, runtime=event.runtime)
        case ev.PredictionStarted() | ev.PredictionEnded():
            return _prediction(state, event)
        case ev.MachineSeen():
            return replace(state, gpus=event.gpus, host=event.host, machine_at=event.at)
        case ev.OlderApiSaid():
            return replace(state, older_reports=event.contexts)
        case ev.FilesSeen():
            return replace(state, files={file.key: file for file in event.files})
        case ev.AllocationSeen():
            return _allocation_seen(state, event.allocation)
        case ev.FactsSeen():
            return facts_seen(state, event.facts)
        case ev.ContextProven():
            return replace(state, proofs={**state.proofs, event.instance_id: event.proof})
        case ev.PresetsSeen():
            return replace(state, presets=event.presets)
        case ev.OutlooksMade():
            return replace(state, outlooks={**state.outlooks, **event.outlooks})
        case ev.RecordsSeen():
            return replace(state, records={**state.records, event.model_key: event.records})
        case ev.LoadExplained():
            return told(state, event.happening)
        case ev.DownloadsSeen():
            known = {each.key: each for each in (*state.downloads, *event.downloads)}
            return replace(state, downloads=tuple(known.values())[-_MOST_DOWNLOADS:])
        case _:
            return _deed(state, event)


def _deed(state: DeckState, event: ev.LoadStarted | ev.LoadEnded | ev.UnloadStarted | ev.UnloadEnded) -> DeckState:
    """What this deck does."""
    match event:
        case ev.LoadStarted():
            return replace(state, loads=(*state.loads, LoadJob(event.request, event.at)), unowned=None)
        case ev.LoadEnded():
            return _load_ended(state, event)
        case ev.UnloadStarted():
            unloads = {**state.unloads, event.instance_id: event.at}
            return replace(state, unloads=unloads, own={**state.own, event.instance_id: event.at})
        case ev.UnloadEnded():
            after = replace(state, unloads=_without(state.unloads, event.instance_id))
            if event.problem:
                return replace(after, own=_without(state.own, event.instance_id))
            return forget(after, {event.instance_id})


def _catalog_seen(state: DeckState, event: ev.CatalogSeen) -> DeckState:
    alive = {instance.id: instance for model in event.models for instance in model.instances}
    deadlines = dict(state.ttl_deadlines)
    for instance in alive.values():
        if instance.ttl_remaining_s is not None:
            _set_deadline(deadlines, instance.id, event.at + instance.ttl_remaining_s)
    after = replace(
        state,
        models=event.models,
        problem=None,
        latency_s=event.latency_s,
        seen_at=event.at,
        was_lost=False,
        ttl_deadlines=_only(deadlines, alive),
        speeds=_only(state.speeds, alive),
        activity=_only(state.activity, alive),
        proofs=_only(state.proofs, alive),
        prompt_speeds=_only(state.prompt_speeds, alive),
    )
    return with_changes(state, after, event)


def _activity_seen(state: DeckState, event: ev.ActivitySeen) -> DeckState:
    deadlines = dict(state.ttl_deadlines)
    for found in event.activities:
        if found.ttl_s is None:
            deadlines.pop(found.instance_id, None)
        else:
            idle_s = max(0.0, event.wall - found.last_used_s) if found.last_used_s is not None else 0.0
            _set_deadline(deadlines, found.instance_id, event.at + found.ttl_s - idle_s)
    activity = {found.instance_id: found for found in event.activities}
    return replace(state, activity=activity, activity_problem=None, ttl_deadlines=deadlines)


def _prediction(state: DeckState, event: ev.PredictionStarted | ev.PredictionEnded) -> DeckState:
    """Between two `lms ps` the log tells who is busy; the next `lms ps` corrects it."""
    known = state.activity.get(event.instance_id)
    if known is None:
        instance = state.instance(event.instance_id)
        if instance is None:
            return state
        known = Activity(instance.id, instance.model_key, parallel=instance.config.parallel)
    if isinstance(event, ev.PredictionStarted):
        busy = replace(known, status="generating", queued=known.queued + 1)
        return replace(state, activity={**state.activity, known.instance_id: busy})
    left = max(0, known.queued - 1)
    rested = replace(known, queued=left, status="generating" if left else "idle", last_used_s=event.wall)
    after = replace(state, activity={**state.activity, known.instance_id: rested})
    if event.prompt_speed is not None:
        after = replace(after, prompt_speeds={**state.prompt_speeds, known.instance_id: event.prompt_speed})
    if (speed := event.tokens_per_second) is not None:
        after = replace(after, speeds={**state.speeds, known.instance_id: speed}, last_speed=speed)
    return after


def _load_ended(state: DeckState, event: ev.LoadEnded) -> DeckState:
    loads = tuple(job for job in state.loads if job.request is not event.request)
    after = replace(state, loads=loads)
    if event.result is None:
        return after
    name, asked = event.result.instance_id, event.request.context_length
    if state.instance(name) is None:
        after = replace(after, own={**state.own, name: state.seen_at or 0.0})
    if asked is not None:
        after = replace(after, requested={**state.requested, name: Claim(asked, "this deck")})
    if state.unowned is not None and name not in state.allocations and len(state.loads) == 1:
        after = replace(after, allocations={**state.allocations, name: state.unowned}, unowned=None)
    return after


def _allocation_seen(state: DeckState, allocation: Allocation) -> DeckState:
    if allocation.build is not None:
        state = replace(state, llama_build=allocation.build)
    if allocation.instance_id is None:
        return replace(state, unowned=allocation)
    known = dict(state.allocations)
    known.pop(allocation.instance_id, None)
    known[allocation.instance_id] = allocation
    while len(known) > _MOST_ALLOCATIONS:
        del known[next(iter(known))]
    return replace(state, allocations=known)


def _set_deadline(deadlines: dict[str, float], instance_id: str, deadline: float) -> None:
    if abs(deadlines.get(instance_id, float("-inf")) - deadline) > _DEADLINE_JITTER:
        deadlines[instance_id] = deadline


def _only(mapping: Mapping[str, V], alive: Mapping[str, object]) -> Mapping[str, V]:
    return {key: value for key, value in mapping.items() if key in alive}


def _without(mapping: Mapping[str, V], key: str) -> Mapping[str, V]:
    return {other: value for other, value in mapping.items() if other != key}
