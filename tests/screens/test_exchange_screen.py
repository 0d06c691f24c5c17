"""The exchange page: its sections, search, copies, what it is left with, and texts that must not be seen."""

import json
from dataclasses import replace

import pytest
from dialog_host import DialogHost

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.screens.exchange_message import last_user_message, request_body
from lmdeck.screens.exchange_screen import ExchangeAction, ExchangeScreen
from lmdeck.screens.exchange_sections import SECTIONS
from lmdeck.screens.exchange_text import overview, raw_json, stop_reason

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
AT = 1_795_780_800.25
BODY = json.dumps(
    {"model": "coder", "messages": [{"role": "user", "content": "secret question"}], "temperature": 0.7}, indent=2
)
PROMPT = "<|im_start|>user\nsecret question [red]\x1b[2J<|im_end|>\n<|im_start|>assistant\n"
EXCHANGE = Exchange(
    12,
    "coder",
    AT,
    AT + 3.5,
    path="POST /v1/chat/completions",
    parameters={"temperature": 0.7, "stream": True, "system_prompt": "secret role", "stop": ["\n"]},
    client="10.0.0.7",
    request=ServerLine(AT, f"[2026-11-27 12:00:00][DEBUG] Received request: POST to /v1/x with body {BODY}"),
    input=PredictionInput(AT + 0.1, "coder", PROMPT, "/models/coder.gguf"),
    output=PredictionOutput(AT + 3.5, "coder", "<think>hidden depths</think>secret answer"),
    generated=ServerLine(AT + 3.4, "secret answer, as the server says"),
    runtime=(RuntimeLine(AT + 0.2, "slot 2 launched\x1b[2J", engine="llama.cpp"), RuntimeLine(AT + 1, "eval time")),
    slot=2,
    stats=PredictionStats("maxPredictedTokensReached", 41.31, 0.312, 3.4, 812, 143, 120, 96),
    certainty="guess",
    doubt="two answers of one length",
)
BARE = Exchange(1, "coder", AT)


class Opened:
    """The screen in a host, and what it was dismissed with."""

    def __init__(self, exchange=EXCHANGE, *, size=(80, 24), hide_text=False, can_send=True, **others):
        self.screen = ExchangeScreen(exchange, hide_text=hide_text, can_send=can_send, **others)
        self.host, self.results = DialogHost(self.screen), []
        push = self.host.push_screen
        self.host.push_screen = lambda screen: push(screen, self.results.append)
        self._running = self.host.run_test(size=size)

    async def __aenter__(self):
        self.pilot = await self._running.__aenter__()
        await self.pilot.pause()
        return self

    async def __aexit__(self, *error):
        await self._running.__aexit__(*error)

    async def press(self, *keys) -> str:
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.host.words()


@SIZES
async def test_the_overview_tells_what_the_model_log_lacks(size):
    async with Opened(size=size) as deck:
        words = await deck.press("G") + await deck.press("g")
        for fact in (
            "Exchange 12 coder",
            "request POST /v1/chat/completions",
            "client 10.0.0.7",
            "tokens in 812",
            "tokens out 143",
            "speed 41.3 tok/s",
            "first token TTFT 0.31 s",
            "stop reason cut off: the limit of output tokens is reached (maxPredictedTokensReached)"[: size[0] - 20],
            "draft 96 of 120 tokens accepted, 80 %",
            "after 3.5 s",
            "server's time 3.4 s",
            "slot 2",
            "joined ! a guess: more than one request fits",
            "doubt two answers of one length",
            "Parameters of the request",
            "temperature 0.7",
            "stream true",
            'stop ["\\n"]',
        ):
            assert fact in words, fact
        assert "Esc close" in words


@SIZES
async def test_sections_by_number_and_by_tab(size):
    async with Opened(size=size) as deck:
        assert "[1 Overview]" in deck.host.words()
        words = await deck.press("2")
        assert "[2 Prompt]" in words
        assert "<|im_start|>user secret question [red]␛[2J<|im_end|> <|im_start|>assistant" in words
        words = await deck.press("tab")
        assert "[3 Answer]" in words
        assert "<think>hidden depths</think>secret answer" in words
        words = await deck.press("4")
        assert "slot 2 launched␛[2J" in words
        words = await deck.press("5")
        assert "Rebuilt from what the deck keeps" in words
        assert '"type": "server.log"' in words
        assert "[1 Overview]" in await deck.press("tab")
        assert "[5 JSON]" in await deck.press("shift+tab")
        await deck.press("q")
        assert deck.results == [None]


