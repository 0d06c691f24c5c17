"""Before a load: what it will take, what there is, and whether the two go together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lmdeck.model.catalog import Model
from lmdeck.model.estimate import Estimate, Unknown
from lmdeck.model.history import Calibration
from lmdeck.model.load import LoadRequest

VerdictWord = Literal["fits", "tight", "does not fit", "unknown"]


@dataclass(frozen=True, slots=True)
class Room:
    """Memory of the machine that runs the models, in bytes, now; None where nobody tells."""

    vram_free: int | None = None
    vram_total: int | None = None
    ram_free: int | None = None
    ram_total: int | None = None


@dataclass(frozen=True, slots=True)
class Occupant:
    """A loaded instance as something that could make room. `bytes` is what its unloading frees on the GPU (measured,
    else estimated; None unknown), `last_used` Unix time."""

    instance_id: str
    bytes: int | None = None
    busy: bool = False
    last_used: float | None = None


@dataclass(frozen=True, slots=True)
class LmsFigure:
    """`lms load --estimate-only`: bytes, its own doubt, and its guardrail's word."""

    gpu_bytes: int | None
    total_bytes: int | None
    low_confidence: bool = False
    will_load: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is one sentence with the figures."""

    word: VerdictWord
    reason: str = ""


NO_ROOM_KNOWN, NO_VERDICT = Room(), Verdict("unknown")


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a forecast depends on. `file` is the model's file on this machine, None where there is none (a remote
    server, another device); `llama_build` is known only where a runtime log has told it."""

    model: Model
    request: LoadRequest
    room: Room = NO_ROOM_KNOWN
    file: Path | None = None
    occupants: tuple[Occupant, ...] = ()
    llama_build: int | None = None
    calibration: Calibration | None = None
    lmstudio: LmsFigure | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of one load.

    `gpu_bytes` and `ram_bytes` are what it is expected to take, the correction by earlier loads included. `parts` is
    the estimate from a file or a table; None where the figure comes from elsewhere or there is none, and then
    `unknown` says why. `confidence` is in words: `from the file`, `from a table`, `LM Studio's figure`, `rough`,
    `unknown`.
    """

    context: int
    """Tokens it is for: as asked, or what stands in for "server default"."""
    parallel: int
    confidence: str
    source: str
    gpu_bytes: int | None = None
    ram_bytes: int | None = None
    parts: Estimate | None = None
    unknown: Unknown | None = None
    correction_bytes: int = 0
    """Added to the GPU's part (where there is no GPU: to RAM) because earlier loads measured so much more or less."""
    calibrated_by: int = 0
    """How many loads the correction comes from."""
    verdict: Verdict = NO_VERDICT
    largest_context: int | None = None
    """The largest context length that fits now with these settings; None unknown or none fits."""
    most_slots: int | None = None
    """The most slots that fit now with this context."""
    make_room: tuple[str, ...] | None = None
    """Instances whose unloading would make it fit; empty when nothing is needed, None when not even that helps."""
    lmstudio: LmsFigure | None = None
    notes: tuple[str, ...] = ()
    room: Room = NO_ROOM_KNOWN
    """The memory it was judged against."""
    occupants: tuple[Occupant, ...] = ()
    """What was loaded then."""

    @property
    def total_bytes(self) -> int | None:
        """GPU and RAM together."""
        if self.gpu_bytes is None and self.ram_bytes is None:
            return None
        return (self.gpu_bytes or 0) + (self.ram_bytes or 0)
