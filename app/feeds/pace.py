"""When to ask again: often while things change, rarely while they do not, at once when somebody calls."""

import asyncio

_GROWTH = 1.5


class Pace:
    """The rhythm of one poll, in seconds.

    `rest` waits `fast` after a change, then longer by half each time up to `slow`; `wake` ends the wait at
    once, but never sooner than `gap` after the last poll. While `attended` is False (the terminal is not
    looked at) every rest is `slow`.
    """

    def __init__(self, fast: float, slow: float, gap: float = 0.3) -> None:
        self._fast, self._slow, self._gap = fast, slow, gap
        self._interval = fast
        self._called = asyncio.Event()
        self.attended = True

    def tune(self, fast: float) -> None:
        """Another rhythm, as many times slower at rest as before."""
        self._slow *= fast / self._fast
        self._gap = min(self._gap, fast)
        self._fast = self._interval = fast

    def wake(self) -> None:
        """Poll now."""
        self._interval = self._fast
        self._called.set()

    async def rest(self, changed: bool) -> None:
        """Wait until the next poll is due."""
        await asyncio.sleep(self._gap)
        self._interval = self._fast if changed else min(self._slow, self._interval * _GROWTH)
        wait = self._interval if self.attended else self._slow
        try:
            async with asyncio.timeout(max(0.0, wait - self._gap)):
                await self._called.wait()
        except TimeoutError:
            return
        finally:
            self._called.clear()
