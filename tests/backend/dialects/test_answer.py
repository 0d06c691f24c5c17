"""What is measured of an answer whose server tells no speed, by a clock that is set by hand."""

import json
from collections.abc import Iterator

import pytest

from lmdeck.backend.dialects import chat_completions, native
from lmdeck.backend.dialects.answer import AnswerReader
from lmdeck.backend.dialects.common import Decoder
from lmdeck.model.chat import ChatEnded, ChatStats


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def chunk(content: str | None = None, **fields: object) -> bytes:
    choices = [{"delta": {"content": content}}] if content is not None else []
    return f"data: {json.dumps({'model': 'm', 'choices': choices, **fields})}\n\n".encode()


def measured(decoder: Decoder, *steps: tuple[float, bytes]) -> ChatStats:
    time = Time()
    reader = AnswerReader(decoder, time)

    def events() -> Iterator[object]:
        for seconds, piece in steps:
            time.now = 100.0 + seconds
            yield from reader.feed(piece)
        yield from reader.close()

    *_, ended = events()
    assert isinstance(ended, ChatEnded)
    assert reader.ended
    return ended.stats


@pytest.mark.parametrize(
    ("tokens", "speed"), [(9, 4.0), (1, None), (None, None)], ids=["several", "one", "not counted"]
)
def test_speed_after_the_first_token(tokens, speed):
    usage = {} if tokens is None else {"usage": {"completion_tokens": tokens}}
    stats = measured(
        chat_completions.Decoder(),
        (0.25, chunk("")),
        (0.5, chunk("a")),
        (2.5, chunk("b")),
        (7.0, chunk(**usage) + b"data: [DONE]\n\n"),
    )
    assert (stats.ttft_s, stats.tokens_per_second, stats.measured) == (0.5, speed, True)


def test_what_the_server_tells_is_not_measured():
    stats = {"tokens_per_second": 41.5, "time_to_first_token_seconds": 0.31}
    end = f"event: chat.end\ndata: {json.dumps({'type': 'chat.end', 'result': {'stats': stats}})}\n\n".encode()
    said = b'event: message.delta\ndata: {"type": "message.delta", "content": "a"}\n\n'
    found = measured(native.Decoder(), (1.0, said), (2.0, end))
    assert (found.tokens_per_second, found.ttft_s, found.measured) == (41.5, 0.31, False)


def test_an_answer_without_a_word_has_no_speed():
    stats = measured(chat_completions.Decoder(), (1.0, chunk(usage={"completion_tokens": 5}) + b"data: [DONE]\n\n"))
    assert (stats.ttft_s, stats.tokens_per_second, stats.measured) == (None, None, False)


def test_nothing_comes_after_the_end():
    reader = AnswerReader(chat_completions.Decoder(), lambda: 0.0)
    events = list(reader.feed(chunk("a") + b"data: [DONE]\n\n" + chunk("b")))
    assert isinstance(events[-1], ChatEnded)
    assert list(reader.close()) == []
