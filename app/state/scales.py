"""Memory before and after each load, so that a prediction can be held against what was really taken."""

from dataclasses import dataclass

from lmdeck.model.catalog import Instance, Model
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.state import events as ev
from lmdeck.state.deck import DeckState
from lmdeck.state.hardware import engine_of, is_local

SETTLED_S, GIVEN_UP_S = 3.0, 20.0
"""A load's memory is read this long after it is there (seconds), at the latest when the second time is over."""
_STEADY = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes that LM Studio's processes hold: VRAM over all GPUs, and RAM."""

    gpu: int | None
    ram: int | None


@dataclass(frozen=True, slots=True)
class Weighing:
    """One load, measured. `gpu` and `ram` are None where they could not be told from other loads' memory."""

    model: Model
    instance: Instance
    settings: LoadRequest
    load_time_s: float | None
    gpu: int | None
    ram: int | None


@dataclass(slots=True)
class _Pending:
    settings: LoadRequest
    before: Reading | None
    arrived: float
    load_time_s: float | None = None
    last: Reading | None = None


class Scales:
    """Hears every event after it was stepped, and answers what it could weigh. Its own engine process tells an
    instance's memory best; without it the growth of all of LM Studio's does, if nothing else came or went meanwhile."""

    def __init__(self) -> None:
        self._calm: Reading | None = None
        self._asked: dict[int, Reading | None] = {}
        self._results: dict[str, tuple[LoadRequest, LoadResult, Reading | None]] = {}
        self._pending: dict[str, _Pending] = {}

    def observe(self, before: DeckState, state: DeckState, event: ev.Event) -> list[Weighing]:
        """What this event completes."""
        match event:
            case ev.LoadStarted(request=request):
                self._asked[id(request)] = self._calm
                if before.loads or self._pending:
                    self._spoil()
            case ev.LoadEnded(request=request, result=result):
                reading = self._asked.pop(id(request), None)
                if result is not None:
                    self._results[result.instance_id] = (request, result, reading)
                    self._meet(state, result.instance_id, state.seen_at or 0.0)
            case ev.CatalogSeen(at=at) if before.models is not None:
                self._compare(before, state, at)
            case ev.MachineSeen(at=at) if is_local(state.url):
                return self._read(state, at)
        return []

    def _compare(self, before: DeckState, state: DeckState, at: float) -> None:
        old, new = {i.id for i in before.instances()}, {i.id for i in state.instances()}
        if old - new:
            self._spoil()
        for gone in old - new:
            self._pending.pop(gone, None)
        for name in new - old:
            self._meet(state, name, at)

    def _spoil(self) -> None:
        """What comes or goes meanwhile cannot be told from the growth of what is loading."""
        self._asked = dict.fromkeys(self._asked)
        self._results = {name: (request, result, None) for name, (request, result, _) in self._results.items()}
        for pending in self._pending.values():
            pending.before = None

    def _meet(self, state: DeckState, name: str, at: float) -> None:
        """An instance that is there now; it is weighed once, whoever tells of it first."""
        instance = state.instance(name)
        if instance is None:
            return
        if self._pending.keys() - {name}:
            self._spoil()
        known = self._results.pop(name, None)
        if known is not None:
            request, result, reading = known
            self._pending[name] = _Pending(request, reading, at, result.load_time_s)
        elif name not in self._pending and not any(job.request.model == instance.model_key for job in state.loads):
            self._pending[name] = _Pending(_settings(instance), None, at)

    def _read(self, state: DeckState, at: float) -> list[Weighing]:
        now = _reading(state)
        if not state.loads and not self._pending:
            self._calm = now
        done = []
        for name, pending in tuple(self._pending.items()):
            last, pending.last = pending.last, now
            waited = at - pending.arrived
            if waited >= GIVEN_UP_S or (waited >= SETTLED_S and last is not None and _steady(last, now)):
                del self._pending[name]
                if (weighing := self._weigh(state, name, pending, now)) is not None:
                    done.append(weighing)
        return done

    def _weigh(self, state: DeckState, name: str, pending: _Pending, now: Reading) -> Weighing | None:
        model, instance = state.model_of(name), state.instance(name)
        if model is None or instance is None:
            return None
        engine = engine_of(state, model, instance)
        alone = pending.before is not None and not self._pending and not state.loads
        growth = Reading(_less(now.gpu, pending.before.gpu), _less(now.ram, pending.before.ram)) if alone else None  # type: ignore[union-attr]
        gpu = engine.vram if engine and engine.vram is not None else growth.gpu if growth else None
        ram = engine.rss if engine else growth.ram if growth else None
        if gpu is None and ram is None:
            return None
        return Weighing(model, instance, pending.settings, pending.load_time_s, gpu, ram)


def _settings(instance: Instance) -> LoadRequest:
    """What the server reports of a load that somebody else asked for."""
    told = instance.config
    return LoadRequest(
        instance.model_key,
        context_length=told.context_length,
        eval_batch_size=told.eval_batch_size,
        flash_attention=told.flash_attention,
        num_experts=told.num_experts,
        offload_kv_cache_to_gpu=told.offload_kv_cache_to_gpu,
        parallel=told.parallel,
    )


def _reading(state: DeckState) -> Reading:
    parts = [gpu.vram_lmstudio for gpu in state.gpus.gpus] if state.gpus else []
    known = [part for part in parts if part is not None]
    return Reading(sum(known) if known else None, state.host.lmstudio_rss if state.host else None)


def _less(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _steady(one: Reading, other: Reading) -> bool:
    pairs = ((one.gpu, other.gpu), (one.ram, other.ram))
    return all(abs((a or 0) - (b or 0)) < _STEADY for a, b in pairs)
