"""The state's one step, event by event."""

from dataclasses import replace

from lmdeck.model.catalog import Activity, Instance, InstanceConfig, Model
from lmdeck.model.load import LoadRequest, LoadResult
from lmdeck.model.problem import Problem
from lmdeck.state import events as ev
from lmdeck.state.deck import DeckState
from lmdeck.state.hardware import is_local
from lmdeck.state.step import step
from lmdeck.state.views import available_rows, chat_targets, loaded_rows, server_status

CONFIG = InstanceConfig(context_length=8192, parallel=4)
LOADED = Model("qwen", size_bytes=100, instances=(Instance("qwen", "qwen", CONFIG),))
MODELS = (LOADED, Model("embed", type="embedding"))


def after(*events: ev.Event, start: DeckState | None = None) -> DeckState:
    state = start or DeckState()
    for event in events:
        state = step(state, event)
    return state


def seen(models: tuple[Model, ...] = MODELS, at: float = 1.0) -> ev.CatalogSeen:
    return ev.CatalogSeen(models, 0.004, at)


def test_nothing_is_known_before_the_first_answer() -> None:
    assert loaded_rows(DeckState()) is None
    assert available_rows(DeckState()) is None
    assert server_status(DeckState(url="http://x"), False).latency_s is None


def test_the_same_news_is_no_change() -> None:
    state = after(seen())
    assert step(state, seen()) is state
    assert step(state, ev.PredictionStarted("unknown")) is state


def test_a_lost_server_keeps_the_last_list_and_says_why() -> None:
    problem = Problem("down: connection refused")
    state = after(seen(), ev.SourceLost("models", problem, 2.0))
    assert state.models == MODELS
    assert not state.online
    assert server_status(state, False).problem == problem
    assert after(seen(at=3.0), start=state).online


def test_a_lost_lms_does_not_touch_the_server() -> None:
    state = after(seen(), ev.SourceLost("activity", Problem("lms failed"), 2.0))
    assert state.online
    assert state.activity_problem == Problem("lms failed")
    assert (loaded_rows(state) or ())[0].state == "loaded"


def test_activity_gives_state_queue_and_deadline() -> None:
    busy = Activity("qwen", "qwen", "generating", queued=2, parallel=8, ttl_s=3600, last_used_s=1000.0)
    state = after(seen(), ev.ActivitySeen((busy,), at=50.0, wall=1100.0))
    (row,) = loaded_rows(state) or ()
    assert (row.state, row.queue, row.slots, row.busy) == ("generating", 2, 8, True)
    assert row.ttl_deadline == 50.0 + 3600 - 100


def test_deadlines_ignore_jitter_but_follow_a_new_request() -> None:
    def reading(at: float, last_used: float) -> ev.ActivitySeen:
        return ev.ActivitySeen((Activity("qwen", "qwen", ttl_s=60, last_used_s=last_used),), at, wall=1000 + at)

    state = after(seen(), reading(0, 1000.0), reading(10, 1000.4))
    assert state.ttl_deadlines["qwen"] == 60
    assert after(reading(30, 1030.0), start=state).ttl_deadlines["qwen"] == 90


def test_the_http_countdown_is_used_where_it_is_told() -> None:
    counted = replace(LOADED, instances=(replace(LOADED.instances[0], ttl_remaining_s=100.0),))
    assert after(seen((counted,), at=5.0)).ttl_deadlines == {"qwen": 105.0}


def test_an_instance_without_ttl_has_no_deadline() -> None:
    with_ttl = ev.ActivitySeen((Activity("qwen", "qwen", ttl_s=60),), 0, 0)
    assert after(seen(), with_ttl, ev.ActivitySeen((Activity("qwen", "qwen"),), 1, 1)).ttl_deadlines == {}


def test_the_log_tells_who_is_busy_between_two_readings() -> None:
    state = after(seen(), ev.PredictionStarted("qwen"), ev.PredictionStarted("qwen"))
    (row,) = loaded_rows(state) or ()
    assert (row.state, row.queue) == ("generating", 2)
    state = after(ev.PredictionEnded("qwen", 41.2, 7.0), start=state)
    assert (loaded_rows(state) or ())[0].queue == 1
    state = after(ev.PredictionEnded("qwen", None, 8.0), ev.PredictionEnded("qwen", None, 9.0), start=state)
    (row,) = loaded_rows(state) or ()
    assert (row.state, row.queue, row.tokens_per_second) == ("idle", 0, 41.2)
    assert server_status(state, False).speed == 41.2


def test_a_load_is_a_row_until_it_ends_and_remembers_what_was_asked() -> None:
    request = LoadRequest("embed", context_length=512)
    state = after(seen(), ev.LoadStarted(request, at=9.0))
    row = (loaded_rows(state) or ())[-1]
    assert (row.state, row.model_key, row.since, row.pending) == ("loading", "embed", 9.0, True)
    assert [row.loading for row in available_rows(state) or ()] == [False, True]
    state = after(ev.LoadEnded(request, LoadResult("embed")), start=state)
    assert state.loads == ()
    assert state.requested["embed"].tokens == 512


def test_two_equal_loads_are_two_jobs() -> None:
    first, second = LoadRequest("qwen"), LoadRequest("qwen")
    state = after(seen(), ev.LoadStarted(first, 1), ev.LoadStarted(second, 2), ev.LoadEnded(first))
    assert [job.since for job in state.loads] == [2]


def test_an_unload_shows_and_ends() -> None:
    state = after(seen(), ev.UnloadStarted("qwen", 3.0))
    assert (loaded_rows(state) or ())[0].state == "unloading"
    assert (loaded_rows(after(ev.UnloadEnded("qwen"), start=state)) or ())[0].state == "loaded"


def test_less_context_than_asked_is_seen() -> None:
    request = LoadRequest("qwen", context_length=32768)
    state = after(ev.LoadStarted(request, 1), ev.LoadEnded(request, LoadResult("qwen")), seen())
    (row,) = loaded_rows(state) or ()
    assert row.context.collapse


def test_what_is_gone_is_forgotten() -> None:
    state = after(seen(), ev.PredictionEnded("qwen", 10.0, 1.0), seen((replace(LOADED, instances=()),), at=2.0))
    assert state.speeds == {}
    assert state.activity == {}


def test_copies_are_marked_and_only_talkers_are_chat_targets() -> None:
    twice = replace(LOADED, instances=(Instance("qwen", "qwen"), Instance("qwen:2", "qwen")))
    embedder = Model("embed", type="embedding", instances=(Instance("embed", "embed"),))
    state = after(seen((twice, embedder)))
    assert [row.duplicate for row in loaded_rows(state) or ()] == [True, True, False]
    assert chat_targets(state) == ("qwen", "qwen:2")


def test_only_a_loopback_server_shares_this_machines_gauges() -> None:
    local = ("http://127.0.0.1:1234", "http://localhost:1", "http://[::1]:1")
    assert [is_local(url) for url in (*local, "http://gpubox:1234", "http://10.0.0.2:1")] == [True] * 3 + [False] * 2


def test_another_connection_starts_from_nothing() -> None:
    state = after(seen(), ev.Connected("http://other", has_token=True))
    assert state.models is None
    assert server_status(state, True).auth == "token"
