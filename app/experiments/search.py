"""Which prompt to send next: growing sizes until one is refused, then bisection. No I/O."""

RESERVE = 64
"""Tokens of the context left free in the largest prompt: for the answer, and for aiming by counting words."""


def tolerance(tokens: int) -> int:
    """How close the largest accepted and the smallest refused size come: 64 tokens or 1 %."""
    return max(64, tokens // 100)


def growing_sizes(context: int) -> tuple[int, ...]:
    """Sizes in tokens for a promised context: nearly the whole of it, and before that its halves down to an eighth,
    or to what a model that was cut short usually has left: a large context that is not there is found out early."""
    whole = max(1, context - RESERVE)
    sizes, half = [whole], context // 2
    while half >= 256 and (half >= context // 8 or half >= 16384):
        sizes.append(half)
        half //= 2
    return tuple(sorted(sizes))


class Search:
    """Feed it every outcome with `took`; `next_size` is what to send, None when the limit is known well enough."""

    def __init__(self, sizes: tuple[int, ...], accepted: int) -> None:
        self.accepted = accepted
        self.refused: int | None = None
        self._growing = [size for size in sizes if size > accepted]
        self._guesses: list[int] = []
        self._guessed = False

    def next_size(self) -> int | None:
        """In tokens."""
        if self.refused is None:
            return self._growing.pop(0) if self._growing else None
        if self.refused - self.accepted <= tolerance(self.refused):
            return None
        while self._guesses:
            guess = self._guesses.pop(0)
            if self.accepted < guess < self.refused:
                return guess
        return (self.accepted + self.refused) // 2

    def took(self, size: int, *, passed: bool, limit: int | None = None) -> None:
        """The outcome for `size`; `limit` is the context that the server named, or that was left of a cut prompt."""
        if passed:
            self.accepted = max(self.accepted, size)
            return
        self.refused = size if self.refused is None else min(self.refused, size)
        if limit is not None and not self._guessed:
            self._guessed = True
            near = tolerance(limit) // 2
            self._guesses = [limit - near, limit + near]
