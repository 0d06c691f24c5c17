"""Joins one by one: what is certain, what is likely, what is a guess, and what ends an exchange."""

import gc
import time

import pytest
from exchange_world import STAMP, chatml, generated_line, request_line, stats, times

from lmdeck.exchanges import book, join
from lmdeck.exchanges.draft import Answer, Draft
from lmdeck.exchanges.join import Joiner
from lmdeck.exchanges.slots import KEPT_LINES
from lmdeck.model.exchange import Exchange
from lmdeck.model.log import (
    DeckNote,
    LogEntry,
    PredictionInput,
    PredictionOutput,
    PredictionStats,
    RuntimeLine,
    ServerLine,
    Unreadable,
)


def asks(at: float, words: str, model: str = "m", **more: object) -> ServerLine:
    return request_line(at, {"model": model, "messages": [{"role": "user", "content": words}], **more})


def prompt(at: float, words: str, model: str = "m") -> PredictionInput:
    return PredictionInput(at, model, chatml(("user", words)))


def answer(at: float, words: str = "Yes.", took: float = 1.0, model: str = "m", **more: object) -> PredictionOutput:
    """An answer that began `took` seconds before `at`: 0.5 s to the first token, ten tokens."""
    known = stats(0.5, 9 / (took - 0.5), 10, 10)
    return PredictionOutput(at, model, words, known if not more else PredictionStats(**more))  # type: ignore[arg-type]


def server(at: float, words: str, level: str = "INFO") -> ServerLine:
    return ServerLine(at, f"{STAMP}[{level}]{words}", level.lower())


def told(joiner: Joiner, *entries: LogEntry, one_by_one: bool = True) -> list[Exchange]:
    """The exchanges as they were last told."""
    found: dict[int, Exchange] = {}
    for batch in [[entry] for entry in entries] if one_by_one else [list(entries)]:
        found |= {each.number: each for each in joiner.feed(batch)}
    return list(found.values())


@pytest.mark.parametrize("one_by_one", [True, False])
def test_all_parts_of_one_request(one_by_one: bool) -> None:
    parts = (
        asks(1.0, "Why?", temperature=0.2, stream=False, tools=[{"type": "function"}]),
        prompt(1.01, "Why?"),
        RuntimeLine(1.02, "slot launch_slot_: id  3 | task 17 | processing task", instance_id="m"),
        RuntimeLine(1.99, f"slot print_timing: id  3 | task 17 | {times('prompt eval', 500, 10)}", instance_id="m"),
        RuntimeLine(1.99, f"slot print_timing: id  3 | task 17 | {times('eval', 500, 10)}", instance_id="m"),
        answer(2.01),
        generated_line(2.02, "m", "Yes.", 10, 10),
    )
    joiner = Joiner()
    (exchange,) = told(joiner, *parts, one_by_one=one_by_one)
    assert (exchange.request, exchange.input, exchange.output, exchange.generated) == (parts[0], parts[1], *parts[5:])
    assert exchange.runtime == parts[2:5]
    assert exchange.parameters == {
        "model": "m", "temperature": 0.2, "stream": False, "tools": [{"type": "function"}],
    }  # fmt: skip
    assert (exchange.path, exchange.slot, exchange.certainty, exchange.doubt) == (
        "/v1/chat/completions",
        3,
        "certain",
        "",
    )
    assert (exchange.at, exchange.ended_at, exchange.instance_id) == (1.0, 2.01, "m")
    assert (exchange.number, joiner.running) == (1, 0)
    assert all(joiner.exchange_of(part) == exchange for part in parts)
    assert joiner.exchange_of(prompt(1.01, "Why?")) is None  # an equal entry is another one


def test_it_is_told_as_it_grows() -> None:
    joiner = Joiner()
    (first,) = joiner.feed([asks(1.0, "Why?")])
    assert (first.running, first.input, joiner.running) == (True, None, 1)
    (second,) = joiner.feed([prompt(1.01, "Why?")])
    assert (second.number, second.running, second.instance_id) == (1, True, "m")
    assert (
        joiner.feed([server(1.1, "[LM STUDIO SERVER] Streaming response..."), server(1.2, " Accumulated 1 tokens: x")])
        == []
    )
    (third,) = joiner.feed([answer(2.0)])
    assert not third.running
    assert joiner.feed([]) == []


