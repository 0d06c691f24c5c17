"""Who brought an instance and who took it away, told by the evidence; nothing is claimed without any."""

# ruff: noqa: E501  (log lines are quoted as they come)

import json

import pytest

from lmdeck.evidence.server_log import Fact, facts
from lmdeck.evidence.whereabouts import arrival, departure, improved
from lmdeck.model.catalog import Instance
from lmdeck.model.log import RuntimeLine, ServerLine
from lmdeck.model.timeline import Happening

NOW = 1_790_000_000.0
KEY = "qwen/qwen3-4b"
CRASH = "The model has crashed without additional information. (Exit code: 18446744072635812000)"


def log(*lines: tuple[float, str]) -> list[Fact]:
    """Facts of server lines, with their time relative to now."""
    return [fact for at, text in lines for fact in facts(ServerLine(NOW + at, f"[2026-04-17 18:32:17][INFO] {text}"))]


def load_asked(model: str = KEY, **settings: object) -> str:
    return f"Received request: POST to /api/v1/models/load with body {json.dumps({'model': model, **settings})}"


def chat(model: str = KEY) -> str:
    return f'Received request: POST to /v1/chat/completions with body {{"model": "{model}", "messages": []}}'


def unload_asked(instance_id: str) -> str:
    return f'Received request: POST to /api/v1/models/unload with body {{"instance_id": "{instance_id}"}}'


def jit(model: str = KEY) -> str:
    return f'[JIT] Requested model ({model}) is not loaded. Loading "{model}" now...'


def came(
    evidence: list[Fact], *, name: str = KEY, key: str = KEY, ours: bool = False, had_ttl: bool = False
) -> Happening:
    return arrival(Instance(name, key), key, at=NOW, facts=evidence, ours=ours, had_ttl=had_ttl)


def went(
    evidence: list[Fact],
    *,
    name: str = KEY,
    ours: bool = False,
    deadline: float | None = None,
    busy: bool = False,
    newcomers: tuple[tuple[str, float], ...] = (),
    lost: bool = False,
) -> Happening:
    return departure(
        name,
        KEY,
        at=NOW,
        facts=evidence,
        ours=ours,
        ttl_deadline=None if deadline is None else NOW + deadline,
        busy=busy,
        jit_arrivals=[(who, NOW + at) for who, at in newcomers],
        server_was_lost=lost,
    )


def test_what_nobody_tells_is_not_claimed() -> None:
    gone, new = went([]), came([])
    assert (gone.kind, gone.words, gone.evidence) == ("unloaded", "unloaded, nobody said why", "")
    assert (new.kind, new.words, new.evidence) == ("loaded", "loaded, nobody said by whom", "")
    assert (gone.at, gone.model_key, gone.instance_id) == (NOW, KEY, KEY)


def test_our_own_deeds() -> None:
    noise = log((-3, load_asked()), (-2, chat()), (-1, unload_asked(KEY)))
    assert (came(noise, ours=True).words, came(noise, ours=True).evidence) == ("loaded by this deck", "this deck")
    assert (went(noise, ours=True).words, went(noise, ours=True).evidence) == ("unloaded by this deck", "this deck")


@pytest.mark.parametrize(
    ("lines", "had_ttl", "kind", "part"),
    [
        (
            [(-60, load_asked(context_length=65536))],
            False,
            "loaded",
            "by another client over REST, context 65536 asked",
        ),
        ([(-60, load_asked())], True, "loaded", "by another client over REST"),
        ([(-20, load_asked("qwen3-4b"))], False, "loaded", "by another client over REST"),
        ([(-20, load_asked("other/model"))], False, "loaded", "nobody said by whom"),
        ([(-2000, load_asked())], False, "loaded", "nobody said by whom"),
        ([(-9, chat())], True, "JIT loaded", "just in time"),
        ([(-9, chat()), (-8.9, f"Loading model '{KEY}' with context length 4096")], True, "JIT loaded", "just in time"),
        ([(-9, chat("other"))], True, "JIT loaded", "probably"),
        ([(-9, chat()), (-8, jit())], False, "JIT loaded", "just in time"),
        ([(-99, load_asked()), (-50, f"Unloaded model '{KEY}'"), (-9, chat())], True, "JIT loaded", "just in time"),
        ([(-99, load_asked()), (-50, f"Failed to load LLM '{KEY}': Error: x")], False, "loaded", "nobody said"),
        ([(-60, load_asked()), (-30, chat())], False, "loaded", "by another client over REST"),
        ([(-9, f"Loading model '{KEY}' with context length 4096"), (-2, chat())], False, "loaded", "not by a request"),
        ([(-1, f"Model '{KEY}' loaded in 0.05 s")], False, "loaded", "not by a request"),
        ([], True, "JIT loaded", "probably"),
    ],
)
def test_arrivals(lines: list[tuple[float, str]], had_ttl: bool, kind: str, part: str) -> None:
    story = came(log(*lines), had_ttl=had_ttl)
    assert story.kind == kind
    assert part in story.words
    assert bool(story.evidence) == ("nobody said" not in story.words)


