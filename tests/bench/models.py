"""`models.py COUNT RESULT`: the Available pane with COUNT models from the start; `q` leaves.

Writes JSON: `stall_ms`, how long the loop stands still for a new list in which one row differs.
"""

import asyncio
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from textual.app import App, ComposeResult

from lmdeck.model.catalog import Model
from lmdeck.model.rows import AvailableRow
from lmdeck.widgets.available_pane import AvailablePane


def rows(count: int) -> list[AvailableRow]:
    """COUNT different models, made anew as each poll makes them."""
    return [
        AvailableRow(Model(f"publisher/model-{number:04}", architecture="qwen3", size_bytes=number * 10**6))
        for number in range(count)
    ]


class Models(App[None]):
    """Shows the list; then times a poll."""

    CSS = "AvailablePane { height: 1fr; }"
    BINDINGS = [("q", "quit", "Quit")]

    def __init__(self, count: int, result: Path) -> None:
        super().__init__()
        self._count, self._result = count, result

    def compose(self) -> ComposeResult:
        yield AvailablePane()

    def on_ready(self) -> None:
        self.query_one(AvailablePane).rows = rows(self._count)
        self.run_worker(self._poll())

    async def _poll(self) -> None:
        await asyncio.sleep(0.5)
        fresh = rows(self._count)
        fresh[3] = replace(fresh[3], copies=1)
        begun = time.perf_counter()
        self.query_one(AvailablePane).rows = fresh
        stall = time.perf_counter() - begun
        self._result.write_text(json.dumps({"stall_ms": 1000 * stall}))


if __name__ == "__main__":
    Models(int(sys.argv[1]), Path(sys.argv[2])).run()
