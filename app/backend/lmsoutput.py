"""What `lms` prints, as the deck's values."""

import re
from dataclasses import dataclass

from lmdeck.backend.decode import count, items, number, records, text
from lmdeck.model.catalog import Activity, ModelFile

_CHECK_MARKS = frozenset("✓✔√")
_SEQUENCE = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")
_PROGRESS = re.compile(r"loading\s.*(\d\s*%|\.\.\.|…)\W*$|waking up ", re.IGNORECASE)
_LONGEST = 6
"""Lines of a complaint that are kept: `lms` puts title, reason and hint on lines of their own."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one call printed. `stderr` is its end as it came, `lines` the same made safe to show; `code` is None for a
    process that does not end."""

    stdout: bytes
    stderr: str
    lines: tuple[str, ...]
    code: int | None

    @property
    def text(self) -> str:
        """Its stdout."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def all_text(self) -> str:
        """Stdout and stderr without colours."""
        return plain(f"{self.text}\n{self.stderr}")

    @property
    def complaint(self) -> str:
        """What follows `Error:`; empty if it does not say so."""
        at = next((at for at, line in enumerate(self.lines) if line.startswith("Error:")), None)
        return "" if at is None else " ".join(self.lines[at : at + _LONGEST]).removeprefix("Error:").strip()

    @property
    def last_words(self) -> str:
        """The best there is to say about its end: its complaint, its last lines, or its exit code."""
        last = " ".join([line for line in self.lines if not _PROGRESS.match(line)][-_LONGEST:])
        return self.complaint or last or ("it does not end" if self.code is None else f"exit code {self.code}")


def plain(text: str) -> str:
    """`text` without colours and cursor movements."""
    return _SEQUENCE.sub("", text)


def activities(body: object) -> tuple[Activity, ...] | None:
    """`lms ps --json`; None if it is no list. Its times are milliseconds, ours are seconds."""
    if items(body) is None:
        return None
    found = (_activity(entry) for entry in records(body))
    return tuple(activity for activity in found if activity is not None)


def model_files(body: object) -> tuple[ModelFile, ...] | None:
    """`lms ls --json`; None if it is no list. A record without a key or a path is left out."""
    if items(body) is None:
        return None
    found = ((text(entry.get("modelKey")), text(entry.get("path")), entry) for entry in records(body))
    return tuple(
        ModelFile(key, path, count(entry.get("sizeBytes")), text(entry.get("deviceIdentifier")))
        for key, path, entry in found
        if key and path
    )


def selected_runtime(table: str) -> str | None:
    """`name@version` of the engine for GGUF models that `lms runtime ls` marks as selected."""
    for row in table.splitlines():
        columns = row.split()
        if (
            len(columns) >= 3
            and "@" in columns[0]
            and "GGUF" in columns[-1].upper()
            and _CHECK_MARKS & {*columns[1:-1]}
        ):
            return columns[0]
    return None


def _activity(entry: dict[str, object]) -> Activity | None:
    if not (instance_id := text(entry.get("identifier"))):
        return None
    return Activity(
        instance_id=instance_id,
        model_key=text(entry.get("modelKey")) or instance_id,
        status=text(entry.get("status")) or "idle",
        queued=count(entry.get("queued")) or 0,
        parallel=count(entry.get("parallel")),
        context_length=count(entry.get("contextLength")),
        size_bytes=count(entry.get("sizeBytes")),
        ttl_s=_seconds(entry.get("ttlMs")),
        last_used_s=_seconds(entry.get("lastUsedTime")),
        device=text(entry.get("deviceIdentifier")),
    )


def _seconds(milliseconds: object) -> float | None:
    amount = number(milliseconds)
    return None if amount is None else amount / 1000
