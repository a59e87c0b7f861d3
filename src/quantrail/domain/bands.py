"""Keys by which marks that are near meet, in memory or in a table (locality-sensitive hashing).

Two marks are near when at least 116 of their 128 bins agree, so that at most 12 differ. Thirteen bands
share out the bins, hence at least one band of two near marks is equal: no near mark is ever missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BINS = 128
BANDS = 13
NEAR = 0.9
_STARTS = [band * BINS // BANDS for band in range(BANDS)]


def band_keys(bins: NDArray[np.uint16], grids: Sequence[str]) -> NDArray[np.int64]:
    """Keys of N marks, shape (N, 13), 48 bits each, from their bins (N, 128) and the grid of each.

    Grid and band are part of a key. Equal keys of unequal bands are as rare as 48 bits allow; whoever
    looks up by them compares the bins. The same on every machine: tables hold what this returned.
    """
    sums = np.add.reduceat(bins.astype(np.uint64) * _WEIGHTS, _STARTS, axis=1)
    salt = np.array([_salt(grid) for grid in grids], dtype=np.uint64)
    found: NDArray[np.int64] = (mixed(sums + salt[:, None] + _BAND_SALTS) >> np.uint64(16)).astype(np.int64)
    return found


@lru_cache(64)
def _salt(grid: str) -> int:
    return int.from_bytes(hashlib.blake2b(grid.encode(), digest_size=8).digest(), "big")


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea & Flood 2014): the same on every machine and library version."""
    found = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


# A random odd factor for each bin and a random start for each band.
_WEIGHTS = mixed(np.arange(BINS, dtype=np.uint64)) | np.uint64(1)
_BAND_SALTS = mixed(np.arange(1000, 1000 + BANDS, dtype=np.uint64))
