"""One line for one log entry."""

import json
import tracemalloc

import pytest

from lmdeck.model.exchange import Exchange
from lmdeck.model.log import (
    DeckNote,
    PredictionInput,
    PredictionOutput,
    PredictionStats,
    RuntimeLine,
    ServerLine,
    Unreadable,
)
from lmdeck.widgets.paint.line import plain
from lmdeck.widgets.paint.log_line import clock_time, kilobytes, summary

STATS = PredictionStats("eosFound", 41.34, 0.312, 3.5, 812, 143)


def text(entry, **options):
    line = plain(summary(entry, **options))
    assert line.startswith(f"{clock_time(entry.at)} ")
    return line[9:]


def test_answer_with_statistics():
    shown = text(PredictionOutput(0, "qwen3-coder-30b", "hello", STATS))
    assert shown == "← qwen3-coder-30b       812→143 tok   41.3 tok/s  TTFT 0.31 s  eosFound"


def test_answer_with_gaps_in_its_statistics():
    gaps = PredictionOutput(0, "m", "", PredictionStats("eosFound", predicted_tokens=7))
    assert text(gaps) == f"← {'m':<18}        –→7 tok            –       TTFT –  eosFound"
    assert text(gaps, cells=60) == f"← {'m':<12}  –→7 tok  eosFound"
    assert text(PredictionOutput(0, "m", "two words")) == f"← {'m':<18}  9 chars  two words"


@pytest.mark.parametrize("cells", range(32, 200, 7))
def test_columns_fit_the_width_and_how_it_broke_off_stays(cells):
    stats = PredictionStats("failed", 41.34, 0.312, 3.5, 131072, 32768, draft_tokens=40, accepted_draft_tokens=31)
    shown = text(PredictionOutput(0, "qwen3", "", stats), cells=cells)
    assert len(shown) + 9 <= cells
    assert "failed" in shown
    assert ("41.3 tok/s" in shown) == (cells >= 43)
    assert ("draft 31/40" in shown) == (cells >= 94)


def test_names_get_the_room_there_is():
    answers = [PredictionOutput(0, name, "", STATS) for name in ("qwen3-coder-30b:2", "m")]
    for cells in (60, 100, 160):
        starts = {text(answer, cells=cells).index("→") for answer in answers}
        assert len(starts) == (2 if cells == 60 else 1)


def test_a_guessed_exchange_is_marked():
    answer = PredictionOutput(0, "m", "", STATS)
    shown = {
        certainty: text(answer, exchange=Exchange(1, "m", 0, certainty=certainty))[:3]
        for certainty in ("certain", "likely", "guess")
    }
    assert shown == {"certain": "← m", "likely": "← m", "guess": "←?m"}


@pytest.mark.parametrize(
    ("entry", "end"),
    [
        (ServerLine(0, "[2026-04-17 18:32:17][INFO] x\n" + "y" * 10_000_000), "server   x  (10.0 MB)"),
        (RuntimeLine(0, "x" + "é" * 10_000_000), "(10000001 chars)"),
        (ServerLine(0, "Received request: POST to /v1/x with body {" + " " * 10_000_000), "POST /v1/x  (10.0 MB)"),
        (PredictionInput(0, "m", "word " * 2_000_000), "word "),
        (PredictionOutput(0, "m", "word " * 2_000_000), "word "),
    ],
)
def test_a_huge_entry_costs_what_is_seen_of_it(entry, end):
    tracemalloc.start()
    shown = text(entry)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shown.endswith(end)
    assert peak < 1_000_000


def test_how_an_answer_ended_has_a_tone():
    tones = {
        reason: summary(PredictionOutput(0, "m", "", PredictionStats(reason)))[-1].tone
        for reason in ("eosFound", "contextLengthReached", "failed")
    }
    assert tones == {"eosFound": "muted", "contextLengthReached": "warn", "failed": "bad"}


def test_speculative_decoding_is_told():
    assert text(PredictionOutput(0, "m", "", PredictionStats(draft_tokens=40, accepted_draft_tokens=31))).endswith(
        "draft 31/40"
    )


def test_prompt_with_its_first_words_or_without():
    prompt = PredictionInput(0, "m", "<|im_start|>user\nHello \x1b[2J[b]you[/b]" + "x" * 5000)
    assert text(prompt).startswith(f"→ {'m':<18}  5037 chars  <|im_start|>user Hello ␛[2J[b]you[/b]xxx")
    assert text(prompt, hide_text=True) == f"→ {'m':<18}  5037 chars"


def test_wide_names_keep_the_columns():
    assert text(PredictionInput(0, "模型", "a")) == f"→ 模型{' ' * 14}  1 chars  a"


def request(body):
    return ServerLine(
        0, f"[2026-04-17 18:32:17][DEBUG] Received request: POST to /v1/chat/completions with body {body}"
    )


def test_request_with_its_parameters():
    body = {
        "model": "qwen3",
        "stream": True,
        "temperature": 0,
        "top_p": 0.95,
        "stop": ["x"],
        "messages": [{}],
        "n": 1,
        "x": None,
    }
    shown = text(request(json.dumps(body, indent=2)))
    assert shown.startswith("→ POST /v1/chat/completions  qwen3  stream  temperature=0  top_p=0.95  1 message  n=1  (")
    assert shown.endswith(" B)")


@pytest.mark.parametrize("body", ["{cut off", "[1, 2]", "nonsense", "[" * 100_000, '{"model": 7, "stream": "yes"}'])
def test_request_with_a_body_that_says_nothing(body):
    assert text(request(body)) == f"→ POST /v1/chat/completions  ({kilobytes(len(body))})"


def test_request_without_a_body():
    assert text(ServerLine(0, "Received request: GET to /v1/models")) == "→ GET /v1/models"


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (ServerLine(0, "[2026-04-17 18:32:17][INFO] Server started"), "· server   Server started"),
        (
            ServerLine(0, "[2026-04-17 18:32:17][INFO][m] Generated: {\n 1\n}\n"),
            "· server   [m] Generated: {  +2 lines",
        ),
        (ServerLine(0, "\n\nlate", "warn"), "! server   late"),
        (RuntimeLine(0, "CUDA error", "error"), "✗ runtime  CUDA error"),
        (RuntimeLine(0, "slot 1", instance_id="qwen3"), "· qwen3    slot 1"),
        (Unreadable(0, "Streaming logs", "model"), "! model    Streaming logs"),
        (DeckNote(0, "lms ended", "ERROR"), "✗ deck     lms ended"),
        (RuntimeLine(0, ""), "· runtime  "),
        (RuntimeLine(0, "\x1b[2J[bold]x[/]\u202e"), "· runtime  ␛[2J[bold]x[/]\ufffd"),
    ],
)
def test_other_lines(entry, shown):
    assert text(entry) == shown


@pytest.mark.parametrize("at", [float("inf"), float("nan"), 1e300, -1e300])
def test_impossible_times(at):
    assert clock_time(at) == "--:--:--"


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (4100, "4.1 kB"), (2_300_000, "2.3 MB")])
def test_kilobytes(count, words):
    assert kilobytes(count) == words
