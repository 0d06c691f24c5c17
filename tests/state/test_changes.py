"""Who came and went, and which contexts turned out smaller: told once, by the evidence."""

from dataclasses import replace

from lmdeck.evidence.server_log import facts
from lmdeck.model.allocation import Allocation
from lmdeck.model.catalog import Instance, InstanceConfig, Model
from lmdeck.model.context import Proof
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.log import ServerLine
from lmdeck.model.problem import Problem
from lmdeck.state import events as ev
from lmdeck.state.deck import DeckState
from lmdeck.state.step import step
from lmdeck.state.views import loaded_rows

WALL = 1_790_000_000.0


def instance(key: str = "qwen", context: int = 32768, ttl: float | None = None, name: str = "") -> Instance:
    return Instance(name or key, key, InstanceConfig(context_length=context, parallel=4), ttl_remaining_s=ttl)


def seen(*instances: Instance, at: float) -> ev.CatalogSeen:
    keys = ("qwen", "ha")
    models = tuple(Model(key, instances=tuple(i for i in instances if i.model_key == key)) for key in keys)
    return ev.CatalogSeen(models, 0.004, at, WALL + at)


def after(*events: ev.Event, start: DeckState | None = None) -> DeckState:
    state = start or DeckState()
    for event in events:
        state = step(state, event)
    return state


def log(text: str, at: float) -> ev.FactsSeen:
    return ev.FactsSeen(tuple(facts(ServerLine(WALL + at, text))))


def kinds(state: DeckState) -> list[str]:
    return [one.kind for one in state.timeline]


def test_what_is_there_at_the_first_look_did_not_arrive() -> None:
    assert after(seen(instance(), at=1)).timeline == ()


def test_our_own_load_and_unload() -> None:
    request = LoadRequest("qwen")
    state = after(seen(at=1), ev.LoadStarted(request, 2), ev.LoadEnded(request, LoadResult("qwen")))
    state = after(seen(instance(), at=3), ev.UnloadStarted("qwen", 4), ev.UnloadEnded("qwen"), seen(at=5), start=state)
    assert kinds(state) == ["loaded", "unloaded"]
    assert all(one.evidence == "this deck" for one in state.timeline)


def test_a_load_by_somebody_else_is_told_with_what_they_asked_for() -> None:
    asked = 'Received request: POST to /api/v1/models/load with body {"model": "qwen", "context_length": 65536}'
    state = after(seen(at=1), log(f"[2026-09-21 18:32:17][DEBUG] {asked}", 2), seen(instance(), at=4))
    (row,) = loaded_rows(state) or ()
    assert row.context.requested is not None
    assert (row.context.requested.tokens, row.context.requested.source) == (65536, "server log")
    # the server reports less than was asked for: `-c` was ignored
    assert kinds(state) == ["loaded", "collapsed"]
    assert state.timeline[-1].words == "context collapsed: 65536 requested, 32768 reported"


def test_a_ttl_that_ran_out_and_one_that_did_not() -> None:
    state = after(seen(instance(ttl=5), at=1), seen(at=6.5))
    assert kinds(state) == ["TTL expired"]
    state = after(seen(instance(ttl=500), at=1), seen(at=6.5))
    assert kinds(state) == ["unloaded"]
    assert state.timeline[0].evidence == ""


def test_a_server_that_was_away_takes_everything_with_it() -> None:
    lost = ev.SourceLost("models", Problem("down: connection refused"), 2)
    state = after(seen(instance(), at=1), lost, seen(at=3))
    assert kinds(state) == ["restarted"]


def test_a_crash_is_told_by_its_message_even_when_that_comes_late() -> None:
    words = "The model 'qwen' has crashed without additional information. (Exit code: 137)"
    state = after(seen(instance(), at=1), seen(at=2), log(f"[2026-09-21 18:32:17][ERROR] {words}", 2.5))
    assert kinds(state) == ["crashed"]
    assert "137" in state.timeline[0].words


def test_a_collapse_is_told_once_with_both_numbers() -> None:
    request = LoadRequest("qwen", context_length=32768)
    small = Allocation("qwen", 7, WALL, n_ctx=8192, n_ctx_seq=8192, unified=True)
    state = after(seen(at=1), ev.LoadStarted(request, 2), ev.AllocationSeen(small))
    state = after(ev.LoadEnded(request, LoadResult("qwen")), seen(instance(), at=3), start=state)
    state = after(ev.AllocationSeen(replace(small, slots=4)), seen(instance(), at=5), start=state)
    assert kinds(state) == ["loaded", "collapsed"]
    assert state.timeline[-1].words == "context collapsed: 32768 requested, 8192 allocated"
    (row,) = loaded_rows(state) or ()
    assert row.context.mark == "collapsed"


