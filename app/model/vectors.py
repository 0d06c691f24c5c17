"""Embedding vectors measured: lengths, and how alike their directions are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot, inf
from operator import mul

Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several texts as a model embeds them: how many numbers each vector has, its length, and the cosine of every
    pair, by index; None where a vector has no direction."""

    inputs: tuple[str, ...]
    sizes: tuple[int, ...]
    norms: tuple[float, ...]
    cosines: tuple[tuple[float | None, ...], ...]

    def extremes(self) -> tuple[tuple[int, int, float], tuple[int, int, float]] | None:
        """The most alike and the least alike pair of different inputs, with their cosine; None without a pair."""
        pairs = [
            (one, other, cosine)
            for one, other in combinations(range(len(self.inputs)), 2)
            if (cosine := self.cosines[one][other]) is not None
        ]
        if not pairs:
            return None
        return max(pairs, key=lambda pair: pair[2]), min(pairs, key=lambda pair: pair[2])


def norm(vector: Vector) -> float:
    """The Euclidean length."""
    return hypot(*vector)


def cosine(one: Vector, other: Vector) -> float | None:
    """The cosine of the angle between two vectors, -1 to 1; None for different dimensions, or where one of them has no
    direction."""
    return _between(_unit(one), _unit(other))


def matrix(vectors: Sequence[Vector]) -> tuple[tuple[float | None, ...], ...]:
    """The cosine of every pair; symmetric."""
    units = list(map(_unit, vectors))
    return tuple(tuple(_between(one, other) for other in units) for one in units)


def compared(inputs: Sequence[str], vectors: Sequence[Vector]) -> Comparison:
    """The vectors of these inputs, measured. Grows with the square of their number: keep it off the event loop."""
    return Comparison(tuple(inputs), tuple(map(len, vectors)), tuple(map(norm, vectors)), matrix(vectors))


def split_inputs(text: str) -> tuple[str, ...]:
    """The texts to embed: parted by blank lines if there are any between them, else one a line."""
    parts = re.split(r"\n[^\S\n]*\n", text.strip())
    return tuple(stripped for part in (parts if len(parts) > 1 else text.splitlines()) if (stripped := part.strip()))


def _unit(vector: Vector) -> list[float] | None:
    """In the same direction, of length one."""
    length = norm(vector)
    return [value / length for value in vector] if 0 < length < inf else None


def _between(one: Vector | None, other: Vector | None) -> float | None:
    """The cosine between two unit vectors; rounding leads nowhere outside -1 to 1."""
    if one is None or other is None or len(one) != len(other):
        return None
    product: float = sum(map(mul, one, other))
    return max(-1.0, min(1.0, product))