def test_evidence_names_its_source() -> None:
    assert came(log((-9, load_asked(context_length=8192)))).evidence == (
        f"server log: POST /api/v1/models/load model={KEY} context_length=8192"
    )
    assert went(log((-1, f"Unloaded model '{KEY}' after its idle TTL"))).evidence == (
        f"server log: Unloaded model '{KEY}' after its idle TTL"
    )
    dead = facts(RuntimeLine(NOW, "process ended with exit code 137", instance_id=KEY))
    assert went(dead).evidence == "runtime log: process ended with exit code 137"


@pytest.mark.parametrize(
    ("lines", "kind", "part"),
    [
        ([(-1, f"Unloaded model '{KEY}' after its idle TTL")], "TTL expired", "idle TTL had run out"),
        ([(-1, f"Unloaded model '{KEY}' to make room for 'b'")], "evicted", "make room"),
        ([(-1, unload_asked(KEY)), (-0.9, f"Unloaded model '{KEY}'")], "unloaded", "by another client over REST"),
        ([(-1, unload_asked(f"{KEY}:2"))], "unloaded", "nobody said why"),
        ([(-1, f"Unloaded model '{KEY}'")], "unloaded", "does not say by whom"),
        ([(-100, f"Unloaded model '{KEY}'")], "unloaded", "nobody said why"),
        ([(-1, "Unloaded model 'other' after its idle TTL")], "unloaded", "nobody said why"),
        ([(-1, f"The model '{KEY}' has crashed without additional information. (Exit code: 137)")], "crashed",
         "exit code 137: the engine ended by SIGKILL"),
        ([(-1, f"Error: {CRASH}")], "crashed", "0xC0000409"),
        ([(-1, f"The model '{KEY}' has crashed without additional information. (Exit code: null)")], "crashed", "crashed"),
        ([(-20, f"Error: {CRASH}")], "unloaded", "nobody said why"),
        ([(-1, f"Error: {CRASH}"), (-1, f"Unloaded model '{KEY}' after its idle TTL")], "TTL expired", "idle TTL"),
        ([(-1, jit("other"))], "unloaded", "nobody said why"),
    ],
)  # fmt: skip
def test_departures_by_the_log(lines: list[tuple[float, str]], kind: str, part: str) -> None:
    story = went(log(*lines))
    assert story.kind == kind
    assert part in story.words


@pytest.mark.parametrize(
    ("deadline", "busy", "kind"),
    [
        (-1.0, False, "TTL expired"),
        (1.5, False, "TTL expired"),
        (-1.0, True, "unloaded"),
        (60, False, "unloaded"),
        (-60, False, "unloaded"),
        (None, False, "unloaded"),
    ],
)
def test_ttl_arithmetic(deadline: float | None, busy: bool, kind: str) -> None:
    story = went([], deadline=deadline, busy=busy)
    assert story.kind == kind
    assert story.evidence == ("TTL arithmetic" if kind == "TTL expired" else "")


def test_explicit_words_beat_arithmetic() -> None:
    asked = log((-1, unload_asked(KEY)))
    assert went(asked, deadline=0).words == "unloaded by another client over REST"
    assert went(log((-1, f"Error: {CRASH}")), deadline=0).kind == "crashed"
    assert went(log((-1, f"Unloaded model '{KEY}' to make room for 'b'")), deadline=0, lost=True).kind == "evicted"
    assert went(log((-1, f"Unloaded model '{KEY}'")), deadline=0).kind == "TTL expired"
    assert went(asked, lost=True).words == "unloaded by another client over REST"


