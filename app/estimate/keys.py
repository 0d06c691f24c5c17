"""An architecture's integer keys, checked: whatever the file says, a count is a small non-negative number."""

from __future__ import annotations

from lmdeck.estimate.gguf import Header

_MAX_COUNT = 1 << 24  # tokens, elements; the largest real figures are vocabularies and contexts of some millions
_MAX_LAYERS = 1024  # llama.cpp has LLAMA_MAX_LAYERS 512


class BadKey(ValueError):
    """A key that is needed and missing, or whose value makes no sense. Its text is the key's name."""


class Keys:
    """Typed access to `{architecture}.*`."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self.architecture = header.architecture

    def has(self, name: str) -> bool:
        """Whether the key is there with a number above zero."""
        value = self._header.own(name)
        return isinstance(value, int) and value > 0

    def count(self, name: str, default: int | None = None, at_least: int = 0) -> int:
        """A count; `default` where the key is missing. Raises BadKey."""
        value = self._header.own(name)
        if value is None:
            value = default
        limit = _MAX_LAYERS if name == "block_count" else _MAX_COUNT
        if not isinstance(value, int) or not at_least <= value <= limit:
            raise BadKey(name)
        return int(value)

    def each(self, name: str, layers: int, default: int | tuple[int, ...] | None = None) -> tuple[int, ...]:
        """A count for each of the first `layers` layers, from an array or from one number for all. Raises BadKey."""
        value = self._header.own(name)
        if value is None:
            value = default
        if isinstance(value, int):
            value = (value,) * layers
        if not isinstance(value, tuple) or len(value) < layers:
            raise BadKey(name)
        counts = tuple(int(item) for item in value[:layers] if isinstance(item, int) and 0 <= item <= _MAX_COUNT)
        if len(counts) < layers:
            raise BadKey(name)
        return counts

    def flags(self, name: str, layers: int) -> tuple[bool, ...] | None:
        """A truth value for each layer; None where the key is missing or no array. Raises BadKey for a short array."""
        value = self._header.own(name)
        if not isinstance(value, tuple):
            return None
        if len(value) < layers:
            raise BadKey(name)
        return tuple(bool(item) for item in value[:layers])
