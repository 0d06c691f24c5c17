"""A GPU, and the host beside it, as lines of a given width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lmdeck.model.units import UNKNOWN, gib, percent, size
from lmdeck.widgets.paint.bar import Part, bar
from lmdeck.widgets.paint.line import Line, Span, Tone, crop, pack, safe, say, width
from lmdeck.widgets.paint.spark import History, chart, spark

if TYPE_CHECKING:
    from lmdeck.model.machine import Gpu, Holder, HostSample

HOT = 85.0
"""°C from which a temperature stands out."""
FULL = 0.95
"""The part of a memory in use from which its figures stand out."""
MANY = 64 * 2**30
"""Bytes from which a tenth of a GiB does not matter."""
NORMAL_ROWS = 3
"""A GPU takes this many lines where there is room, otherwise one."""
LEAST = 2**30 // 20
"""Bytes that one decimal of a GiB can show."""
HISTORY_CELLS = 15
"""What names leave to the history on their line."""
CHART_ROWS = 10
"""A chart is not higher than this: it would not tell more."""


def short_name(name: str) -> str:
    """`RTX 4090` of `NVIDIA GeForce RTX 4090`."""
    for word in ("NVIDIA ", "GeForce ", "Tesla ", "Quadro "):
        name = name.replace(word, "")
    return safe(name)


def name(gpu: Gpu) -> Line:
    """`0 RTX 4090`"""
    return Span(f"{gpu.index} "), Span(short_name(gpu.name), "strong")


def meters(gpu: Gpu) -> Iterator[Line]:
    """Utilisation, temperature, power: what the driver tells of them."""
    if gpu.utilisation is not None:
        yield (Span(f"{percent(gpu.utilisation):>5}"),)
    if gpu.temperature is not None:
        yield (Span(f"{gpu.temperature:.0f} °C", "warn" if gpu.temperature >= HOT else ""),)
    if gpu.power is not None:
        limit = "" if gpu.power_limit is None else f"/{gpu.power_limit:.0f}"
        yield (Span(f"{gpu.power:.0f}{limit} W"),)


def details(gpu: Gpu, cells: int) -> Line:
    """Fan, clocks and PCIe traffic on one line, as far as they fit."""
    pieces = list[str]()
    if gpu.fan is not None:
        pieces.append(f"fan {percent(gpu.fan)}")
    if gpu.clock_sm is not None:
        memory = "" if gpu.clock_memory is None else f"/{gpu.clock_memory}"
        pieces.append(f"{gpu.clock_sm}{memory} MHz")
    if gpu.pcie_rx is not None or gpu.pcie_tx is not None:
        pieces += [f"PCIe rx {size(gpu.pcie_rx)}/s", f"tx {size(gpu.pcie_tx)}/s"]
    return pack([say(piece, "muted") for piece in pieces], cells)


def memory_bar(used: int | None, total: int | None, ours: int | None, cells: int, label: Line = ()) -> Line:
    """`███▓▓░░  19.8/24.0 GiB`: LM Studio's part solid, everybody else's shaded."""
    if used is None or not total:
        return crop((*label, Span("memory: not told by the driver", "muted")), cells)
    tone: Tone = "warn" if used >= total * FULL else ""
    figures = amounts(used, total)
    room = cells - width(label) - len(figures) - 2
    mine = min(ours or 0, used)
    drawn = bar([Part(mine), Part(used - mine, "▓", "")], total, room) if room >= 3 else ()
    return crop((*label, *drawn, Span(f"  {figures}" if drawn else figures, tone)), cells)


def amounts(used: int | None, total: int | None) -> str:
    """`19.8/24.0 GiB`; without decimals where there are many."""
    if used is not None and total is not None and total >= MANY:
        return f"{used / 2**30:.0f}/{total / 2**30:.0f} GiB"
    return f"{gib(used)}/{gib(total)} GiB"


def holders(used: int | None, ours: int | None, others: Sequence[Holder] = (), cells: int = 0) -> Line:
    """Who holds the memory: `LM Studio 18.9 · other 0.9: Xorg 0.4, firefox 0.3` (GiB); of the `others`, which come
    largest first, as many as fit into `cells` columns and hold enough to show."""
    if used is None:
        return ()
    if ours is None:
        line: Line = (Span("LM Studio's part unknown", "muted"),)
    else:
        line = Span(f"LM Studio {gib(ours)}", "accent"), Span(f" · other {gib(max(used - ours, 0))}")
    before = " · " if ours is None else ": "
    for holder in others:
        more = Span(f"{before}{safe(holder.name)} {gib(holder.vram)}", "muted")
        if holder.vram < LEAST or width(line) + width((more,)) > cells:
            break
        line, before = (*line, more), ", "
    return line


def trace(left: Line, history: History, cells: int) -> Line:
    """Words, and the history of the last five minutes in the room that is left, at most half a minute a column."""
    room = cells - width(left) - 3 if left else cells
    if room < 4:
        return crop(left, cells)
    line = spark(history.columns(room))
    return (*left, Span(" " * 3 if left else ""), Span(line, "good"))


def gpu_lines(gpu: Gpu, history: History, cells: int, rows: int) -> list[Line]:
    """A GPU on `rows` lines: one is compact, three are normal, then come details and a chart of its history."""
    if gpu.problem is not None:
        words = [say(f"✗ {gpu.problem.sentence}", "bad"), say(gpu.problem.next_step, "accent")]
        lines = [pack([name(gpu)], cells), *(crop(line, cells) for line in words if width(line))]
        return lines[:rows] if rows > 1 else [pack([name(gpu), words[0]], cells)]
    if rows < NORMAL_ROWS:
        return [_compact(gpu, history, cells)]
    lines = [
        pack([name(gpu), *meters(gpu)], cells),
        memory_bar(gpu.vram_used, gpu.vram_total, gpu.vram_lmstudio, cells),
    ]
    more = [line for line in [details(gpu, cells)] if line]
    height = min(rows - 3 - len(more), CHART_ROWS)
    room = cells if height >= 2 else cells - HISTORY_CELLS
    held = crop(holders(gpu.vram_used, gpu.vram_lmstudio, gpu.holders, room), cells)
    if height < 2:
        return [*lines, trace(held, history, cells), *more][:rows]
    return [*lines, captioned(held, "utilisation, 5 min", cells), *more, *graph(history, cells, height)]


def graph(history: History, cells: int, height: int) -> list[Line]:
    """The last five minutes, `height` lines high."""
    return [(Span(row, "good"),) for row in chart(history.columns(cells), height)]


def captioned(line: Line, caption: str, cells: int) -> Line:
    """The line with a caption at its right end, where there is room."""
    room = cells - width(line) - 2
    return (*line, Span(f"{caption:>{room + 2}}", "muted")) if room >= len(caption) else line


def _compact(gpu: Gpu, history: History, cells: int) -> Line:
    load, *others = [*meters(gpu), ()]
    return trace(pack([name(gpu), load, say(amounts(gpu.vram_used, gpu.vram_total)), *others], cells), history, cells)


def host_lines(host: HostSample, history: History, cells: int, rows: int) -> list[Line]:
    """The host beside its GPUs: RAM and CPU on one line, then LM Studio's share and the CPU's history, then swap."""
    cpu = (Span(f"  CPU {percent(host.cpu):>5}"),)
    ram = memory_bar(host.ram_used, host.ram_total, host.lmstudio_rss, cells - width(cpu), (Span("RAM "),))
    lines: list[Line] = [crop((*ram, *cpu), cells), trace(_share(host), history, cells), *_swap(host, cells)]
    return lines[: max(rows, 1)]


def main_host_lines(host: HostSample, history: History, cells: int, rows: int) -> list[Line]:
    """The host where there is no GPU to show: its RAM takes the GPU's place."""
    held = crop(holders(host.ram_used, host.lmstudio_rss), cells)
    lines = [
        pack([(Span("RAM", "strong"),), (Span(f"CPU {percent(host.cpu):>5}"),), _our_cpu(host)], cells),
        memory_bar(host.ram_used, host.ram_total, host.lmstudio_rss, cells),
    ]
    swap = _swap(host, cells)
    height = min(rows - 3 - len(swap), CHART_ROWS)
    if height < 3:
        return [*lines, trace(held, history, cells), *swap][: max(rows, 1)]
    return [*lines, held, *swap, captioned((), "CPU, 5 min", cells), *graph(history, cells, height - 1)]


def _our_cpu(host: HostSample) -> Line:
    return () if host.lmstudio_cpu is None else (Span(f"LM Studio {percent(host.lmstudio_cpu)}", "accent"),)


def _share(host: HostSample) -> Line:
    if host.lmstudio_rss is None and host.lmstudio_cpu is None:
        return (Span("CPU", "muted"),)
    cpu = UNKNOWN if host.lmstudio_cpu is None else percent(host.lmstudio_cpu)
    return (Span(f"LM Studio {gib(host.lmstudio_rss)} GiB · {cpu} CPU", "accent"),)


def _swap(host: HostSample, cells: int) -> list[Line]:
    if not host.swap_total:
        return []
    return [memory_bar(host.swap_used, host.swap_total, None, cells, (Span("swap ", "muted"),))]
