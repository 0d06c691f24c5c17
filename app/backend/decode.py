"""Reading JSON from outside: typed getters that answer None for whatever is not what was hoped for."""

import json
from math import isfinite

# No count of bytes, tokens or milliseconds comes near it, and a float cannot hold all that is larger.
_TOO_LARGE = 2**63


def parse(raw: bytes | str) -> object:
    """The JSON value in `raw` (bytes are UTF-8, wrong ones replaced); ValueError for anything else, too deep
    nesting included."""
    try:
        value: object = json.loads(raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def record(value: object) -> dict[str, object] | None:
    """A JSON object."""
    return value if isinstance(value, dict) else None


def fields(value: object) -> dict[str, object]:
    """A JSON object, or an empty one: for reading optional fields of an optional object."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object] | None:
    """A JSON array."""
    return value if isinstance(value, list) else None


def records(value: object) -> list[dict[str, object]]:
    """The objects of a JSON array; what is no object is left out."""
    return [item for item in items(value) or () if isinstance(item, dict)]


def text(value: object) -> str | None:
    """A string."""
    return value if isinstance(value, str) else None


def texts(value: object) -> tuple[str, ...]:
    """The strings of a JSON array; what is no string is left out."""
    return tuple(item for item in items(value) or () if isinstance(item, str))


def flag(value: object) -> bool | None:
    """true or false, never a number."""
    return value if isinstance(value, bool) else None


def number(value: object) -> float | None:
    """A finite number, never true or false."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < _TOO_LARGE else None
    return None


def count(value: object) -> int | None:
    """A whole number ≥ 0; `8192.0` is one too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < _TOO_LARGE else None
    if isinstance(value, float) and isfinite(value) and value >= 0 and value.is_integer():
        return int(value)
    return None


def as_json(value: object) -> str:
    """A string as it is, anything else as compact JSON; None is empty. For showing a tool's arguments or output."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