def test_evictions_by_another_models_arrival() -> None:
    story = went([], deadline=1800, newcomers=(("other", 1.0),))
    assert (story.kind, story.words) == ("evicted", "evicted, other was loaded just in time")
    assert went(log((-2, jit("other"))), deadline=1800).kind == "evicted"
    assert went([], newcomers=(("other", 1.0),)).kind == "unloaded", "what has no TTL is not evicted"
    assert went([], deadline=1800, newcomers=(("other", -500.0), (KEY, 0.0))).kind == "unloaded"
    busy = went([], deadline=1800, busy=True, newcomers=(("other", 1.0),))
    assert busy.words.endswith("it was busy, and its requests are lost")


def test_a_restart() -> None:
    assert went([], lost=True).kind == "restarted"
    assert went([], lost=True, deadline=0).kind == "restarted"
    assert went([], lost=True, ours=True).words == "unloaded by this deck"


def test_a_crash_is_told_even_where_we_unloaded_but_only_by_name() -> None:
    named = log((-1, f"The model '{KEY}' has crashed without additional information. (Exit code: 139)"))
    assert went(named, ours=True).kind == "crashed"
    assert went(log((-1, f"Error: {CRASH}")), ours=True).words == "unloaded by this deck"


def test_a_further_copy_is_not_meant_by_the_first_ones_name() -> None:
    story = went(log((-1, f"Unloaded model '{KEY}' after its idle TTL")), name=f"{KEY}:2")
    assert story.words == "unloaded, nobody said why"
    assert went(log((-1, f"Unloaded model '{KEY}:2' after its idle TTL")), name=f"{KEY}:2").kind == "TTL expired"


@pytest.mark.parametrize(
    ("late", "kind"),
    [
        (f"Unloaded model '{KEY}' after its idle TTL", "TTL expired"),
        (f"Unloaded model '{KEY}' to make room for 'b'", "evicted"),
        (f"Error: {CRASH}", "crashed"),
        (unload_asked(KEY), "unloaded"),
        (f"Unloaded model '{KEY}'", "unloaded"),
    ],
)
def test_a_late_line_tells_a_departure_better_once(late: str, kind: str) -> None:
    first = went([])
    better = improved(first, log((4, late)))
    assert better.kind == kind
    assert better.evidence.startswith("server log: ")
    assert (better.at, better.instance_id, better.model_key) == (first.at, first.instance_id, first.model_key)
    assert improved(better, log((4, late))) == better
    assert improved(first, log((40, late))) == first


def test_late_lines_never_tell_worse() -> None:
    crashed = went(log((-1, f"The model '{KEY}' has crashed without additional information. (Exit code: 139)")))
    assert improved(crashed, log((1, unload_asked(KEY)))) == crashed
    plain = log((1, f"Unloaded model '{KEY}'"))
    for story in (went([], ours=True), went([], deadline=0), went([], lost=True), went(log((-1, unload_asked(KEY))))):
        assert improved(story, plain) == story
    ours = went([], ours=True)
    assert improved(ours, log((1, unload_asked(KEY)))) == ours
    by_ttl = improved(went([], deadline=0), log((1, unload_asked(KEY))))
    assert by_ttl.words == "unloaded by another client over REST", "words beat arithmetic, late ones too"
    assert improved(went([]), log((1, "Unloaded model 'other'"))) == went([])


def test_a_late_line_tells_an_arrival_better() -> None:
    asked = log((2, load_asked(context_length=4096)))
    assert improved(came([]), asked).words == "loaded by another client over REST, context 4096 asked"
    guess = improved(came([], had_ttl=True), log((2, jit())))
    assert (guess.kind, guess.evidence.startswith("server log: [JIT]")) == ("JIT loaded", True)
    ours = came([], ours=True)
    assert improved(ours, [*asked, *log((1, jit()))]) == ours
    failed = Happening(NOW, "load failed", KEY, KEY, "x", "this deck")
    assert improved(failed, asked) == failed
