"""One integer per bar, one bit per symbol: what engine B asks at every bar costs one operation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def bit_rows(flags: NDArray[np.bool_]) -> list[int]:
    """Flags (S, T) as T integers; bit s of the t-th is ``flags[s, t]``."""
    packed = np.packbits(flags, axis=0, bitorder="little")
    width = max(8, len(packed))
    padded = np.zeros((flags.shape[1], width), np.uint8)
    padded[:, : len(packed)] = packed.T
    if width == 8:
        words: list[int] = padded.view("<u8").ravel().tolist()
        return words
    return [int.from_bytes(row, "little") for row in padded]


def ones(bits: int) -> Iterator[int]:
    """Positions of the set bits, ascending."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
