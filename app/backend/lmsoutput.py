"""What `lms` prints, as the deck's values."""

from lmdeck.backend.decode import count, items, number, records, text
from lmdeck.model.catalog import Activity

_CHECK_MARKS = frozenset("✓✔√")


def activities(body: object) -> tuple[Activity, ...] | None:
    """`lms ps --json`; None if it is no list. Its times are milliseconds, ours are seconds."""
    if items(body) is None:
        return None
    found = (_activity(entry) for entry in records(body))
    return tuple(activity for activity in found if activity is not None)


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