def test_a_chat_in_the_window_is_an_exchange_of_its_own() -> None:
    joiner = Joiner()
    one, other = told(joiner, asks(1.0, "Ask me."), prompt(1.001, "Something else"), prompt(1.002, "Ask me."))
    assert (one.request is not None, one.input and one.input.at) == (True, 1.002)
    assert (other.request, other.path, other.certainty) == (None, "", "certain")


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 3, 2), (0, 1, 3, 2), (2, 3, 0, 1), (2, 0, 1, 3)])
def test_prompts_find_their_requests_by_their_words(order: tuple[int, ...]) -> None:
    lines = (asks(1.0, "yes", seed=1), asks(1.0, "say yes", seed=2), prompt(1.001, "say yes"), prompt(1.001, "yes"))
    exchanges = told(Joiner(), *(lines[number] for number in order))
    seeds = {each.input.text: each.parameters["seed"] for each in exchanges if each.input}
    assert len(exchanges) == 2
    assert seeds == {chatml(("user", "yes")): 1, chatml(("user", "say yes")): 2}
    assert {each.certainty for each in exchanges} == {"certain"}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (0, 2, 3, 1)])
def test_the_same_words_at_the_same_time_are_a_guess(order: tuple[int, ...]) -> None:
    lines = (asks(1.0, "Why?", seed=1), asks(1.0, "Why?", seed=2), prompt(1.001, "Why?"), prompt(1.001, "Why?"))
    exchanges = told(Joiner(), *(lines[number] for number in order))
    assert {each.certainty for each in exchanges} == {"guess"}
    assert {each.doubt for each in exchanges} == {"requests with the same words came together"}


def test_the_same_words_one_after_the_other_are_certain() -> None:
    lines = [
        entry for at in (1, 3, 5) for entry in (asks(at, "Why?", seed=at), prompt(at + 0.01, "Why?"), answer(at + 1.01))
    ]
    exchanges = told(Joiner(), *lines)
    assert [each.parameters["seed"] for each in exchanges] == [1, 3, 5]
    assert {each.certainty for each in exchanges} == {"certain"}


def test_a_window_with_the_same_words_makes_it_a_guess() -> None:
    one, other = told(Joiner(), asks(1.0, "Hello"), prompt(1.001, "Hello"), prompt(1.002, "Hello"))
    assert (one.certainty, other.certainty) == ("guess", "guess")


def test_the_same_words_for_two_models() -> None:
    joiner = Joiner()
    told(joiner, prompt(0.1, "x", "a"), answer(1.1, model="a"), prompt(2.1, "x", "b"), answer(3.1, model="b"))
    lines = (asks(5.0, "Hi", "a"), asks(5.0, "Hi", "b"), prompt(5.1, "Hi", "b"), prompt(5.1, "Hi", "a"))
    exchanges = told(joiner, *lines)
    assert [(each.parameters["model"], each.instance_id, each.certainty) for each in exchanges] == [
        ("a", "a", "certain"), ("b", "b", "certain"),
    ]  # fmt: skip


def test_a_further_turn_is_not_the_first_ones() -> None:
    longer = PredictionInput(1.1, "m", chatml(("user", "List the files."), ("assistant", "a b"), ("user", "Go on.")))
    both = [("user", "List the files."), ("assistant", "a b"), ("user", "Go on.")]
    second = request_line(1.0, {"model": "m", "messages": [{"role": role, "content": text} for role, text in both]})
    one, other = told(Joiner(), asks(0.9, "List the files."), second, longer, prompt(1.2, "List the files."))
    assert (one.input and one.input.at, other.input and other.input.at) == (1.2, 1.1)
    assert {one.certainty, other.certainty} == {"certain"}


def test_a_request_without_words_is_joined_by_model_and_time() -> None:
    bare = server(1.0, ' Received request: POST to /v1/chat/completions with body {\n  "model": "m",\n  "mess', "DEBUG")
    (one,) = told(Joiner(), bare, prompt(1.01, "Why?"))
    assert (one.certainty, one.doubt) == ("likely", "the request's words are not in the log")
    one, _ = told(Joiner(), bare, server(1.0, bare.text[len(STAMP) + 7 :], "DEBUG"), prompt(1.01, "Why?"))
    assert one.certainty == "guess"


