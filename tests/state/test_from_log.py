"""What the log tells the state."""

from lmdeck.model.log import PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine
from lmdeck.state.events import PredictionEnded, PredictionStarted, RuntimeSeen
from lmdeck.state.from_log import events_of, tells_of_change


def test_events_come_in_order_and_a_runtime_only_once() -> None:
    line = RuntimeLine(1.0, "n_ctx = 8192", engine="llama.cpp-linux", engine_version="2.3.0")
    stats = PredictionStats(tokens_per_second=41.3)
    batch = (line, line, PredictionInput(1.0, "qwen", "hi"), PredictionOutput(2.0, "qwen", "yo", stats))
    assert list(events_of(batch)) == [
        RuntimeSeen("llama.cpp-linux@2.3.0"),
        PredictionStarted("qwen"),
        PredictionEnded("qwen", 41.3, 2.0),
    ]


def test_an_answer_without_statistics_still_ends() -> None:
    assert list(events_of([PredictionOutput(2.0, "qwen", "yo")])) == [PredictionEnded("qwen", None, 2.0)]


def test_only_server_lines_about_models_ask_for_a_look() -> None:
    assert tells_of_change([ServerLine(1.0, "[INFO] Unloading model qwen")])
    assert not tells_of_change([ServerLine(1.0, "Received request: GET to /v1/models")])
    assert tells_of_change([ServerLine(1.0, "Received request: POST to /api/v1/models/load with body {}")])
    assert not tells_of_change([ServerLine(1.0, 'Received request: POST to /v1/x with body {"a": "load a little"}')])
    assert not tells_of_change([RuntimeLine(1.0, "load_tensors: loading")])
