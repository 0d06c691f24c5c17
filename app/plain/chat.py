"""`lmdeck chat PROMPT`: one question, the answer on stdout as it comes."""

import argparse
import io
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict

from lmdeck.conversations.recorder import Recorder
from lmdeck.model.catalog import Model
from lmdeck.model.chat import (
    ChatEvent,
    ChatFault,
    ChatRequest,
    ChatStats,
    MessageDelta,
    ModelLoading,
    ReasoningDelta,
    Value,
)
from lmdeck.model.conversation import Turn
from lmdeck.model.endpoints import ENDPOINTS, NATIVE, Endpoint, find
from lmdeck.model.parameters import Invalid, accepted, check, parse
from lmdeck.model.text import clean
from lmdeck.model.units import UNKNOWN, rate, ttft
from lmdeck.plain.frame import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, Failed, new_parser, run, settings_of, tell
from lmdeck.plain.printing import Record, document, emit, write
from lmdeck.plain.reader import Reader, reading, the_model
from lmdeck.state.deck import DeckState
from lmdeck.state.views import chat_targets

_PROG = "lmdeck chat"
_LONGEST = 2**24
"""Characters of a prompt from stdin."""


def main(argv: Sequence[str]) -> int:
    """Run with the arguments after `chat`; answers the exit code: 1 where the answer broke off by a fault. One that
    reached a limit is whole as far as it was asked for: then stderr says `cut off: <reason>`."""
    return run(_parser(), argv, _chat, before=_read_prompt)


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(endpoint.name for endpoint in ENDPOINTS)
    parser = new_parser(
        "chat",
        "Asks one question and prints the answer as it comes; the server is told to keep nothing where that is "
        "possible. Statistics go to stderr.",
    )
    parser.add_argument("prompt", nargs="*", metavar="PROMPT", help="the question [what stdin holds]")
    parser.add_argument("--model", metavar="ID", help="an instance or a model [the one that is loaded]")
    parser.add_argument("--endpoint", default=NATIVE.name, metavar="NAME", help=f"{names}, or its path [%(default)s]")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="temperature=0 and the like")
    parser.add_argument("--system", metavar="TEXT", help="the system prompt")
    parser.add_argument("--reasoning", action="store_true", help="show the reasoning, too, on stderr")
    return parser


def _read_prompt(options: argparse.Namespace) -> None:
    """The words of the command line, else everything that stdin holds. Raises Failed."""
    words = " ".join(options.prompt)
    if not words:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        words = sys.stdin.read(_LONGEST + 1)
    if len(words) > _LONGEST:
        raise Failed(f"the prompt is longer than {_LONGEST} characters", EXIT_USAGE)
    if not words.strip():
        raise Failed("there is no prompt: give one, or write it to stdin", EXIT_USAGE)
    options.prompt = words


async def _chat(options: argparse.Namespace) -> int:
    endpoint = find(options.endpoint)
    if endpoint is None:
        raise Failed(f"no endpoint {options.endpoint!r}: {', '.join(one.name for one in ENDPOINTS)}", EXIT_USAGE)
    async with reading(settings_of(options)) as reader:
        state = await reader.look_at_models()
        target = _target(state, options.model)
        model = state.model_of(target) or state.model(target)
        request = ChatRequest(
            target,
            options.prompt,
            system_prompt=options.system,
            store=False if endpoint.store else None,
            endpoint=endpoint.path,
            parameters=_parameters(options.param, endpoint, model),
        )
        answer = _Answer(options, reader, request)
        await answer.receive()
    turn = answer.turn()
    if options.json:
        emit(options, _record(turn, request), "")
    else:
        tell(_PROG, _statistics(turn.stats or ChatStats()))
    if turn.cut_off:
        tell(_PROG, f"cut off: {turn.cut_off}")
    return EXIT_FAILED if answer.failed else EXIT_DONE


def _target(state: DeckState, named: str | None) -> str:
    """Who answers. Raises Failed."""
    if named is not None:
        return named if state.instance(named) is not None else the_model(state, named).key
    able = chat_targets(state)
    if len(able) == 1:
        return able[0]
    if able:
        raise Failed(f"several can answer: {', '.join(able)}; choose one with --model", EXIT_USAGE)
    raise Failed("nothing that can chat is loaded: `lmdeck load KEY`, or name a model with --model")


def _parameters(pairs: Iterable[str], endpoint: Endpoint, model: Model | None) -> dict[str, Value]:
    """The values that were meant. Raises Failed."""
    takes = {parameter.name: parameter for parameter in accepted(endpoint.path, model)}
    chosen = dict[str, Value]()
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise Failed(f"--param {pair}: it is written NAME=VALUE", EXIT_USAGE)
        if name not in takes:
            raise Failed(f"--param {'; '.join(check({name: text}, endpoint.path, model))}", EXIT_USAGE)
        try:
            chosen[name] = parse(takes[name], text, model)
        except Invalid as error:
            raise Failed(f"--param {error}", EXIT_USAGE) from None
    return chosen


class _Answer:
    """One answer; with --json it is not printed as it comes. `failed`: the server told of a fault on the way."""

    def __init__(self, options: argparse.Namespace, reader: Reader, request: ChatRequest) -> None:
        self._options, self._backend, self._request = options, reader.sources.backend, request
        self._recorder = Recorder("", "", request.endpoint, self._backend.url, time.time, stored=False)
        self._printed = self.failed = False

    def turn(self) -> Turn:
        """As far as it came."""
        return self._recorder.turn()

    async def receive(self) -> None:
        """To its end. Raises BackendError, OSError."""
        try:
            async with aclosing(self._backend.chat(self._request)) as events:
                async for event in events:
                    self._recorder.feed(event)
                    self._show(event)
        finally:
            if self._printed:
                write("")
        if not self._printed and not self._options.json and (text := self.turn().text):
            write(_safe(text))

    def _show(self, event: ChatEvent) -> None:
        match event:
            case MessageDelta(text=text) if text and not self._options.json:
                write(_safe(text), end="")
                self._printed = True
            case ReasoningDelta(text=text) if self._options.reasoning:
                print(clean(text), end="\n" if event.done else "", file=sys.stderr, flush=True)
            case ModelLoading(progress=None, done=False):
                tell(_PROG, f"{self._request.model} is being loaded for it …")
            case ChatFault():
                self.failed = True


def _safe(text: str) -> str:
    """As it may be shown: a terminal would obey control characters, a file takes what the model wrote."""
    return clean(text) if sys.stdout.isatty() else text


def _statistics(stats: ChatStats) -> str:
    counts = [UNKNOWN if count is None else str(count) for count in (stats.input_tokens, stats.output_tokens)]
    return f"{'→'.join(counts)} tok  {rate(stats.tokens_per_second)}  {ttft(stats.ttft_s)}"


def _record(turn: Turn, request: ChatRequest) -> Record:
    return document(
        "chat",
        {
            "model": request.model,
            "instance": turn.instance_id or None,
            "endpoint": request.endpoint,
            "parameters": request.parameters,
            "text": turn.text,
            "reasoning": turn.reasoning,
            "tool_calls": [asdict(call) for call in turn.tools],
            "stats": asdict(turn.stats) if turn.stats else None,
            "cut_off": turn.cut_off or None,
        },
    )