@pytest.mark.parametrize("reverse", [False, True])
def test_outputs_in_either_order_by_the_clock(reverse: bool) -> None:
    ends = [answer(4.0, "A", 3.0), answer(3.0, "B", 1.0)] if reverse else [answer(2.0, "A", 1.0), answer(3.0, "B", 1.0)]
    ends.sort(key=lambda end: end.at)
    one, other = told(Joiner(), prompt(1.0, "a"), prompt(2.0, "b"), *ends)
    assert [each.output and each.output.text for each in (one, other)] == ["A", "B"]
    assert {one.certainty, other.certainty} <= {"certain", "likely"}


def test_a_waiting_prompt_may_have_got_a_slot_that_was_freed() -> None:
    lines = (prompt(1.0, "a"), prompt(1.5, "b"), answer(2.0, "A", 1.0), prompt(2.0, "c"), answer(3.0, "?", 1.0))
    exchanges = told(Joiner(), *lines)
    (joined,) = [each for each in exchanges if each.output and each.output.text == "?"]
    assert joined.certainty == "guess"
    assert joined.doubt == "2 prompts were under way, and the log does not tell which of them this answers"


def test_prompts_of_one_moment_are_a_guess_until_one_is_known() -> None:
    joiner = Joiner()
    plain = asks(1.0, "a", stream=True), asks(1.0, "b", stream=False), prompt(1.0, "a"), prompt(1.0, "b")
    one, other = told(joiner, *plain, answer(2.0, "Because of b."))
    assert other.output is None
    assert one.certainty == "guess"
    # Only what is not streamed is shown whole by the server: this answers the second request.
    one, other = told(joiner, generated_line(2.001, "m", "Because of b.", 10, 10))
    assert (one.output, one.running, one.certainty) == (None, True, "certain")
    assert (other.output and other.output.text, other.certainty) == ("Because of b.", "likely")
    (one,) = told(joiner, answer(2.5, "Because of a.", 1.5))
    assert (one.number, one.certainty) == (1, "certain")


def test_the_last_of_two_is_no_more_certain_than_the_first() -> None:
    joiner = Joiner()
    one, other = told(joiner, prompt(1.0, "a"), prompt(1.0, "b"), answer(2.0, "A"), answer(2.1, "B", 1.1))
    assert {one.certainty, other.certainty} == {"guess"}
    (third,) = told(joiner, prompt(5.0, "c"), answer(6.0, "C"))
    assert third.certainty == "certain"


def test_a_request_that_allows_less_is_another() -> None:
    lines = (asks(1.0, "a", max_tokens=5), asks(1.0, "b", max_tokens=500), prompt(1.0, "a"), prompt(1.0, "b"))
    one, other = told(Joiner(), *lines, answer(2.0, "B"))
    assert (one.running, other.output and other.output.text, other.certainty) == (True, "B", "likely")


def test_a_short_prompt_has_few_tokens() -> None:
    long = PredictionOutput(9.0, "m", "Long", stats(7.5, 18.0, 40_000, 10))
    one, other = told(Joiner(), prompt(1.0, "a"), prompt(1.0, "b" * 160_000), long)
    assert (one.running, other.output, other.certainty) == (True, long, "likely")


def test_an_answer_that_began_before_its_prompt_is_anothers() -> None:
    joiner = Joiner()
    one, other = told(joiner, prompt(10.0, "a"), answer(10.5, "Old", 8.0))
    assert (one.output, one.running) == (None, True)
    assert (other.input, other.doubt) == (None, "its prompt was not seen")
    (one,) = told(joiner, answer(11.0, "A", 1.0))
    assert (one.input and one.input.at, one.certainty) == (10.0, "certain")


def test_after_an_interruption_an_answer_without_times_is_a_guess() -> None:
    joiner = Joiner()
    told(joiner, prompt(1.0, "a"))
    (one,) = told(
        joiner,
        DeckNote(2.0, "log stream (model) ended: exit code 1; again in 0.5 s"),
        answer(3.0, stop_reason="eosFound"),
    )
    assert one.certainty == "guess"
    (two,) = told(Joiner(), prompt(1.0, "a"), answer(3.0, stop_reason="eosFound"))
    assert two.certainty == "certain"
    (three,) = told(Joiner(since=0.9), prompt(1.0, "a"), answer(3.0, stop_reason="eosFound"))
    assert three.certainty == "guess"


