"""`chat.py RESULT KIND RATE`: a long answer of so many deltas a second, shown by the deck's turns (`deck`) or by
Textual's `MarkdownStream` (`stream`), over a field that takes keys.

Writes JSON: `cpu_pct` of a core; `growth`, the cost of the last quarter against the second (in the first one the screen
is not full yet); and `fed`, when each of the words `mark…` was fed (`time.perf_counter`).
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, islice
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Markdown

from lmdeck.model.chat import MessageDelta
from lmdeck.model.conversation import ShownTurn, Turn
from lmdeck.widgets.chat_turns import TurnList

SECONDS, SIZE = 8.0, 8
_SENTENCE = "A sentence of some *length*, with `code` and **bold** words in it, as models write them. "
_PART = (
    f"\n\n{_SENTENCE * 3}\n\n{_SENTENCE * 2}\n\n"
    "- one point\n- another point\n- and a last one\n\n"
    "```python\nfor number in range(10):\n    print(number)\n```\n\n## Heading "
)


def deltas() -> Iterator[str]:
    """The answer without end. Each part of it ends in a heading with a mark."""
    for number in count():
        yield from (_PART[at : at + SIZE] for at in range(0, len(_PART), SIZE))
        yield f"mark{number}"


class Chat(App[None]):
    """Streams, then writes what it cost and leaves."""

    CSS = "#turns { height: 1fr; } Input { border: none; height: 1; }"

    def __init__(self, result: Path, kind: str, rate: int) -> None:
        super().__init__()
        self._result, self._kind, self._rate = result, kind, rate

    def compose(self) -> ComposeResult:
        if self._kind == "deck":
            turns = TurnList()
            turns.id = "turns"
            yield turns
        else:
            with VerticalScroll(id="turns") as scroll:
                yield Markdown()
            scroll.anchor()
        yield Input()

    def on_ready(self) -> None:
        self.query_one(Input).focus()
        self.run_worker(self._stream())

    async def _stream(self) -> None:
        write = await self._begin()
        total, fed, spent = int(self._rate * SECONDS), dict[str, float](), [time.process_time()]
        begun = time.perf_counter()
        for number, delta in enumerate(islice(deltas(), total), 1):
            await write(delta)
            if delta.startswith("mark"):
                fed[delta] = time.perf_counter()
            if number % (total // 4) == 0:
                spent.append(time.process_time())
            await asyncio.sleep(max(0.0, begun + number / self._rate - time.perf_counter()))
        took = time.perf_counter() - begun
        cost = {"cpu_pct": 100 * (spent[4] - spent[0]) / took, "growth": (spent[4] - spent[3]) / (spent[2] - spent[1])}
        self._result.write_text(json.dumps({**cost, "fed": fed}))
        self.exit()

    async def _begin(self) -> Callable[[str], Awaitable[None]]:
        """Makes the answer; answers what takes its deltas."""
        if self._kind == "stream":
            await asyncio.sleep(0.5)
            return Markdown.get_stream(self.query_one(Markdown)).write
        answer = self.query_one(TurnList).begin(ShownTurn(Turn("question", None, "user", "Go on.", 0.0)), "answer")
        await asyncio.sleep(0.5)

        async def feed(delta: str) -> None:
            answer.feed(MessageDelta(delta))

        return feed


if __name__ == "__main__":
    Chat(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])).run()
