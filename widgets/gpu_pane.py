"""The GPU pane: every GPU, the host beside them, and five minutes of history."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.strip import Strip

from lmdeck.widgets.line_view import LineView, Paragraph
from lmdeck.widgets.paint.gpu import CHART_ROWS, NORMAL_ROWS, gpu_lines, host_lines, main_host_lines
from lmdeck.widgets.paint.line import Line, Span, crop, say
from lmdeck.widgets.paint.spark import History
from lmdeck.widgets.pane import Clock, Pane

if TYPE_CHECKING:
    from lmdeck.model.machine import GpuSample, HostSample


class Gauges(LineView):
    """Lines as they are given; only the cells that changed are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []

    def set_lines(self, lines: list[Line]) -> None:
        """Show these lines."""
        self._lines = lines
        self.resize_lines()
        self.repaint()

    def line_count(self) -> int:
        return len(self._lines)

    def draw_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        return self.strip((Span(" "), *self._lines[index])) if index < len(self._lines) else self.blank()


class GpuPane(Pane):
    """Gauges. GPUs take as many lines each as fit: from one, with scrolling, to a chart of the last five minutes."""

    TITLE = "GPU"
    BINDING_GROUP_TITLE = "GPU"

    def __init__(self, *, id: str | None = None, clock: Clock = time.monotonic) -> None:
        super().__init__(id=id, clock=clock)
        self._gauges = Gauges()
        self._gpus: GpuSample | None = None
        self._foreign = False
        self._host: HostSample | None = None
        self._load: defaultdict[int, History] = defaultdict(History)
        self._cpu = History()

    def update_gpus(self, sample: GpuSample) -> None:
        """A new reading of the GPUs, one a second."""
        self._gpus = sample
        for gpu in sample.gpus:
            self._load[gpu.index].push(gpu.utilisation)
        self.refresh_frame()
        self._draw()

    def update_host(self, sample: HostSample) -> None:
        """A new reading of the host, one a second."""
        self._host = sample
        self._cpu.push(sample.cpu)
        self._draw()

    def compose(self) -> ComposeResult:
        yield self._gauges

    def words_view(self) -> LineView | None:
        return self._gauges

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def say_foreign(self, foreign: bool) -> None:
        """Whether the server is another machine: then these gauges are not its own, and the frame says so."""
        self._foreign = foreign
        self.refresh_frame()

    def title_addendum(self) -> str:
        gpus = self._gpus.gpus if self._gpus else ()
        count = str(len(gpus)) if len(gpus) > 1 else ""
        return f"{count} simulated".strip() if any(gpu.simulated for gpu in gpus) else count

    def hints(self) -> Iterator[str]:
        yield from super().hints()
        origin = self._gpus.origin if self._gpus else ""
        if origin:
            yield f"GPU: {origin}" + ("; RAM and CPU: this machine" if self._foreign else "")
        elif self._foreign:
            yield "of this machine, not the server's"

    def problem_changed(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self.problem is not None:
            super().problem_changed()
        elif self._gpus is None and self._host is None:
            self.put_words([Paragraph("reading the sensors …", "muted")])
        else:
            self.put_words(())
            self._gauges.set_lines(self._lines(max(self._gauges.text_width - 1, 1), self._gauges.size.height))

    def _lines(self, cells: int, rows: int) -> list[Line]:
        """Everything in `cells` columns; the GPUs share the rows that the host leaves."""
        gpus = self._gpus.gpus if self._gpus else ()
        if not gpus:
            return self._without_gpu(cells, rows)
        count, host = len(gpus), self._host
        host_rows = 0 if host is None else 1 if rows < 4 * count + 2 else 2 if rows < 4 * count + 4 else 3
        each = (rows - host_rows) // count
        gap: list[Line] = [()] if host_rows and each > CHART_ROWS // 2 else []
        each = (rows - host_rows - len(gap)) // count
        lines = [
            line
            for gpu in gpus
            for line in gpu_lines(gpu, self._load[gpu.index], cells, each if each >= NORMAL_ROWS else 1)
        ]
        return lines + (gap + host_lines(host, self._cpu, cells, host_rows) if host else [])

    def _without_gpu(self, cells: int, rows: int) -> list[Line]:
        problem = self._gpus.problem if self._gpus else None
        lines = [] if problem is None else [crop(say(problem.sentence, "muted"), cells)]
        if self._host is not None:
            lines += main_host_lines(self._host, self._cpu, cells, rows - len(lines))
        return lines