@SIZES
async def test_hidden_texts_are_neither_shown_nor_found_nor_copied(size):
    async with Opened(size=size, hide_text=True) as deck:
        for key in "12345":
            words = await deck.press(key)
            assert "secret" not in words
            assert "hidden depths" not in words
            assert ("P shows them" in words) == (key in "235")
            await deck.press("y")
            assert "secret" not in deck.host.copied
        words = await deck.press("slash", *"secret", "enter")
        assert "0/0" in words
        await deck.press("Y")
        assert "temperature" in deck.host.copied
        assert "secret" not in deck.host.copied
        await deck.press("c")
        assert deck.results == []
        await deck.press("escape")
        assert deck.results == [None]


async def test_search_counts_steps_and_is_dropped_by_escape():
    async with Opened(replace(EXCHANGE, input=PredictionInput(AT, "coder", "a needle\n" * 100))) as deck:
        await deck.press("2")
        words = await deck.press("slash", *"NEEDLE")
        assert "1/100" in words
        words = await deck.press("enter", "n", "n")
        assert "3/100" in words
        assert "2/100" in await deck.press("N")
        assert "0/0" in await deck.press("3")
        assert "100" in await deck.press("2")
        words = await deck.press("slash", "escape")
        assert "/ find" in words
        assert deck.results == []


@pytest.mark.parametrize("hide_text", [True, False])
async def test_it_opens_where_the_words_are_found(hide_text):
    answer = PredictionOutput(AT, "coder", "a line\n" * 100 + "Secret vault")
    async with Opened(replace(EXCHANGE, output=answer), look_for="secret vault", hide_text=hide_text) as deck:
        words = await deck.host.see(deck.pilot, "/ find" if hide_text else "1/1 n N hits")
        assert ("[3 Answer]" in words, "Secret vault" in words) == (not hide_text, not hide_text)


async def test_an_exchange_of_the_history_has_the_sections_it_is_given():
    past = replace(EXCHANGE, number=0)
    async with Opened(past, sections=SECTIONS[:2]) as deck:
        assert "Request coder 2026-11-2" in deck.host.words()
        await deck.press("3", "5")
        assert "[1 Overview] 2 Prompt" in deck.host.words()
        assert "[2 Prompt]" in await deck.press("tab")
        assert "[1 Overview]" in await deck.press("tab")
        assert "1-2 section" in deck.host.words()
        await deck.press("Y")
        assert "# Answer" not in deck.host.copied


async def test_copies_are_plain_and_bounded():
    long = replace(EXCHANGE, output=PredictionOutput(AT, "coder", "\tx\x1b" + "y" * 2_000_000))
    async with Opened(long) as deck:
        await deck.press("3", "y")
        assert deck.host.copied.startswith("\tx␛yyy")
        assert len(deck.host.copied) == 1_000_000
    async with Opened() as deck:
        await deck.press("Y")
        assert [line for line in deck.host.copied.splitlines() if line.startswith("# ")] == [
            "# Overview", "# Prompt", "# Answer", "# Runtime", "# JSON",
        ]  # fmt: skip
        assert "\x1b" not in deck.host.copied


async def test_chat_and_repeat_are_results():
    async with Opened() as deck:
        await deck.press("c")
        assert deck.results == [ExchangeAction("chat", "secret question", EXCHANGE)]
    async with Opened(hide_text=True) as deck:
        await deck.press("R")
        assert deck.results == [ExchangeAction("repeat", BODY, EXCHANGE)]
    only_prompt = replace(EXCHANGE, request=None)
    async with Opened(only_prompt) as deck:
        await deck.press("R")
        assert deck.results == [ExchangeAction("repeat", "", only_prompt)]
    async with Opened(can_send=False) as deck:
        words = await deck.press("c", "R")
        assert "c chat" not in words
        assert "R repeat" not in words
        assert deck.results == []


