"""What a new list of models tells: who came, who went, what changed, and by whose hand."""

from dataclasses import replace

from lmdeck.evidence.server_log import Fact
from lmdeck.evidence.whereabouts import arrival, departure, improved, is_about, names_of, unused
from lmdeck.model.catalog import Instance
from lmdeck.model.context import Claim
from lmdeck.model.timeline import Happening
from lmdeck.state import events as ev
from lmdeck.state.contexts import reading
from lmdeck.state.deck import DeckState

MOST_FACTS, MOST_HAPPENINGS = 200, 500
LATE_S = 10.0
"""So long (seconds) after a change a log line may still explain it."""
_OWN_S = 60.0
"""So long (seconds) a list that does not show this deck's own deed yet may still come."""
_ASKED_S, _FRESH_S = 900.0, 60.0
"""A load request older than the first is not the one that brought an instance, nor a trace without a name older than
the second its own (seconds)."""


def told(state: DeckState, *happenings: Happening) -> DeckState:
    """The state with these on its timeline."""
    return replace(state, timeline=(*state.timeline, *happenings)[-MOST_HAPPENINGS:]) if happenings else state


def facts_seen(state: DeckState, facts: tuple[Fact, ...]) -> DeckState:
    """Remember them, and tell anew what they explain better."""
    kept = _newest((*state.facts, *facts))
    newest = max(fact.at for fact in facts)
    timeline = tuple(
        improved(happening, kept) if newest - happening.at < LATE_S else happening for happening in state.timeline
    )
    return replace(state, facts=kept, timeline=timeline)


def _newest(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The last facts; of the requests to one model only the newest, or a busy client would push out everything else."""
    chats = {fact.subject: fact for fact in facts if fact.kind == "chat asked"}
    kept = tuple(fact for fact in facts if fact.kind != "chat asked" or chats[fact.subject] is fact)
    return kept[-MOST_FACTS:]


def with_changes(before: DeckState, after: DeckState, event: ev.CatalogSeen) -> DeckState:
    """`after` with what differs from `before` on its timeline. What was there at the first look is no arrival."""
    old = {instance.id: instance for instance in before.instances()}
    new = {instance.id: instance for instance in after.instances()}
    came = [instance for name, instance in new.items() if name not in old]
    after = forget(after, old.keys() - new.keys())
    after = _first_reports(after, came)
    if before.models is None:
        return after
    for instance in came:
        after = _arrived(before, after, instance, event)
    for name in old.keys() - new.keys():
        after = _departed(before, after, old[name], event)
    changed = [(old[name], instance) for name, instance in new.items() if name in old]
    after = told(after, *(told_change for pair in changed if (told_change := _changed(*pair, event.wall))))
    settled = old.keys() ^ new.keys()
    own = {name: at for name, at in after.own.items() if name not in settled and event.at - at < _OWN_S}
    return replace(after, own=own)


def forget(state: DeckState, gone: set[str]) -> DeckState:
    """What was known of an instance does not hold for a later one of the same name."""
    if not gone:
        return state
    return replace(
        state,
        requested={name: claim for name, claim in state.requested.items() if name not in gone},
        first_reported={name: tokens for name, tokens in state.first_reported.items() if name not in gone},
        older_reports={name: tokens for name, tokens in state.older_reports.items() if name not in gone},
        allocations={name: found for name, found in state.allocations.items() if name not in gone},
        proofs={name: proof for name, proof in state.proofs.items() if name not in gone},
    )


def _first_reports(state: DeckState, came: list[Instance]) -> DeckState:
    reports = {instance.id: length for instance in came if (length := instance.config.context_length)}
    return replace(state, first_reported={**state.first_reported, **reports}) if reports else state


def _arrived(before: DeckState, after: DeckState, instance: Instance, event: ev.CatalogSeen) -> DeckState:
    key = instance.model_key
    ours = instance.id in before.own or any(job.request.model == key for job in before.loads)
    story = arrival(
        instance,
        key,
        at=event.wall,
        facts=before.facts,
        ours=ours,
        had_ttl=instance.id in after.ttl_deadlines,
    )
    if not ours and story.kind != "JIT loaded" and (claim := _asked_by_others(after, key, event.wall)) is not None:
        after = replace(after, requested={**after.requested, instance.id: claim})
    nameless = after.unowned
    if nameless is not None and not before.loads:
        after = replace(after, unowned=None)
        if event.wall - nameless.at < _FRESH_S and instance.id not in after.allocations:
            after = replace(after, allocations={**after.allocations, instance.id: nameless})
    return told(after, story)


def _asked_by_others(state: DeckState, key: str, wall: float) -> Claim | None:
    """The context length in the newest load request for this model that the server's log shows, since the model last
    came or went: an older one has been answered."""
    last = max((one.at for one in state.timeline if one.model_key == key), default=float("-inf"))
    for fact in reversed(state.facts):
        if fact.at <= last:
            continue
        if fact.kind == "load asked" and is_about(fact, names_of(key, key)) and wall - fact.at < _ASKED_S:
            asked = fact.settings.context_length if fact.settings else None
            return Claim(asked, "server log") if asked else None
    return None


def _departed(before: DeckState, after: DeckState, instance: Instance, event: ev.CatalogSeen) -> DeckState:
    deadline, activity = before.ttl_deadlines.get(instance.id), before.activity.get(instance.id)
    newcomers = [(h.instance_id, h.at) for h in after.timeline if h.kind == "JIT loaded"]
    story = departure(
        instance.id,
        instance.model_key,
        at=event.wall,
        facts=unused(before.facts, [one for one in after.timeline if one.instance_id == instance.id]),
        ours=event.at - before.own.get(instance.id, float("-inf")) < _OWN_S,
        ttl_deadline=None if deadline is None else deadline - event.at + event.wall,
        busy=bool(activity and activity.queued),
        jit_arrivals=newcomers[-20:],
        server_was_lost=before.was_lost,
    )
    return told(after, story)


def _changed(old: Instance, new: Instance, wall: float) -> Happening | None:
    was, now = old.config.context_length, new.config.context_length
    if was is None or now is None or was == now:
        return None
    words = f"context changed: {was} reported before, {now} now"
    return Happening(wall, "changed", new.model_key, new.id, words, "/api/v1/models")


def with_collapses(before: DeckState, after: DeckState, event: ev.Event) -> DeckState:
    """`after` with every collapse on its timeline that was not known before."""
    for model in after.models or ():
        for instance in model.instances:
            now = reading(after, model, instance)
            if now.notice is None:
                continue
            known = before.instance(instance.id)
            if known is None or reading(before, model, known).notice != now.notice:
                after = told(after, _collapse(after, event, model.key, instance.id, now.notice, now.reason))
    return after


def _collapse(state: DeckState, event: ev.Event, key: str, name: str, notice: str, reason: str) -> Happening:
    wall = getattr(event, "wall", 0.0)
    if isinstance(event, ev.AllocationSeen):
        wall = event.allocation.at
    return Happening(wall, "collapsed", key, name, notice, reason)
