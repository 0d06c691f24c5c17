"""What the log tells the state."""

from dataclasses import replace

from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.state.events import AllocationSeen, FactsSeen, PredictionEnded, PredictionStarted, RuntimeSeen
from lmdeck.state.from_log import LogReader, tells_of_change


def test_events_come_in_order_and_a_runtime_only_once() -> None:
    line = RuntimeLine(1.0, "hello", engine="llama.cpp-linux", engine_version="2.3.0")
    stats = PredictionStats(tokens_per_second=41.3)
    batch = (line, line, PredictionInput(1.0, "qwen", "hi"), PredictionOutput(2.0, "qwen", "yo", stats))
    assert list(LogReader().events(batch)) == [
        RuntimeSeen("llama.cpp-linux@2.3.0"),
        PredictionStarted("qwen"),
        PredictionEnded("qwen", 41.3, 2.0),
    ]


def test_an_answer_without_statistics_still_ends() -> None:
    assert list(LogReader().events([PredictionOutput(2.0, "qwen", "yo")])) == [PredictionEnded("qwen", None, 2.0)]


def test_only_server_lines_about_models_ask_for_a_look() -> None:
    assert tells_of_change([ServerLine(1.0, "[INFO] Unloading model qwen")])
    assert not tells_of_change([ServerLine(1.0, "Received request: GET to /v1/models")])
    assert tells_of_change([ServerLine(1.0, "Received request: POST to /api/v1/models/load with body {}")])
    assert not tells_of_change([ServerLine(1.0, 'Received request: POST to /v1/x with body {"a": "load a little"}')])
    assert not tells_of_change([RuntimeLine(1.0, "load_tensors: loading")])


def test_a_long_prompt_tells_how_fast_it_was_read() -> None:
    stats = PredictionStats(tokens_per_second=41.3, ttft_s=2.0, prompt_tokens=1000)
    (event,) = LogReader().events([PredictionOutput(2.0, "qwen", "yo", stats)])
    assert event == PredictionEnded("qwen", 41.3, 2.0, 500.0)
    (event,) = LogReader().events([PredictionOutput(2.0, "qwen", "yo", replace(stats, prompt_tokens=10))])
    assert event == PredictionEnded("qwen", 41.3, 2.0, None)


def test_what_a_load_prints_adds_up_over_batches() -> None:
    reader = LogReader()
    lines = (
        "llama_context: n_seq_max     = 4",
        "llama_context: n_ctx         = 8192",
        "llama_context: n_ctx_seq = 8192",
    )
    events = [e for line in lines for e in reader.events([RuntimeLine(1.0, line, instance_id="qwen", pid=7)])]
    last = events[-1]
    assert isinstance(last, AllocationSeen)
    assert (last.allocation.n_ctx, last.allocation.n_ctx_seq, last.allocation.instance_id) == (8192, 8192, "qwen")


def test_what_the_server_log_proves() -> None:
    asked = 'Received request: POST to /api/v1/models/load with body {"model": "qwen", "context_length": 65536}'
    (event,) = LogReader().events([ServerLine(1.0, f"[2026-09-21 18:32:17][DEBUG] {asked}")])
    assert isinstance(event, FactsSeen)
    assert event.facts[0].subject == "qwen"
