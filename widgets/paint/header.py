"""The header line: facts in order of importance, as many as the width takes."""

from textual.content import Content

from lmdeck.model.server import ServerStatus
from lmdeck.model.text import one_line
from lmdeck.model.units import rate

_GAP = "   "
_AUTH = {
    "token": Content.styled("token ✓", "$text-muted"),
    "none": Content.styled("no token", "$text-muted"),
    "refused": Content.styled("token ✗", "$error bold"),
}


def header_line(status: ServerStatus, width: int, clock: str) -> Content:
    """One line of at most `width` cells: name and server always, the runtime in what others leave, the clock last."""
    left = Content.assemble(("lmdeck", "bold"), "  ", _server(status))
    guard = Content.styled("read-only", "$warning") if status.read_only else Content("")
    room = width - left.cell_length - len(clock) - 1
    chosen: list[Content] = []
    for part in (guard, _busy(status), _speed(status), _AUTH[status.auth]):
        if part.plain and part.cell_length + len(_GAP) <= room:
            chosen.append(part)
            room -= part.cell_length + len(_GAP)
    runtime = _runtime(status, room - len(_GAP))
    if runtime.plain:
        chosen.insert(0, runtime)
    left = Content.assemble(left, *(piece for part in chosen for piece in (_GAP, part)))
    pad = width - left.cell_length - len(clock)
    if pad < 1:
        return left.truncate(width, ellipsis=True)
    return Content.assemble(left, " " * pad, (clock, "$text-muted"))


def _server(status: ServerStatus) -> Content:
    url = one_line(status.url, 80) or "…"
    if status.problem:
        return Content.assemble(url, " ", ("✗ " + one_line(status.problem.title, 60), "$error bold"))
    if status.latency_s is None:
        return Content.assemble(url, " ", ("◌ connecting", "$text-muted"))
    return Content.assemble(url, " ", ("●", "$success"), f" {max(1, round(status.latency_s * 1000))} ms")


def _busy(status: ServerStatus) -> Content:
    if status.latency_s is None:
        return Content("")
    busy = f" · {status.busy} busy" if status.busy else ""
    return Content(f"{status.loaded} loaded{busy}")


def _speed(status: ServerStatus) -> Content:
    return Content.styled(rate(status.speed), "$success") if status.speed is not None else Content("")


def _runtime(status: ServerStatus, limit: int) -> Content:
    """The runtime's name, shortened in its middle: its start says which engine, its end which version. Nothing where
    too little of it would be left."""
    name = one_line(status.runtime or "", 120)
    if limit < 16:
        return Content("")
    if len(name) > limit:
        name = f"{name[: limit // 2 - 1]}…{name[-(limit - limit // 2) :]}"
    return Content.styled(name, "$text-muted")
