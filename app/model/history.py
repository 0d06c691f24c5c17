"""What is kept of a load when it is over, and what a model was last loaded with."""

from dataclasses import dataclass

from lmdeck.model.load import LoadRequest


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """One load: predicted, LM Studio's and measured side by side. Bytes; None where nobody knew. `at` is Unix time.

    `machine` identifies where it ran (server and GPUs), `predicted_*` is the plain estimate without any correction,
    `measured_*` the growth of LM Studio's processes between before and after. `cause` says why a load failed.
    """

    at: float
    server: str
    machine: str
    model_key: str
    instance_id: str
    settings: LoadRequest
    load_time_s: float | None = None
    predicted_gpu: int | None = None
    predicted_ram: int | None = None
    confidence: str = ""
    lmstudio_gpu: int | None = None
    lmstudio_total: int | None = None
    measured_gpu: int | None = None
    measured_ram: int | None = None
    allocated_context: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings kept for one model under a name; the empty name is what it was last loaded with."""

    name: str
    settings: LoadRequest


@dataclass(frozen=True, slots=True)
class Calibration:
    """What earlier loads of a model on a machine teach: bytes to add to the next estimate, and from how many loads."""

    correction_gpu: int
    correction_ram: int
    loads: int
