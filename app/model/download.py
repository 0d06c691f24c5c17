"""Models on their way to the server's disk."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from lmdeck.model.problem import Problem

GONE = "gone"
"""The deck's own word for a download that the server does not know any more."""
_ENDED = frozenset({"completed", "failed", "already_downloaded", GONE})
_HOSTS = ("huggingface.co/", "hf.co/")


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What the server says of a download: `status` and `words` (the reason of a failure) are its own. None is what it
    does not tell. `ends_at` is the Unix time at which it expects the end."""

    status: str
    job_id: str = ""
    total_bytes: int | None = None
    done_bytes: int | None = None
    bytes_per_second: float | None = None
    ends_at: float | None = None
    words: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come. A status that is not known may go on."""
        return self.status in _ENDED

    @property
    def share(self) -> float | None:
        """How much is there, from 0 to 1."""
        if self.status in ("completed", "already_downloaded"):
            return 1.0
        if not self.total_bytes or self.done_bytes is None:
            return None
        return min(self.done_bytes / self.total_bytes, 1.0)

    def left_s(self, now: float) -> float | None:
        """Seconds to go while it is running: from size and speed, else from the time that the server expects."""
        if self.status != "downloading":
            return None
        if self.total_bytes is not None and self.done_bytes is not None and self.bytes_per_second:
            return max(0.0, (self.total_bytes - self.done_bytes) / self.bytes_per_second)
        return None if self.ends_at is None else max(0.0, self.ends_at - now)


@dataclass(frozen=True, slots=True)
class Download:
    """One download as it was asked for, since the Unix time `begun`, with the last report of it. `problem` tells why
    there was no newer one."""

    model: str
    quantization: str | None
    begun: float
    report: DownloadReport
    problem: Problem | None = None

    @property
    def name(self) -> str:
        """What is downloaded, in short: of an address only its path."""
        model = urlsplit(self.model).path.strip("/") if is_url(self.model) else self.model
        return " ".join(filter(None, (model or self.model, self.quantization)))

    @property
    def key(self) -> str:
        """What tells it from the others; what is there already has no job."""
        return self.report.job_id or f"{self.model} {self.quantization}"


def is_url(model: str) -> bool:
    """Whether it is an address, not a catalogue id: only for one a quantisation can be chosen."""
    return "://" in model


def normal_name(typed: str) -> str:
    """A catalogue id or a full URL, as the server takes it; Hugging Face's addresses may be typed without `https://`."""
    name = typed.strip()
    return f"https://{name}" if name.lower().startswith(_HOSTS) else name