def test_errors() -> None:
    joiner = Joiner()
    (failed,) = told(
        joiner,
        prompt(1.0, "a"),
        server(1.9, "[m] Error: out of memory", "ERROR"),
        answer(2.0, "", stop_reason="failed"),
    )
    assert failed.error == "out of memory"
    (failed,) = told(joiner, prompt(3.0, "b"), answer(4.0, "", stop_reason="failed"))
    assert failed.error == "the generation failed"
    (failed,) = told(joiner, server(4.1, "[m] Channel error", "ERROR"))
    assert failed.error == "Channel error"
    (gone,) = told(joiner, prompt(5.0, "c"), answer(6.0, "", stop_reason="modelUnloaded"))
    assert gone.error == "the model was unloaded"
    (stopped,) = told(joiner, prompt(7.0, "d"), answer(8.0, "", stop_reason="userStopped"))
    assert (stopped.error, stopped.stats and stopped.stats.stop_reason) == ("", "userStopped")
    (refused,) = told(joiner, asks(9.0, "x", "unknown"), server(9.1, " Model 'unknown' not found", "ERROR"))
    assert (refused.error, refused.ended_at, refused.certainty) == ("Model 'unknown' not found", 9.1, "likely")
    assert joiner.running == 0


def test_an_error_that_is_told_before_the_prompt() -> None:
    error = server(1.2, " The prompt is too long", "ERROR")
    lines = (asks(1.0, "Why?"), error, prompt(1.01, "Why?"), answer(1.19, "", stop_reason="failed"))
    (one,) = told(Joiner(), *lines)
    assert (one.request, one.input, one.output, one.error) == (lines[0], *lines[2:], "The prompt is too long")
    one, again, _ = told(Joiner(), asks(1.0, "Why?"), error, asks(3.0, "Why?"), prompt(3.01, "Why?"), prompt(9.0, "x"))
    assert (one.input, one.running, again.input and again.input.at, again.certainty) == (None, False, 3.01, "certain")


def test_a_client_that_leaves_the_queue() -> None:
    joiner = Joiner()
    (left,) = told(
        joiner, asks(1.0, "a"), server(1.5, "[LM STUDIO SERVER] Client disconnected. Stopping generation...")
    )
    assert (left.error, joiner.running) == ("the client left", 0)


def test_without_the_model_log_the_servers_words_are_all_there_is() -> None:
    joiner = Joiner()
    (one,) = told(joiner, asks(1.0, "a"), generated_line(2.0, "m", "Yes.", 11, 7))
    assert (one.stats and one.stats.prompt_tokens, one.ended_at, one.certainty) == (11, 2.0, "likely")
    (two,) = told(joiner, asks(3.0, "a", stream=True), server(4.0, " Finished streaming response"))
    assert (two.ended_at, two.stats) == (4.0, None)
    three, four = told(joiner, asks(5.0, "a"), asks(5.1, "b"), generated_line(6.0, "m", "Yes.", 11, 7))
    assert (three.certainty, four.running) == ("guess", True)


def test_embeddings_have_no_prompt() -> None:
    joiner = Joiner()
    asked = request_line(1.0, {"model": "e", "input": ["text"]}, "/v1/embeddings")
    (one,) = told(joiner, asked, prompt(1.1, "text"), server(1.2, "[e] Returning embeddings (not shown in logs)"))[:1]
    assert (one.path, one.ended_at, one.input) == ("/v1/embeddings", 1.2, None)


def test_an_embedding_whose_end_was_missed_does_not_take_the_next_ones() -> None:
    ended = "[e] Returning embeddings (not shown in logs)"
    first, second = (request_line(at, {"model": "e", "input": [f"{at}"]}, "/v1/embeddings") for at in (1.0, 700.0))
    joiner = Joiner()
    one, two = told(joiner, first, second, server(700.1, ended))
    assert (one.doubt, two.ended_at) == ("its end was not seen", 700.1)


def test_several_prompts_of_one_request() -> None:
    joiner = Joiner()
    lines = (asks(1.0, "Why?", n=2), prompt(1.01, "Why?"), answer(2.01, "A"), prompt(2.02, "Why?"), answer(3.02, "B"))
    one, other = told(joiner, *lines)
    assert (one.request, other.request) == (lines[0], lines[0])
    assert other.parameters["n"] == 2
    (third,) = told(joiner, prompt(3.03, "Why?"))
    assert third.request is None


