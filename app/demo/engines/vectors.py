"""Embeddings of the scripted engine."""

from __future__ import annotations

import math
import random

DIMENSIONS = 768
"""As nomic-embed-text has."""


def unit_vector(text: str) -> list[float]:
    """A vector of length one in a direction that depends on the text alone."""
    numbers = random.Random(text.encode())
    vector = [numbers.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.hypot(*vector)
    return [value / length for value in vector]
