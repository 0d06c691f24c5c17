"""GGUF's values from a file, read in bounded pieces: no length in the file is believed before it is checked."""

from __future__ import annotations

import struct
from typing import BinaryIO

Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...]

_PIECE = 1 << 18
_KEPT_TEXT = 1 << 20  # bytes of one text that is kept (chat templates are some 10 kB)
_KEPT_ARRAY = 4096  # elements; longer arrays are vocabularies
_KEPT_TEXTS = 64
# Budgets of a whole header: what is kept in memory, and the strings that are walked over one by one. The largest
# vocabularies have 262,144 tokens and twice as many merges.
_MAX_KEPT = 16 << 20
_MAX_WALKED = 4_000_000
_MAX_HEADER = 512 << 20  # bytes in the file

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRUCTS = {code: struct.Struct(f"<{code}") for code in "BbHhIif?Qqd"}
_STRING, _ARRAY = 8, 9


class NotGGUF(ValueError):
    """The file is no GGUF file, or its header is broken."""


class Stream:
    """A forward-only reader over a file of `size` bytes. Every method raises NotGGUF where the file says nonsense."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self._file = file
        self._piece, self._at, self._start = b"", 0, 0  # `_piece` begins at `_start` in the file
        self._kept, self._walked = 0, 0

    @property
    def position(self) -> int:
        """Offset in the file of the next byte to read."""
        return self._start + self._at

    def take(self, length: int) -> bytes:
        """The next bytes; `length` has been checked by the caller to be reasonable."""
        self._need(length)
        self._at += length
        return self._piece[self._at - length : self._at]

    def skip(self, length: int) -> None:
        """Pass over bytes without reading them."""
        if length > self.size - self.position:
            raise NotGGUF("a length that points beyond the end of the file")
        self._at += length

    def _need(self, length: int) -> None:
        """Have `length` bytes in the piece from `_at` on."""
        if self._at + length <= len(self._piece):
            return
        if length > self.size - self.position:
            raise NotGGUF("the file ends inside its header")
        if self.position > _MAX_HEADER:
            raise NotGGUF("a header of unreasonable size")
        self._start, self._at = self.position, 0
        self._file.seek(self._start)
        self._piece = self._file.read(max(length, _PIECE))
        if len(self._piece) < length:
            raise NotGGUF("the file became shorter while it was read")

    def _scalar(self, code: str) -> int | float | bool:
        form = _STRUCTS[code]
        self._need(form.size)
        (value,) = form.unpack_from(self._piece, self._at)
        self._at += form.size
        return value  # type: ignore[no-any-return]  # struct is untyped

    def number(self, code: str) -> int:
        """An unsigned number: `I` of 32 bits, `Q` of 64."""
        return int(self._scalar(code))

    def count(self, limit: int, what: str) -> int:
        """A 64-bit count of things."""
        if (count := self.number("Q")) > limit:
            raise NotGGUF(f"{count} {what}")
        return count

    def name(self, limit: int) -> str:
        """A string that is kept whatever its length, which may be `limit` bytes."""
        length = self.count(limit, "bytes in a name")
        self._keep(length)
        return self.take(length).decode("utf-8", "replace")

    def _keep(self, length: int) -> None:
        self._kept += length
        if self._kept > _MAX_KEPT:
            raise NotGGUF("a header of unreasonable size")

    def value(self) -> tuple[Value | None, int | None]:
        """A typed value (None for one too long to keep), and the length if it is an array."""
        kind = self.number("I")
        if kind == _ARRAY:
            return self._array()
        if kind == _STRING:
            return self._text(), None
        return self._scalar(_code(kind)), None

    def _text(self) -> str | None:
        length = self.number("Q")
        if length > _KEPT_TEXT:
            self.skip(length)
            return None
        self._keep(length)
        return self.take(length).decode("utf-8", "replace")

    def _array(self) -> tuple[Value | None, int]:
        kind, length = self.number("I"), self.number("Q")
        if kind == _STRING:
            if length <= _KEPT_TEXTS:
                texts = [self._text() for _ in range(length)]
                return tuple(text for text in texts if text is not None), length
            self._skip_strings(length)
            return None, length
        form = _STRUCTS[_code(kind)]  # arrays of arrays are in no file: llama.cpp does not read them either
        if length > _KEPT_ARRAY:
            self.skip(length * form.size)
            return None, length
        self._keep(length * form.size)
        return struct.unpack(f"<{length}{form.format[1:]}", self.take(length * form.size)), length

    def _skip_strings(self, count: int) -> None:
        """Pass over strings by their lengths alone; the time goes into this loop (300,000 rounds for one model)."""
        self._walked += count
        if self._walked > _MAX_WALKED or count * 8 > self.size - self.position:
            raise NotGGUF(f"an array of {count} texts")
        unpack = _STRUCTS["Q"].unpack_from
        while count:
            self._need(8)
            piece, at, last = self._piece, self._at, len(self._piece) - 8
            while count and at <= last:
                at += 8 + unpack(piece, at)[0]
                count -= 1
            self._at = at
            if self.position > self.size:
                raise NotGGUF("a text beyond the end of the file")


def _code(kind: int) -> str:
    try:
        return _SCALARS[kind]
    except KeyError:
        raise NotGGUF(f"a value of unknown type {kind}") from None
