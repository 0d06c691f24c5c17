"""Who came and went: one change of the list of instances, told with what proves it.

Explicit words of a log beat arithmetic (a TTL that had run out, another model's arrival), and where nothing tells,
nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lmdeck.evidence.exits import exit_words
from lmdeck.evidence.server_log import Fact
from lmdeck.model.catalog import Instance
from lmdeck.model.text import one_line
from lmdeck.model.timeline import Happening, Kind

LOAD_TAKES_S = 900.0
"""A request for a load this long (seconds) before an arrival may have caused it."""
JUST_S = 30.0
"""So long (seconds) before a departure is noticed its cause may have been logged."""
LATE_S = 10.0
"""A line this late (seconds) still explains what was seen before it."""
TTL_EARLY_S, TTL_LATE_S = 2.0, 5.0
"""A departure so near to a deadline is the TTL's doing; it is seen with the next poll, so later rather than earlier."""
SAME_MOMENT_S = 10.0

OURS, NO_WORD = "this deck", "unloaded, nobody said why"
_GONE = frozenset({"unloaded", "idle TTL", "evicted", "crashed", "load failed"})
_ARRIVALS: frozenset[Kind] = frozenset({"loaded", "JIT loaded"})
_DEPARTURES: frozenset[Kind] = frozenset({"unloaded", "TTL expired", "evicted", "crashed", "restarted"})


@dataclass(frozen=True, slots=True)
class _Story:
    """One reading of the evidence. The higher `weight` is the better told: a log's word on the matter 3; a request, or
    a crash of nobody named, 2; a log line that does not say by whom 1; arithmetic and nothing 0."""

    kind: Kind
    words: str
    evidence: str
    weight: int = 0


def arrival(
    instance: Instance, model_key: str, *, at: float, facts: Sequence[Fact], ours: bool, had_ttl: bool
) -> Happening:
    """How an instance came that was first seen `at` (Unix time). `ours`: this deck loads that model; `had_ttl`: it
    has an idle TTL, as models loaded just in time do."""
    if ours:
        story = _Story("loaded", "loaded by this deck", OURS)
    else:
        story = _arrival_story(instance.id, model_key, at, facts, had_ttl) or _unexplained(had_ttl)
    return Happening(at, story.kind, model_key, instance.id, story.words, story.evidence)


def departure(
    instance_id: str,
    model_key: str,
    *,
    at: float,
    facts: Sequence[Fact],
    ours: bool,
    ttl_deadline: float | None,
    busy: bool,
    jit_arrivals: Sequence[tuple[str, float]],
    server_was_lost: bool,
) -> Happening:
    """Why an instance went that was missed `at` (Unix time). `ttl_deadline` (Unix) is when its idle TTL would run out,
    None without one; `jit_arrivals` are models loaded just in time, with their time; `busy`: requests were running."""
    told = _departure_story(instance_id, model_key, at, facts)
    if told is not None and told.weight == 3 and (told.kind == "crashed" or not ours):
        story = told
    elif ours:
        story = _Story("unloaded", "unloaded by this deck", OURS)
    elif told is not None and told.weight == 2:
        story = told
    elif server_was_lost:
        words = "gone when the server came back; it was probably restarted"
        story = _Story("restarted", words, "the server was away")
    elif ttl_deadline is not None and not busy and -TTL_EARLY_S <= at - ttl_deadline <= TTL_LATE_S:
        story = _Story("TTL expired", "unloaded: its idle TTL had run out", "TTL arithmetic")
    else:
        names = names_of(instance_id, model_key)
        evicted = _eviction(names, at, facts, jit_arrivals) if ttl_deadline is not None else None
        story = evicted or told or _Story("unloaded", NO_WORD, "")
    if busy and story.kind == "evicted":
        story = replace(story, words=f"{story.words}; it was busy, and its requests are lost")
    return Happening(at, story.kind, model_key, instance_id, story.words, story.evidence)


def improved(happening: Happening, facts: Sequence[Fact]) -> Happening:
    """The same happening, told better where log lines up to LATE_S after it say more; else as it is."""
    name, key, at = happening.instance_id, happening.model_key, happening.at
    if happening.kind in _ARRIVALS:
        told = _arrival_story(name, key, at, facts, "TTL" in happening.evidence)
    elif happening.kind in _DEPARTURES:
        told = _departure_story(name, key, at, facts)
    else:
        return happening
    if told is None or told.weight <= _weight(happening):
        return happening
    if happening.evidence == OURS and not (told.kind == "crashed" and told.weight == 3):
        return happening
    if told.weight == 1 and happening.kind in _DEPARTURES and happening.kind != "unloaded":
        return happening
    lost = happening.words.partition("; it was busy")
    words = f"{told.words}{lost[1]}{lost[2]}" if told.kind == happening.kind else told.words
    return replace(happening, kind=told.kind, words=words, evidence=told.evidence)


def _weight(happening: Happening) -> int:
    """How well it is told already, on the scale of `_Story.weight`."""
    if " log: " not in happening.evidence:
        return 0
    if happening.kind not in ("loaded", "unloaded"):
        return 3
    return 2 if "another client" in happening.words else 1


def names_of(instance_id: str, model_key: str) -> frozenset[str]:
    """What logs may call it: LM Studio takes a key without its publisher, and with a variant behind an @."""
    bare = model_key.partition("@")[0]
    return frozenset(name.lower() for name in (instance_id, model_key, bare, bare.rpartition("/")[2]) if name)