def test_an_allocation_as_asked_is_a_tick() -> None:
    whole = Allocation("qwen", 7, WALL, n_ctx=32768, n_ctx_seq=32768, unified=True)
    (row,) = loaded_rows(after(ev.AllocationSeen(whole), seen(instance(), at=1))) or ()
    assert row.context.mark == "agree"


def test_lines_without_a_name_belong_to_the_only_load_under_way() -> None:
    request = LoadRequest("qwen", context_length=32768)
    nameless = Allocation(None, 7, WALL, n_ctx=8192, n_ctx_seq=8192)
    state = after(seen(at=1), ev.LoadStarted(request, 2), ev.AllocationSeen(nameless))
    state = after(ev.LoadEnded(request, LoadResult("qwen")), seen(instance(), at=3), start=state)
    assert "collapsed" in kinds(state)
    other = LoadRequest("ha")
    state = after(seen(at=1), ev.LoadStarted(request, 2), ev.LoadStarted(other, 2), ev.AllocationSeen(nameless))
    state = after(ev.LoadEnded(request, LoadResult("qwen")), seen(instance(), at=3), start=state)
    assert "collapsed" not in kinds(state)


def test_a_report_that_shrinks_after_the_load_is_a_change_and_a_collapse() -> None:
    state = after(seen(instance(context=32768), at=1), seen(instance(context=4096), at=5))
    assert kinds(state) == ["changed", "collapsed"]
    assert state.timeline[0].words == "context changed: 32768 reported before, 4096 now"


def test_what_was_known_of_an_instance_does_not_hold_for_its_successor() -> None:
    small = Allocation("qwen", 7, WALL, n_ctx=8192, n_ctx_seq=8192, unified=True)
    state = after(ev.AllocationSeen(small), seen(instance(), at=1), seen(at=2), seen(instance(), at=3))
    (row,) = loaded_rows(state) or ()
    assert row.context.allocated is None


def test_a_proof_stands_above_the_log() -> None:
    whole = Allocation("qwen", 7, WALL, n_ctx=32768, n_ctx_seq=32768, unified=True)
    state = after(ev.AllocationSeen(whole), seen(instance(), at=1), ev.ContextProven("qwen", Proof(8150, 8280), WALL))
    assert state.timeline[-1].words == "context collapsed: 32768 reported, 8150 proven"


def test_the_timeline_is_bounded() -> None:
    state = after(seen(at=0))
    for number in range(600):
        state = after(seen(*([instance()] if number % 2 else []), at=float(number)), start=state)
    assert len(state.timeline) == 500


ASKED = 'Received request: POST to /api/v1/models/load with body {"model": "qwen", "context_length": 65536}'


def test_a_request_that_was_answered_does_not_speak_for_a_later_load() -> None:
    state = after(seen(at=1), log(f"[2026-09-21 18:32:17][DEBUG] {ASKED}", 2), seen(instance(context=65536), at=4))
    state = after(seen(at=10), seen(instance(context=4096), at=20), start=state)
    (row,) = loaded_rows(state) or ()
    assert row.context.requested is None
    assert "collapsed" not in kinds(state)


def test_a_trace_without_a_name_is_only_of_the_load_that_follows_it() -> None:
    nameless = Allocation(None, 7, WALL, n_ctx=4096, n_ctx_seq=4096)
    state = after(seen(at=1), ev.AllocationSeen(nameless), seen(instance(), at=3600))
    assert "collapsed" not in kinds(state)
    state = after(seen(at=1), ev.AllocationSeen(nameless), seen(instance(), at=5))
    assert "collapsed" in kinds(state)


def test_what_the_runtime_itself_reduced_is_no_agreement() -> None:
    less = Allocation("qwen", 7, WALL, n_ctx=4096, n_ctx_seq=4096, unified=True, configured=4096, fitted=2048)
    state = after(ev.AllocationSeen(less), seen(instance(context=2048), at=1))
    (row,) = loaded_rows(state) or ()
    assert row.context.notice == "context collapsed: 4096 requested, 2048 allocated"


def test_an_unload_that_worked_ends_all_that_was_known() -> None:
    state = after(seen(instance(), at=1), ev.ContextProven("qwen", Proof(8150, 8280), WALL))
    state = after(ev.UnloadStarted("qwen", 2), ev.UnloadEnded("qwen"), seen(instance(), at=3), start=state)
    (row,) = loaded_rows(state) or ()
    assert row.context.proof is None
    gone = after(seen(at=100), start=state)
    assert gone.timeline[-1].evidence == ""  # long after the deck's own unload: not by this deck