async def test_what_is_not_known_is_said():
    async with Opened(BARE) as deck:
        words = deck.host.words()
        assert "… running" in words
        assert "tokens in –" in words
        assert "none told" in words
        assert "No log has told the prompt." in await deck.press("2")
        assert "No answer yet" in await deck.press("3")
        assert "The engine has logged nothing" in await deck.press("4")
        await deck.press("y", "c", "R")
        assert deck.results == []
        assert deck.host.copied == ""


async def test_an_update_brings_the_answer_and_keeps_the_place():
    running = replace(EXCHANGE, ended_at=None, output=None, generated=None, runtime=EXCHANGE.runtime * 50)
    async with Opened(running) as deck:
        await deck.press("4", "j", "j", "slash", *"eval", "enter")
        view = deck.screen.query_one("#text")
        place, found = view.place, view.found
        assert place > 0
        deck.screen.update(replace(running, runtime=(*running.runtime, RuntimeLine(AT, "one more eval"))))
        await deck.pilot.pause()
        assert view.place == place
        assert found.endswith("/50")
        assert view.found.endswith("/51")
        await deck.press("3")
        deck.screen.update(EXCHANGE)
        await deck.pilot.pause()
        assert "secret answer" in deck.host.words()
        assert "… running" not in deck.host.words()
    async with Opened(replace(EXCHANGE, input=None, output=None)) as deck:
        assert "The request's body" in await deck.press("2")
        words = await deck.press("3")
        assert "From the server's log" in words
        assert "as the server says" in words


def test_stop_reasons_in_words():
    assert stop_reason("eosFound") == "the model ended its answer (eosFound)"
    assert stop_reason("newReason\n") == "newReason"
    assert stop_reason(None) == "–"


def test_every_line_of_the_json_is_an_event_as_it_came():
    events = [json.loads(line) for line in raw_json(EXCHANGE).splitlines()]
    assert [event["data"]["type"] for event in events] == [
        "server.log", "llm.prediction.input", "runtime.log", "runtime.log", "server.log", "llm.prediction.output",
    ]  # fmt: skip
    assert events[1] == {
        "timestamp": round((AT + 0.1) * 1000),
        "data": {
            "type": "llm.prediction.input",
            "modelPath": "/models/coder.gguf",
            "modelIdentifier": "coder",
            "input": PROMPT,
        },
    }
    with_stats = replace(EXCHANGE.output, stats=EXCHANGE.stats)
    told = json.loads(raw_json(replace(EXCHANGE, output=with_stats)).splitlines()[-1])["data"]["stats"]
    assert (told["stopReason"], told["totalDraftTokensCount"]) == ("maxPredictedTokensReached", 120)
    assert raw_json(BARE) == ""


def test_marks_lie_on_the_words_they_mean():
    text, marker = overview(replace(EXCHANGE, error="it broke"), False)
    toned = {text[mark.start : mark.end].strip(): mark.tone for mark in marker(text, 0, len(text)) if mark.tone}
    assert toned["it broke"] == "bad"
    assert toned["! a guess: more than one request fits"] == "warn"
    assert toned["Parameters of the request"] == "strong"
    assert toned["temperature"] == "muted"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"messages":[{"role":"user","content":"old"},{"role":"assistant","content":"x"}]}', "old"),
        ('{"messages":[{"role":"user","content":[{"text":"a"},{"type":"image_url"},{"text":"b"}]}]}', "a\nb"),
        ('{"input":"text"} trailing', "text"),
        ('{"input":[{"type":"message","content":"native"}]}', "native"),
        ('{"prompt":"complete"}', "complete"),
        ('{"messages":[{"role":"user"}, 3, null]}', "secret question [red]\x1b[2J"),
        ('{"messages": [{"role": "user", "content": "cut o', "secret question [red]\x1b[2J"),
        ("[1]", "secret question [red]\x1b[2J"),
        ("[" * 100_000, "secret question [red]\x1b[2J"),
    ],
)  # fmt: skip
def test_the_last_user_message(body, said):
    request = ServerLine(AT, f"Received request: POST to /v1/x with body {body}")
    exchange = replace(EXCHANGE, request=request)
    assert request_body(exchange) == body
    assert last_user_message(exchange) == said
