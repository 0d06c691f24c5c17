"""A streamed answer from its bytes to its events, in any dialect, measured from outside where the server tells no
speed. No I/O here."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from lmdeck.backend.dialects.common import Decoder
from lmdeck.backend.sse import SSEDecoder
from lmdeck.model.chat import ChatEnded, ChatEvent, MessageDelta, ReasoningDelta

Clock = Callable[[], float]
"""Monotonic seconds."""


class AnswerReader:
    """Made when the request is sent: the time to the first token, a load included, counts from there."""

    def __init__(self, decoder: Decoder, clock: Clock) -> None:
        self._sse, self._decoder, self._clock = SSEDecoder(), decoder, clock
        self._started = clock()
        self._first: float | None = None
        self._last = 0.0
        self.ended = False
        """Whether ChatEnded has been there: nothing comes after it."""

    def feed(self, piece: bytes) -> Iterator[ChatEvent]:
        """The events that these bytes complete; the same wherever the bytes are cut. Raises BadReply."""
        for event in self._sse.feed(piece):
            if self.ended:
                return
            yield from self._seen(self._decoder.feed(event))

    def close(self) -> Iterator[ChatEvent]:
        """No more bytes will come: the end of an answer that is whole without a closing event."""
        if not self.ended:
            yield from self._seen(self._decoder.close())

    def _seen(self, events: Iterable[ChatEvent]) -> Iterator[ChatEvent]:
        for event in events:
            if isinstance(event, MessageDelta | ReasoningDelta) and event.text:
                self._last = self._clock()
                self._first = self._last if self._first is None else self._first
            if isinstance(event, ChatEnded):
                self.ended = True
                event = self._completed(event)
            yield event

    def _completed(self, ended: ChatEnded) -> ChatEnded:
        """With what the server did not tell: the time to the first token, and the speed after it."""
        stats = ended.stats
        if self._first is None or (stats.ttft_s is not None and stats.tokens_per_second is not None):
            return ended
        tokens, took = stats.output_tokens or 0, self._last - self._first
        speed = (tokens - 1) / took if tokens > 1 and took > 0 else None
        measured = replace(
            stats,
            ttft_s=self._first - self._started if stats.ttft_s is None else stats.ttft_s,
            tokens_per_second=speed if stats.tokens_per_second is None else stats.tokens_per_second,
            measured=True,
        )
        return replace(ended, stats=measured)
