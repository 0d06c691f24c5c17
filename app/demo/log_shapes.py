"""What `lms log stream` tells of made-up traffic, in the shapes that were recorded on live machines.

A shape is an endless stream of events, the same for the same seed. Texts and figures of one exchange agree: its server
lines, prompt, engine lines, answer and statistics can be joined again, or prove that a join is wrong.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from lmdeck.demo.fields import Json

SHAPES: Final = ("mixed", "flood", "parallel", "hostile")
LONG_LINE: Final = 10_000_000

_MODELS = ("qwen/qwen3-coder-30b", "ha-expert", "zai-org/glm-4.7-flash", "mistralai/devstral-small-2-2512")
_TEXT = (
    "the a context of slots token cache load memory graph prompt answer kitchen light is was not and or with from "
    "zwölf Straße 模型 loop function returns list value if else while error test file line code model speed fast"
)
_WORDS = _TEXT.split()
_SLOTS = 4
_PARTS = ("request", "input", "launch", "prompt eval", "eval", "output", "generated")


class Event(NamedTuple):
    """One event of a source: its data, or a raw line that is none. `tag`: what a server line names after its level;
    `same_moment`: it has the timestamp of the one before."""

    source: str
    data: Json
    tag: str = ""
    same_moment: bool = False
    raw: bytes | None = None


@dataclass(slots=True)
class _Call:
    """One request, and what it comes to once it is known how long it takes."""

    number: int
    model: str
    slot: int
    prompt: str
    answer: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    ttft_s: float = 0.0
    total_s: float = 0.0
    stop: str = "eosFound"
    draft: bool = False
    short_of_speed: bool = False

    @property
    def speed(self) -> float:
        return self.tokens / max(self.total_s - self.ttft_s, 1e-6)


_Plan = list[tuple[str, _Call]]


def events(shape: str, seed: int = 0, step_s: float = 0.05) -> Iterator[Event]:
    """The events of a shape, for ever. `step_s`: seconds from one to the next, which the statistics agree with."""
    rng = random.Random(seed)
    calls = _calls(rng)
    while True:
        if shape == "flood":
            yield from _play(_one(next(calls), ("input", "output")), rng, step_s)
        elif shape == "parallel":
            yield from _play(_parallel(calls, rng), rng, step_s)
        elif shape == "hostile":
            yield from _hostile(calls, rng, step_s)
        else:
            yield from _mixed(calls, rng, step_s)


def line(event: Event, moment_ms: int) -> bytes:
    """The event as `lms log stream --json` prints it."""
    if event.raw is not None:
        return event.raw + b"\n"
    data = event.data
    if data.get("type") == "server.log":
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment_ms / 1000))
        tag = f"[{event.tag}]" if event.tag else ""
        data = data | {"content": f"[{stamp}][{str(data['level']).upper()}]{tag} {data['content']}"}
    return json.dumps({"timestamp": moment_ms, "data": data}, separators=(",", ":")).encode() + b"\n"


def _calls(rng: random.Random) -> Iterator[_Call]:
    number = 0
    while True:
        prompt = _text(rng, rng.randint(5, 60))
        call = _Call(number, rng.choice(_MODELS), number % _SLOTS, f"<|im_start|>user\n{prompt}<|im_end|>\n")
        call.stop = rng.choices(("eosFound", "maxPredictedTokensReached", "toolCalls", "failed"), (90, 5, 3, 2))[0]
        call.draft, call.short_of_speed = rng.random() < 0.1, rng.random() < 0.05
        yield call
        number += 1


def _text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words))


def _one(call: _Call, parts: tuple[str, ...] = _PARTS) -> _Plan:
    return [(part, call) for part in parts]


def _parallel(calls: Iterator[_Call], rng: random.Random) -> _Plan:
    """Requests of one moment to one model, whose answers come back the other way round; one group in four gets the same
    answer to everything."""
    group = [next(calls) for _ in range(_SLOTS)]
    same = _text(rng, 1) if rng.random() < 0.25 else ""
    for call in group:
        call.model, call.answer = group[0].model, same
    plan: _Plan = [("request", call) for call in group]
    plan += [("input", call) for call in group] + [("launch", call) for call in group]
    for call in reversed(group):
        plan += _one(call, ("prompt eval", "eval", "output"))
    return plan + [("generated", call) for call in rng.sample(group, len(group))]


def _mixed(calls: Iterator[_Call], rng: random.Random, step_s: float) -> Iterator[Event]:
    """Mostly one after another; now and then at once, an embedding, an error, a warning of the engine's."""
    kind = rng.choices(("one", "parallel", "embedding", "error", "engine"), (70, 12, 8, 4, 6))[0]
    if kind in ("one", "parallel"):
        yield from _play(_one(next(calls)) if kind == "one" else _parallel(calls, rng), rng, step_s)
    elif kind == "embedding":
        body = json.dumps({"model": "text-embedding-nomic-embed-text-v1.5", "input": [_text(rng, 6)]}, indent=2)
        yield _server(f"Received request: POST to /v1/embeddings with body {body}", "debug")
        yield _server(f"Received request to embed {rng.randint(1, 9)} text(s)")
    elif kind == "error":
        yield _server(f'Error: No models loaded. Please load "{rng.choice(_MODELS)}" first.', "error")
    else:
        yield _runtime(next(calls), "llama_kv_cache: failed to find a free slot, retrying", "warn")