def test_what_ends_nowhere_is_given_up_and_still_joined() -> None:
    joiner = Joiner()
    told(joiner, prompt(1.0, "a"), prompt(500.0, "b"))
    (given_up,) = joiner.feed([server(700.0, " anything")])
    assert (given_up.ended_at, given_up.doubt, joiner.running) == (1.0, "its end was not seen", 1)
    slow = PredictionOutput(1001.0, "m", "A", stats(990.0, 0.9, 10, 10))
    (late,) = told(joiner, slow)
    assert (late.number, late.output, late.ended_at) == (1, slow, 1001.0)


def test_malformed_lines_are_no_exchange() -> None:
    lines = (
        Unreadable(1.0, "{", "model"),
        server(1.0, " Received request: POST to /v1/models with body {}", "DEBUG"),
        server(1.0, " Received request: POST to /v1/chat/completions with body [1, 2", "DEBUG"),
        server(1.0, " Generated prediction: {nonsense"),
        server(1.0, " Received request: GET to /", "DEBUG"),
        server(1.0, " Unexpected endpoint or method. (GET /). Returning 200 anyway", "ERROR"),
        RuntimeLine(1.0, "slot print_timing: id 99999999999 | task x |"),
        PredictionOutput(1.0, "", ""),
        PredictionInput(1.0, "", ""),
    )
    assert len(told(Joiner(), *lines)) == 3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MOST_KEPT", 50)
    joiner = Joiner()
    lines = [entry for at in range(0, 400, 2) for entry in (prompt(at, f"w{at}"), answer(at + 1.0))]
    joiner.feed(lines)
    assert joiner.held[0] == 50
    assert joiner.exchange_of(lines[0]) is None
    assert joiner.exchange_of(lines[-1]) is not None
    monkeypatch.setattr(book, "MOST_BYTES", 10_000)
    joiner.feed([prompt(1000, "x" * 20_000), answer(1001.0)])
    assert joiner.held[0] == 1


def test_what_is_forgotten_is_no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MOST_KEPT", 50)
    joiner = Joiner()
    gc.collect()
    gc.disable()  # a circle would stay
    try:
        for at in range(0, 2_000, 2):
            slot = RuntimeLine(
                at + 1.0, f"slot print_timing: id 0 | task {at} | {times('eval', 500, 10)}", instance_id="m"
            )
            joiner.feed([prompt(at, f"w{at}"), slot, answer(at + 1.0)])
        alive = [each for each in gc.get_objects() if isinstance(each, Draft | Answer | RuntimeLine)]
    finally:
        gc.enable()
    assert len(alive) < 600


def test_of_a_request_that_talks_for_ever_the_last_lines_are_kept() -> None:
    joiner = Joiner()
    lines = [RuntimeLine(at, f"progress {at}", instance_id="m") for at in range(1, 200)]
    told(joiner, prompt(0.5, "w"))
    (exchange,) = told(joiner, *lines)
    assert exchange.runtime == tuple(lines[-KEPT_LINES:])
    assert [joiner.exchange_of(each) is not None for each in lines] == [at >= 150 for at in range(1, 200)]


@pytest.mark.parametrize("end", [True, False])
def test_instances_that_come_once_are_forgotten(end: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "_MOST_LANES", 10)
    joiner = Joiner()
    for at in range(0, 100, 2):
        told(joiner, prompt(at, "w", f"m{at}"), *([answer(at + 1.0, model=f"m{at}")] if end else []))
    assert len(joiner._lanes) == 10
    (last,) = told(joiner, prompt(200.0, "w", "n"), answer(201.0, model="n"))
    assert (last.certainty, last.ended_at) == ("certain", 201.0)


def test_a_prompt_of_5_mb_is_quick() -> None:
    words = "\n".join(f"line {number} of a long document" for number in range(170_000)) + "\nWhat does it say?"
    assert len(words) > 5_000_000
    lines = (asks(1.0, words), prompt(1.01, words), answer(3.0, stop_reason="eosFound"))
    joiner = Joiner()
    began = time.process_time()
    exchanges = told(joiner, *lines)
    assert time.process_time() - began < 1.0
    assert [each.certainty for each in exchanges] == ["certain"]
