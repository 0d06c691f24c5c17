"""ggml's tensor types: how many bytes a block of how many elements takes (ggml.h `ggml_type`, ggml-common.h)."""

from __future__ import annotations

import math
from collections.abc import Sequence

# type number: (name, elements per block, bytes per block). 4, 5 and 31 to 33, 36 to 38 were removed from ggml.
TYPES = {
    0: ("f32", 1, 4), 1: ("f16", 1, 2), 2: ("q4_0", 32, 18), 3: ("q4_1", 32, 20), 6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24), 8: ("q8_0", 32, 34), 9: ("q8_1", 32, 36), 10: ("q2_k", 256, 84), 11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144), 13: ("q5_k", 256, 176), 14: ("q6_k", 256, 210), 15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66), 17: ("iq2_xs", 256, 74), 18: ("iq3_xxs", 256, 98), 19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18), 21: ("iq3_s", 256, 110), 22: ("iq2_s", 256, 82), 23: ("iq4_xs", 256, 136),
    24: ("i8", 1, 1), 25: ("i16", 1, 2), 26: ("i32", 1, 4), 27: ("i64", 1, 8), 28: ("f64", 1, 8),
    29: ("iq1_m", 256, 56), 30: ("bf16", 1, 2), 34: ("tq1_0", 256, 54), 35: ("tq2_0", 256, 66), 39: ("mxfp4", 32, 17),
    40: ("nvfp4", 64, 36),
}  # fmt: skip
_BY_NAME = {name: (block, size) for name, block, size in TYPES.values()}


def tensor_bytes(kind: int, shape: Sequence[int]) -> int | None:
    """Bytes of a tensor's data; None for a type that is not known or a row that is no whole number of blocks."""
    if kind not in TYPES:
        return None
    _, block, size = TYPES[kind]
    if shape and shape[0] % block:
        return None
    return math.prod(shape) // block * size


def row_bytes(name: str, elements: int) -> int:
    """Bytes of `elements` elements of a type. Raises KeyError for an unknown name."""
    block, size = _BY_NAME[name]
    return elements * size // block