def _hostile(calls: Iterator[_Call], rng: random.Random, step_s: float) -> Iterator[Event]:
    """Good events between lines that are none, lie about their types, or want to take the terminal over."""
    evil = "\x1b]0;owned\x07\x1b[2J[bold red]x[/] \u202edrow\u200b\x00 end"
    raws = (
        b"not json at all", b"\xff\xfe\x80 \xc3\x28 no utf-8", b'{"timestamp":1,"data":{"type":"llm.pred', b"{}", b"[]",
        b'{"timestamp":"soon","data":{"type":"server.log","content":7,"level":null}}', b"null", b"\x00\x00\x00",
        b'{"timestamp":-1e999,"data":{"type":"llm.prediction.output","output":[],"stats":{"tokensPerSecond":"fast"}}}',
        b'{"timestamp":1789795491321,"data":{"type":"event.of.the.future","x":1}}', b"[" * 100_000, b"",
    )  # fmt: skip
    for source in ("model", "server", "runtime"):
        yield from (Event(source, {}, raw=raw) for raw in rng.sample(raws, len(raws)))
    call = next(calls)
    call.prompt, call.answer, call.model = evil, evil, f"evil/{evil}"
    yield from _play(_one(call), rng, step_s)
    yield _server(evil, "\x1b[31merror")
    yield Event(
        "model", {"type": "llm.prediction.input", "input": "long " * (LONG_LINE // 5), "modelIdentifier": "big"}
    )
    yield Event("server", {}, raw=b"\xf0" * LONG_LINE)
    for _ in range(3):
        yield from _mixed(calls, rng, step_s)


def _play(plan: _Plan, rng: random.Random, step_s: float) -> Iterator[Event]:
    """The plan's events, with statistics that agree with its order."""
    places = {(part, call.number): place for place, (part, call) in enumerate(plan)}
    for (part, number), place in places.items():
        if part == "output":
            _settle(plan[place][1], rng, step_s * max(place - places["input", number], 1))
    before = ""
    for part, call in plan:
        yield _event(part, call, same_moment=part == before == "input")
        before = part


def _settle(call: _Call, rng: random.Random, total_s: float) -> None:
    call.total_s, call.ttft_s = total_s, total_s * rng.uniform(0.1, 0.5)
    call.prompt_tokens = len(call.prompt.split()) + 8
    call.tokens = max(1, round((call.total_s - call.ttft_s) * rng.uniform(25, 90)))
    call.answer = call.answer or _text(rng, call.tokens)


def _event(part: str, call: _Call, *, same_moment: bool) -> Event:
    model, place = call.model, f"slot {{}}: id {call.slot:2} | task {call.number} | "
    if part == "request":
        body = {
            "model": model,
            "messages": [{"role": "user", "content": call.prompt}],
            "temperature": 0,
            "stream": False,
        }
        words = f"Received request: POST to /v1/chat/completions with body {json.dumps(body, indent=2)}"
        return _server(words, "debug")
    if part == "input":
        data: Json = {"type": "llm.prediction.input", "input": call.prompt, "modelPath": f"{model}.gguf"}
        return Event("model", data | {"modelIdentifier": model}, same_moment=same_moment)
    if part == "output":
        output: Json = {"type": "llm.prediction.output", "output": call.answer, "stats": _stats(call)}
        return Event("model", output | {"modelIdentifier": model})
    if part == "generated":
        return _server(f"Generated prediction: {json.dumps(_completion(call), indent=2)}", tag=model)
    if part == "launch":
        return _runtime(call, place.format("launch_slot_") + "processing task")
    seconds, tokens = call.ttft_s, call.prompt_tokens
    if part == "eval":
        seconds, tokens = call.total_s - call.ttft_s, call.tokens
    each, rate = f"{seconds * 1000 / max(tokens, 1):.2f}", f"{tokens / max(seconds, 1e-6):.2f}"
    figures = f"{seconds * 1000:.2f} ms / {tokens} tokens ({each} ms per token, {rate} tokens per second)"
    return _runtime(call, f"{place.format('print_timing')}{part} time = {figures}")


def _server(words: str, level: str = "info", tag: str = "") -> Event:
    return Event("server", {"type": "server.log", "content": words, "level": level}, tag)


def _runtime(call: _Call, words: str, level: str = "info") -> Event:
    data: Json = {"type": "runtime.log", "level": level, "message": words, "engineName": "llama.cpp", "pid": 4242}
    more: Json = {"engineVersion": "2.3.0", "engineType": "llm", "modelIdentifier": call.model}
    return Event("runtime", data | more)


def _stats(call: _Call) -> Json:
    stats: Json = {
        "stopReason": call.stop,
        "numGpuLayers": -1,
        "timeToFirstTokenSec": round(call.ttft_s, 4),
        "totalTimeSec": round(call.total_s, 4),
        "promptTokensCount": call.prompt_tokens,
        "predictedTokensCount": call.tokens,
        "totalTokensCount": call.prompt_tokens + call.tokens,
    }
    if not call.short_of_speed:
        stats["tokensPerSecond"] = round(call.speed, 2)
    if call.draft:
        stats |= {"totalDraftTokensCount": call.tokens, "acceptedDraftTokensCount": call.tokens // 2}
    return stats


def _completion(call: _Call) -> Json:
    usage = {"prompt_tokens": call.prompt_tokens, "completion_tokens": call.tokens}
    choice = {"index": 0, "message": {"role": "assistant", "content": call.answer}, "finish_reason": "stop"}
    name = f"chatcmpl-{call.number:08x}"
    return {"id": name, "object": "chat.completion", "model": call.model, "choices": [choice], "usage": usage}
