"""What the formulas run on: the model's own header, or one made from the table of known models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from lmdeck.estimate.gguf import Header, NotGGUF, read_header, shards
from lmdeck.estimate.memory import estimate
from lmdeck.estimate.table import look_up
from lmdeck.model.catalog import Model
from lmdeck.model.confidence import FROM_FILE, FROM_TABLE
from lmdeck.model.estimate import Ask, Estimate, Unknown

_PROJECTOR = "mmproj"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that can be reckoned."""

    header: Header
    projector: Header | None
    confidence: str
    source: str
    """Whose dimensions they are; the formulas' build is added to it."""
    notes: tuple[str, ...] = ()

    @property
    def context_length(self) -> int | None:
        """The context that the model was made for, in tokens."""
        own = self.header.own("context_length")
        return own if isinstance(own, int) and own > 0 else None

    def weigh(self, ask: Ask) -> Estimate | Unknown:
        """The estimate for these settings, with its confidence and source; settings out of range are Unknown, too."""
        try:
            found = estimate(self.header, ask, self.projector)
        except ValueError as error:
            return Unknown(str(error))
        if isinstance(found, Unknown):
            return found
        source = f"{self.source}, {found.source.removeprefix('GGUF header, ')}"
        return replace(found, confidence=self.confidence, source=source, notes=(*self.notes, *found.notes))


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing to run the formulas on, and why; a figure of another origin may stand in."""

    reason: str


def find_subject(model: Model, file: Path | None, experts: int | None = None) -> Subject | Unknown | Missing:
    """The model's header with `experts` of them in use where that was asked. Blocks: it reads the file.

    Unknown where the file is there and damaged: no other origin would describe *this* file."""
    found = _from_file(model, file)
    if isinstance(found, Missing) and (known := look_up(model)):
        note = () if _is_gguf(model, file) else ("not a GGUF file: the figures are llama.cpp's for this model",)
        found = Subject(known.header, None, FROM_TABLE, known.name, note)
    if isinstance(found, Subject) and experts is not None:
        return replace(found, header=_with_experts(found.header, experts))
    return found


def _from_file(model: Model, file: Path | None) -> Subject | Unknown | Missing:
    if file is None:
        return Missing("the model's file is not on this machine")
    if not _is_gguf(model, file):
        return Missing(f"{model.format or 'its format'} has no GGUF header")
    try:
        path = gguf_at(file)
        if path is None:
            return Missing(f"no GGUF file at {file.name}")
        header = read_header(path)
    except NotGGUF as error:
        return Unknown(str(error))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        return Missing(f"{file.name} cannot be read: {getattr(error, 'strerror', None) or error}")
    try:
        return Subject(header, projector_beside(path), FROM_FILE, "GGUF header")
    except (NotGGUF, OSError):
        note = "the vision projector's file cannot be read: it is not counted"
        return Subject(header, None, FROM_FILE, "GGUF header", (note,))


def _is_gguf(model: Model, file: Path | None) -> bool:
    if file is not None and file.suffix.lower() == ".gguf":
        return True
    return (model.format or "gguf").lower() == "gguf"


def _with_experts(header: Header, used: int) -> Header:
    """The header as if it named another number of experts in use; a model without experts stays as it is."""
    if header.own("expert_count") is None:
        return header
    keys = {**header.keys, f"{header.architecture}.expert_used_count": used}
    return replace(header, keys=MappingProxyType(keys))


def gguf_at(path: Path) -> Path | None:
    """The model's file at a path that may be its folder: of a split model any file; None for a folder with no model
    or several. Raises OSError, NotGGUF."""
    if not path.is_dir():
        return path
    files = sorted(each for each in path.glob("*.gguf") if not each.name.lower().startswith(_PROJECTOR))
    return files[0] if files and {*files} <= {*shards(files[0])} else None


def projector_beside(model: Path) -> Header | None:
    """The vision projector's file beside the model, where LM Studio puts it: `mmproj…gguf`, the only one. Raises
    NotGGUF, OSError."""
    files = [path for path in model.parent.glob(f"{_PROJECTOR}*.gguf") if path != model]
    return read_header(files[0]) if len(files) == 1 else None
