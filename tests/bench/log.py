"""`log.py RESULT`: a log at full speed through a pipe into the Log pane, against decoding the same bytes and no more.

Writes JSON: `share` of the decoder's speed, `lines` that arrived of `LINES`.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from textual.app import App, ComposeResult

from lmdeck.backend.logprocess import batches
from lmdeck.backend.logstream import LogDecoder
from lmdeck.widgets.log_pane import LogPane

LINES = 300_000
_COPY = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), sys.stdout.buffer, 1 << 20)"


def log_bytes() -> bytes:
    """LINES events as `lms log stream --json` writes them."""
    event = {"type": "server.log", "level": "info", "content": "[2026-11-20 10:00:00][INFO] Running chat completion"}
    return b"".join(
        json.dumps({"timestamp": 1_790_000_000_000 + number, "data": event}).encode() + b"\n" for number in range(LINES)
    )


def decoding_s(data: bytes) -> float:
    """Seconds to decode it all, in the portions of a pipe."""
    decoder, begun = LogDecoder("server"), time.perf_counter()
    for at in range(0, len(data), 65536):
        decoder.feed(data[at : at + 65536])
    return time.perf_counter() - begun


class Log(App[None]):
    """Shows the flood, then writes how long it took and leaves."""

    CSS = "LogPane { height: 1fr; }"

    def __init__(self, result: Path) -> None:
        super().__init__()
        self._result = result

    def compose(self) -> ComposeResult:
        yield LogPane()

    def on_ready(self) -> None:
        self.run_worker(self._flood())

    async def _flood(self) -> None:
        data = log_bytes()
        alone = decoding_s(data)
        pane = self.query_one(LogPane)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "log"
            file.write_bytes(data)
            begun = time.perf_counter()
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _COPY, str(file), stdout=asyncio.subprocess.PIPE, limit=2**20
            )
            assert child.stdout is not None
            async for batch in batches(child.stdout, LogDecoder("server")):
                pane.extend(batch)
            took = time.perf_counter() - begun
            await child.wait()
        self._result.write_text(json.dumps({"share": alone / took, "lines": pane.tail.store.end}))
        self.exit()


if __name__ == "__main__":
    Log(Path(sys.argv[1])).run()
