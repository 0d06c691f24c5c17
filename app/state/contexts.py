"""The four context values of an instance, gathered from everything the state knows."""

from dataclasses import replace

from lmdeck.evidence.allocation import claims, shortfall_reason
from lmdeck.model.catalog import Instance, Model
from lmdeck.model.context import Claim, ContextReading
from lmdeck.state.deck import DeckState


def reading(state: DeckState, model: Model, instance: Instance) -> ContextReading:
    """Who says what about this instance's context, and the likely reason where they contradict each other. The server's
    interfaces usually agree; if not, the smallest number is the one that is safe to believe."""
    allocation = state.allocations.get(instance.id)
    reports = _reports(state, instance)
    found = ContextReading(
        requested=_requested(state, instance),
        reported=min(reports, key=lambda claim: claim.tokens, default=None),
        reports=reports,
        allocated=claims(allocation) if allocation else None,
        proof=state.proofs.get(instance.id),
    )
    reason = shortfall_reason(found, allocation, model.max_context_length) if found.collapse else ""
    return replace(found, reason=reason)


def _requested(state: DeckState, instance: Instance) -> Claim | None:
    """What was asked for; where nobody knows, a context that shrank since it was first reported stands for it."""
    if (asked := state.requested.get(instance.id)) is not None:
        return asked
    allocation = state.allocations.get(instance.id)
    if allocation and allocation.configured and allocation.fitted and allocation.fitted < allocation.configured:
        return Claim(allocation.configured, "runtime log: configured")
    first, now = state.first_reported.get(instance.id), instance.config.context_length
    return Claim(first, "the API, at first") if first and now and now < first else None


def _reports(state: DeckState, instance: Instance) -> tuple[Claim, ...]:
    activity = state.activity.get(instance.id)
    said = (
        (instance.config.context_length, "/api/v1/models"),
        (state.older_reports.get(instance.id), "/api/v0/models"),
        (activity.context_length if activity else None, "lms ps"),
    )
    return tuple(Claim(tokens, source) for tokens, source in said if tokens is not None)
