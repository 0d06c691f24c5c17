"""Strict reading of request bodies: a wrong type is the client's mistake and is answered with 400."""

from __future__ import annotations

from typing import TypeVar

Json = dict[str, object]
T = TypeVar("T")


class FieldError(ValueError):
    """A field that is missing or has the wrong type; `name` is the field."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _typed(body: Json, name: str, kind: type[T], words: str) -> T | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FieldError(name, f"'{name}' must be {words}")
    return value


def text(body: Json, name: str) -> str | None:
    """A string, or None if absent or null."""
    return _typed(body, name, str, "a string")


def required(body: Json, name: str) -> str:
    """A string that must be there and not be empty."""
    value = text(body, name)
    if not value:
        raise FieldError(name, f"'{name}' is required")
    return value


def flag(body: Json, name: str) -> bool | None:
    """A boolean, or None."""
    return _typed(body, name, bool, "a boolean")


def integer(body: Json, name: str, minimum: int = 1) -> int | None:
    """A whole number of at least `minimum`, or None."""
    value = number(body, name, minimum=minimum)
    if value is not None and value != int(value):
        raise FieldError(name, f"'{name}' must be an integer")
    return None if value is None else int(value)


def number(body: Json, name: str, *, minimum: float = float("-inf"), maximum: float = float("inf")) -> float | None:
    """A finite number within the bounds, or None."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise FieldError(name, f"'{name}' must be a number")
    if not minimum <= value <= maximum or value in (float("inf"), float("-inf")):
        bounds = f"between {minimum:g} and {maximum:g}" if maximum != float("inf") else f"at least {minimum:g}"
        raise FieldError(name, f"'{name}' must be {bounds}")
    return value


def objects(body: Json, name: str) -> list[Json]:
    """A list of objects, empty if absent."""
    value = _typed(body, name, list, "an array")
    if value is None:
        return []
    if not all(isinstance(item, dict) for item in value):
        raise FieldError(name, f"'{name}' must be an array of objects")
    return value


def obj(value: object) -> Json:
    """`value` if it is a JSON object, else an empty one: for reading an engine's own answers tolerantly."""
    return value if isinstance(value, dict) else {}
