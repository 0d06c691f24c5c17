import pytest

from lmdeck.backend.errors import BadReply
from lmdeck.backend.sse import SSEDecoder, SSEEvent

STREAM = (
    b"\xef\xbb\xbf: a comment\r\nevent: chat.start\r\ndata: {}\r\n\r\n"
    b"event:message.delta\rdata:one\rdata: two\r\r"
    b"data\n\n"
    b"id: 7\nretry: 10\nunknown: x\nevent: lost\n\n"
    b"data:  \xe2\x82\xac \xff\n\n"
    b"event: open\ndata: never closed\n"
)
EVENTS = [
    SSEEvent("chat.start", "{}"),
    SSEEvent("message.delta", "one\ntwo"),
    SSEEvent("message", ""),
    SSEEvent("message", " € �"),
]


def test_the_grammar():
    assert SSEDecoder().feed(STREAM) == EVENTS


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_every_split_point_gives_the_same_events(at):
    decoder = SSEDecoder()
    assert decoder.feed(STREAM[:at]) + decoder.feed(STREAM[at:]) == EVENTS


def test_byte_by_byte_with_empty_chunks_between():
    decoder = SSEDecoder()
    pieces = [piece for byte in STREAM for piece in (bytes([byte]), b"")]
    assert [event for piece in pieces for event in decoder.feed(piece)] == EVENTS


def test_an_event_is_given_out_as_soon_as_its_blank_line_is_there():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: x\r\n\r") == [SSEEvent("message", "x")]
    assert decoder.feed(b"\ndata: y\n\n") == [SSEEvent("message", "y")]


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 100, b"data: " + b"x" * 30 + b"\n", b"data: x\n"])
def test_the_size_of_one_event_is_bounded_however_it_grows(chunk):
    decoder = SSEDecoder(max_event=64)

    def flood() -> None:
        for _ in range(100):
            decoder.feed(chunk)

    with pytest.raises(BadReply, match="larger than 64 bytes"):
        flood()


def test_many_small_events_are_not_one_large_one():
    decoder = SSEDecoder(max_event=64)
    assert len([event for _ in range(100) for event in decoder.feed(b"data: 0123456789\n\n")]) == 100
