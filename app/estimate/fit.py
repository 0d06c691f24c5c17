"""Does it fit, what would still fit, and what would have to go? Pure arithmetic over bytes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from lmdeck.model.outlook import Occupant, Room, Verdict

DRIVER_BYTES = 600 * 2**20
"""What a process on the GPU takes beside llama.cpp's own buffers: the CUDA context, and the pools of cuBLAS and of the
flash-attention kernels. Hundreds of MiB in public reports; it stands in no log line, so it is kept free and not
counted as known."""
MEASURED_BYTES = 256 * 2**20
"""What is kept free on the GPU instead when earlier loads were measured, the driver's memory with them."""
SYSTEM_BYTES = 512 * 2**20
"""RAM kept free for everything else."""

STEP, ROUND_STEP, MAX_SLOTS = 256, 1024, 64
_UNKNOWN_NEED = Verdict("unknown", "what it needs is not known")


def no_gpu(room: Room) -> bool:
    """Whether the machine's RAM is known and nobody told of a GPU: then everything is in RAM."""
    return room.vram_total is None and room.vram_free is None and room.ram_free is not None


def judge(
    gpu_bytes: int | None, ram_bytes: int | None, spread: int, room: Room, *, headroom: int = DRIVER_BYTES
) -> Verdict:
    """Whether a load of these bytes goes into the room. `spread` is what it may take beyond its figure (on the GPU, or
    in RAM where it uses no GPU), `headroom` what should stay free on the GPU.

    It *fits* with all of that to spare, is *tight* when only the bare figure goes in, else it does not fit."""
    if gpu_bytes is None and ram_bytes is None:
        return _UNKNOWN_NEED
    gpu, ram = gpu_bytes or 0, ram_bytes or 0
    if no_gpu(room):
        return _together([_place(gpu + ram, spread, SYSTEM_BYTES, room.ram_free or 0, "RAM")], "no GPU is known: ")
    if gpu and room.vram_free is None:
        return Verdict("unknown", f"needs {amount(gpu)} of VRAM; how much is free is not known")
    places = []
    if gpu and room.vram_free is not None:
        places.append(_place(gpu, spread, headroom, room.vram_free, "VRAM"))
    if ram and room.ram_free is not None:
        places.append(_place(ram, 0 if gpu else spread, SYSTEM_BYTES, room.ram_free, "RAM"))
    if not places:
        return Verdict("unknown", f"needs {amount(ram)} of RAM; how much is free is not known")
    return _together(places)


def amount(size: int) -> str:
    """Bytes in GiB with one decimal, in MiB below a tenth of that."""
    return f"{size / 2**30:.1f} GiB" if size >= 0.1 * 2**30 else f"{size / 2**20:.0f} MiB"


def _place(need: int, spread: int, headroom: int, free: int, name: str) -> Verdict:
    """The verdict of one kind of memory."""
    left = free - need
    if left < 0:
        return Verdict("does not fit", f"needs {amount(need)} of {name}, {amount(free)} is free: {amount(-left)} short")
    if left < headroom:
        why = ": the driver's own memory takes hundreds of MiB" if name == "VRAM" and headroom == DRIVER_BYTES else ""
        return Verdict("tight", f"only {amount(left)} of {name} would be left{why}")
    if left < headroom + spread:
        return Verdict("tight", f"{amount(left)} of {name} would be left, and it may take {amount(spread)} more")
    return Verdict("fits", f"needs {amount(need)} of {name}, {amount(free)} is free")


def _together(places: Sequence[Verdict], prefix: str = "") -> Verdict:
    """The worst word, with the reasons that belong to it; where all fits, the first place's."""
    word = next(w for w in ("does not fit", "tight", "fits") if any(place.word == w for place in places))
    reasons = "; ".join(place.reason for place in places[: 1 if word == "fits" else None] if place.word == word)
    return Verdict(word, f"{prefix}{'fits, but ' if word == 'tight' else ''}{reasons}")  # type: ignore[arg-type]


def largest_context(limit: int, fits: Callable[[int], bool]) -> int | None:
    """The largest context length up to `limit` that fits, as a person would type it: a multiple of 1024 (below that of
    256), or the limit itself. `fits` must not come true again once it is false. None if nothing fits."""
    small = range(STEP, min(limit, ROUND_STEP - 1) + 1, STEP)
    choices = [*small, *range(ROUND_STEP, limit + 1, ROUND_STEP)]
    if limit > 0 and limit % (ROUND_STEP if limit > ROUND_STEP else STEP):
        choices.append(limit)
    return _last(choices, fits)


def most_slots(fits: Callable[[int], bool]) -> int | None:
    """The most slots, 1 to 64, that fit; None if not even one does."""
    return _last(range(1, MAX_SLOTS + 1), fits)


def _last(choices: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    fitting = bisect_left(choices, True, key=lambda choice: not fits(choice))
    return choices[fitting - 1] if fitting else None


def make_room(need: int, room: Room, occupants: Sequence[Occupant]) -> tuple[str, ...] | None:
    """The fewest instances whose unloading leaves `need` bytes free (on the GPU, in RAM where there is none), those
    used longest ago among equally few. Busy ones are named only when all idle ones together do not help. Empty when
    nothing is needed; None when not even all of them help, as far as their sizes are known."""
    free = room.ram_free if no_gpu(room) else room.vram_free
    if free is None:
        return None
    if (short := need - free) <= 0:
        return ()
    known = [each for each in occupants if each.bytes]
    idle, busy = ([each for each in known if each.busy is wanted] for wanted in (False, True))
    if short > _freed(known):
        return None
    going = _fewest(busy, short - _freed(idle))
    going += _fewest(idle, short - _freed(going))
    return tuple(each.instance_id for each in going)


def _fewest(instances: Sequence[Occupant], short: int) -> list[Occupant]:
    """The fewest that free `short` bytes, which all of them together do; the longest unused ones of these sets."""
    by_size = sorted((each.bytes or 0 for each in instances), reverse=True)
    count = next(n for n in range(len(by_size) + 1) if sum(by_size[:n]) >= short)
    going: list[Occupant] = []
    waiting = sorted(instances, key=lambda each: each.last_used or 0.0)
    while waiting and len(going) < count:
        each = waiting.pop(0)
        others = sorted((other.bytes or 0 for other in waiting), reverse=True)[: count - len(going) - 1]
        if _freed(going) + (each.bytes or 0) + sum(others) >= short:
            going.append(each)
    return going


def _freed(instances: Sequence[Occupant]) -> int:
    return sum(each.bytes or 0 for each in instances)
