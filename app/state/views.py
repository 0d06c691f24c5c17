"""From the state to what the panes show: pure functions, one a pane."""

from collections import Counter
from collections.abc import Sequence

from lmdeck.model.catalog import Instance, Model
from lmdeck.model.context import Claim, ContextReading
from lmdeck.model.conversation import ContextMeter, Turn
from lmdeck.model.rows import AvailableRow, LoadedRow
from lmdeck.model.server import ServerStatus
from lmdeck.model.units import percent
from lmdeck.state.contexts import reading
from lmdeck.state.deck import DeckState, LoadJob
from lmdeck.state.hardware import engine_of, spill


def loaded_rows(state: DeckState) -> tuple[LoadedRow, ...] | None:
    """Instances in memory, then loads under way; None until the server first answered."""
    if state.models is None:
        return None
    rows = [_instance_row(state, model, instance) for model in state.models for instance in model.instances]
    return tuple(rows + [_job_row(state, job, number) for number, job in enumerate(state.loads, 1)])


def _instance_row(state: DeckState, model: Model, instance: Instance) -> LoadedRow:
    activity = state.activity.get(instance.id)
    unloading = state.unloads.get(instance.id)
    status = activity.status if activity else instance.state or "loaded"
    slots = activity.parallel if activity and activity.parallel is not None else instance.config.parallel
    return LoadedRow(
        id=instance.id,
        model_key=model.key,
        state=status if unloading is None else "unloading",
        context=reading(state, model, instance),
        slots=slots,
        queue=activity.queued if activity else None,
        ttl_deadline=state.ttl_deadlines.get(instance.id),
        size_bytes=model.size_bytes or (activity.size_bytes if activity else None),
        tokens_per_second=state.speeds.get(instance.id),
        duplicate=len(model.instances) > 1,
        since=unloading,
        allocation=state.allocations.get(instance.id),
        engine=engine_of(state, model, instance),
        spill=spill(state, model, instance),
    )


def _job_row(state: DeckState, job: LoadJob, number: int) -> LoadedRow:
    model, asked = state.model(job.request.model), job.request.context_length
    return LoadedRow(
        id=f"{job.request.model} (load {number})",
        model_key=job.request.model,
        state="loading",
        context=ContextReading(requested=Claim(asked, "this deck") if asked else None),
        size_bytes=model.size_bytes if model else None,
        since=job.since,
    )


def available_rows(state: DeckState) -> tuple[AvailableRow, ...] | None:
    """Everything on disk; None until the server first answered."""
    if state.models is None:
        return None
    loading = Counter(job.request.model for job in state.loads)
    return tuple(
        AvailableRow(model, len(model.instances), model.key in loading, state.outlooks.get(model.key))
        for model in state.models
    )


def server_status(state: DeckState, read_only: bool) -> ServerStatus:
    """The header's facts."""
    refused = state.problem is not None and state.problem.title.startswith("401")
    rows = loaded_rows(state) or ()
    return ServerStatus(
        url=state.url,
        latency_s=state.latency_s if state.problem is None else None,
        problem=state.problem,
        runtime=state.runtime,
        auth="refused" if refused else "token" if state.has_token else "none",
        loaded=sum(not row.pending for row in rows),
        busy=sum(row.busy for row in rows),
        speed=state.last_speed,
        read_only=read_only,
    )


def chat_targets(state: DeckState) -> tuple[str, ...]:
    """Ids that a chat can go to without loading anything: loaded instances of models that can chat."""
    return tuple(instance.id for model in state.models or () if not model.is_embedding for instance in model.instances)


def context_meter(state: DeckState, target: str | None, turns: Sequence[Turn]) -> ContextMeter:
    """How full the target's context is after the last of these turns (a conversation's path) that was counted."""
    counted = next((turn.stats for turn in reversed(turns) if turn.stats and turn.stats.input_tokens is not None), None)
    used = None if counted is None else (counted.input_tokens or 0) + (counted.output_tokens or 0)
    instance = state.instance(target) if target else None
    model = state.model(instance.model_key) if instance else None
    if instance is None or model is None:
        return ContextMeter(used)
    told = reading(state, model, instance)
    claim = told.real or told.promised
    if claim is None:
        return ContextMeter(used)
    source = "proven" if told.proof else "allocated" if told.allocated else "reported"
    return ContextMeter(used, claim.tokens, source)


def downloads_words(state: DeckState) -> str:
    """How far the downloads are, in a few signs; nothing while none runs."""
    running = [each.report for each in state.downloads if not each.report.ended]
    shares = [report.share for report in running if report.share is not None]
    if not running:
        return ""
    least = f" {percent(min(shares) * 100)}" if shares else ""
    return f"↓{least}" if len(running) == 1 else f"{len(running)} ↓{least}"
