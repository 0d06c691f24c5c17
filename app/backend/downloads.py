"""LM Studio's downloads: its records as the deck's values."""

from datetime import UTC, datetime
from urllib.parse import quote

from lmdeck.backend.decode import count, fields, number, text
from lmdeck.backend.errors import BadReply, DownloadRefused, Refused
from lmdeck.model.download import DownloadReport
from lmdeck.model.text import clean, one_line

DOWNLOAD = "/api/v1/models/download"

_LONGEST_ID, _LONGEST_STATUS, _LONGEST_WORDS = 200, 40, 2000


def body(model: str, quantization: str | None) -> dict[str, object]:
    """The request body: only what was chosen."""
    return {"model": model, **({"quantization": quantization} if quantization else {})}


def status_path(job_id: str) -> str:
    """Where a job is asked for."""
    return f"{DOWNLOAD}/status/{quote(job_id, safe='')}"


def begun(answer: object) -> DownloadReport:
    """The answer to the wish for a download; BadReply if it runs under no job id: nobody could follow it."""
    found = report(answer)
    if not found.ended and not found.job_id:
        raise BadReply("the answer to the download names no job")
    return found


def refused(error: Refused) -> DownloadRefused:
    """The server's no to a download; another name does not help where it downloads nothing at all."""
    next_step = "" if error.kind == "not_implemented" else None
    return DownloadRefused(error.detail, status=error.status, kind=error.kind, code=error.code, next_step=next_step)


def report(answer: object, job_id: str = "") -> DownloadReport:
    """A job's record; one without an id of its own is that of `job_id`. Raises BadReply without a status."""
    record = fields(answer)
    if not (status := one_line(text(record.get("status")) or "", _LONGEST_STATUS)):
        raise BadReply("the record of the download holds no status")
    own_id = text(record.get("job_id")) or ""
    return DownloadReport(
        status=status,
        job_id=own_id if 0 < len(own_id) <= _LONGEST_ID else job_id,
        total_bytes=count(record.get("total_size_bytes")),
        done_bytes=count(record.get("downloaded_bytes")),
        bytes_per_second=number(record.get("bytes_per_second")),
        ends_at=_moment(record.get("estimated_completion")),
        words=clean(text(record.get("message")) or "", _LONGEST_WORDS),
    )


def _moment(value: object) -> float | None:
    """The Unix time of an ISO 8601 text; one without a zone is UTC."""
    try:
        found = datetime.fromisoformat(text(value) or "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
