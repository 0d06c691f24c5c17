"""`chat.py RESULT KIND`: a long answer at 100 deltas/s, shown by the deck's `Answer` or by Textual's `MarkdownStream`.

Writes JSON: `cpu_pct` of a core, and `growth`, the cost of the last eighth against the second (the first one mounts).
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from lmdeck.model.chat import MessageDelta
from lmdeck.widgets.answer import Answer

RATE, SECONDS = 100, 8.0
_SENTENCE = "A sentence of some *length*, with `code` and **bold** words in it, as models write them. "
TEXT = (
    f"## Heading\n\n{_SENTENCE * 3}\n\n{_SENTENCE * 2}\n\n"
    "- one point\n- another point\n- and a last one\n\n"
    "```python\nfor number in range(10):\n    print(number)\n```\n\n"
) * 12
DELTAS = [TEXT[at : at + 8] for at in range(0, int(RATE * SECONDS) * 8, 8)]


class Chat(App[None]):
    """Streams, then writes what it cost and leaves."""

    def __init__(self, result: Path, kind: str) -> None:
        super().__init__()
        self._result, self._kind = result, kind

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Answer() if self._kind == "deck" else Markdown()

    def on_ready(self) -> None:
        self.query_one(VerticalScroll).anchor()
        self.run_worker(self._stream())

    async def _stream(self) -> None:
        await asyncio.sleep(0.5)
        begun, spent = time.perf_counter(), [time.process_time()]
        stream = None if self._kind == "deck" else Markdown.get_stream(self.query_one(Markdown))
        for number, delta in enumerate(DELTAS, 1):
            if stream is None:
                self.query_one(Answer).feed(MessageDelta(delta))
            else:
                await stream.write(delta)
            if number % (len(DELTAS) // 8) == 0:
                spent.append(time.process_time())
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
        if stream is not None:
            await stream.stop()
        took = time.perf_counter() - begun
        growth = (spent[8] - spent[7]) / (spent[2] - spent[1])
        self._result.write_text(json.dumps({"cpu_pct": 100 * (spent[8] - spent[0]) / took, "growth": growth}))
        self.exit()


if __name__ == "__main__":
    Chat(Path(sys.argv[1]), sys.argv[2]).run()