def is_about(fact: Fact, names: frozenset[str]) -> bool:
    """Whether a fact's subject is one of these names."""
    subject = fact.subject.lower()
    return subject in names or subject.partition("@")[0] in names


def unused(facts: Sequence[Fact], told: Sequence[Happening]) -> list[Fact]:
    """The facts without those that have explained an earlier happening: a line explains one departure only."""
    used = {happening.evidence: happening.at for happening in told}
    return [fact for fact in facts if fact.at > used.get(_shown(fact), float("-inf"))]


def _shown(fact: Fact) -> str:
    return f"{fact.source} log: {one_line(fact.line, 200)}"


def _within(facts: Iterable[Fact], begin: float, end: float) -> list[Fact]:
    """The facts between two moments, in the order of time."""
    return sorted((fact for fact in facts if begin <= fact.at <= end), key=lambda fact: fact.at)


def _arrival_story(name: str, key: str, at: float, facts: Sequence[Fact], had_ttl: bool) -> _Story | None:
    """What the logs say about an arrival: only what came after the last time that this model went."""
    names = names_of(name, key)
    near = [fact for fact in _within(facts, at - LOAD_TAKES_S, at + LATE_S) if is_about(fact, names)]
    last_gone = max((i for i, fact in enumerate(near) if fact.kind in _GONE and fact.at <= at), default=-1)
    near = near[last_gone + 1 :]
    last = {fact.kind: fact for fact in near}
    if (jit := last.get("JIT loading")) is not None:
        return _Story("JIT loaded", "loaded just in time, for a request", _shown(jit), 3)
    if (asked := last.get("load asked")) is not None:
        context = asked.settings.context_length if asked.settings is not None else None
        words = "loaded by another client over REST" + (f", context {context} asked" if context else "")
        return _Story("loaded", words, _shown(asked), 2)
    own = next((f for f in near if f.kind in ("loading", "loaded") and f.subject.lower() == name.lower()), None)
    begun = at if own is None else own.at
    chats = [f for f in near if f.kind == "chat asked" and f.at <= begun and (own is None or begun - f.at <= LATE_S)]
    if chats:
        evidence = _shown(chats[-1]) + (", and it has a TTL" if had_ttl else "")
        return _Story("JIT loaded", "loaded just in time, for a request", evidence, 2)
    if own is None:
        return None
    words = "loaded, not by a request over REST: by `lms` or LM Studio itself"
    return _Story("loaded", words, _shown(own) + (", and it has a TTL" if had_ttl else ""), 1)


def _unexplained(had_ttl: bool) -> _Story:
    if had_ttl:
        return _Story(
            "JIT loaded", "probably loaded just in time: it has an idle TTL", "a TTL, and no load request in the log"
        )
    return _Story("loaded", "loaded, nobody said by whom", "")


def _departure_story(name: str, key: str, at: float, facts: Sequence[Fact]) -> _Story | None:
    """The best that the logs say about a departure; the newest of each kind counts."""
    # A further copy (`key:2`) is not meant by a line about `key`, which is the first one's name.
    names = frozenset({name.lower()}) if name.startswith(f"{key}:") else names_of(name, key)
    near = _within(facts, at - JUST_S, at + LATE_S)
    last = {f.kind: f for f in near if (f.subject == name if f.kind == "unload asked" else is_about(f, names))}
    nameless = [f for f in near if f.kind == "crashed" and not f.subject and abs(f.at - at) <= SAME_MOMENT_S]
    if (crash := last.get("crashed")) is not None:
        return _Story("crashed", _crash_words(crash), _shown(crash), 3)
    if (idle := last.get("idle TTL")) is not None:
        return _Story("TTL expired", "unloaded: its idle TTL had run out", _shown(idle), 3)
    if (evicted := last.get("evicted")) is not None:
        return _Story("evicted", "unloaded to make room for another model", _shown(evicted), 3)
    if (asked := last.get("unload asked")) is not None:
        return _Story("unloaded", "unloaded by another client over REST", _shown(asked), 2)
    if nameless:
        words = f"{_crash_words(nameless[-1])}; the log names no model, this one went at that moment"
        return _Story("crashed", words, _shown(nameless[-1]), 2)
    if (gone := last.get("unloaded")) is not None:
        return _Story("unloaded", "unloaded, the log does not say by whom", _shown(gone), 1)
    return None


def _crash_words(crash: Fact) -> str:
    if crash.code is None:
        return "crashed"
    means = exit_words(crash.code)
    return f"crashed, exit code {crash.code}" + (f": {means}" if means else "")


def _eviction(
    names: frozenset[str], at: float, facts: Sequence[Fact], jit_arrivals: Sequence[tuple[str, float]]
) -> _Story | None:
    """Another model loaded just in time at that moment, for which LM Studio gives up an earlier one of that kind."""
    for fact in _within(facts, at - SAME_MOMENT_S, at + LATE_S):
        if fact.kind == "JIT loading" and not is_about(fact, names):
            return _Story("evicted", f"evicted, {fact.subject} was loaded just in time", _shown(fact))
    for name, when in jit_arrivals:
        if abs(when - at) <= SAME_MOMENT_S and name.lower() not in names:
            return _Story("evicted", f"evicted, {name} was loaded just in time", f"{name} came at the same moment")
    return None
