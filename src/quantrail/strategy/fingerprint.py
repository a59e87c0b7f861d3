"""Behaviour fingerprints: strategies that differ in text and hold the same bars are found.

A fingerprint is a MinHash of the set of (symbol, bar, side) that a strategy holds, by one permutation
in 128 bins (Li, Owen & Zhang 2012), empty bins borrowing from their neighbour (Shrivastava & Li
2014). The share of equal bins estimates the Jaccard similarity of two sets, with a standard error of
at most 4.4 %, 2.7 % at a similarity of 0.9. Equal bands of bins find candidates (see ``domain.bands``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantrail.domain.bands import BINS, NEAR, band_keys, mixed
from quantrail.errors import InvalidInput, Unsupported

_LARGEST = 65_000
MOST_CELLS = _LARGEST * BINS
_MOST = 5000

Held = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``data``: 128 little-endian uint16. ``grid``: what it was taken on; only equal grids compare.

    ``held``: number of (symbol, bar, side) held; with none, nothing is near.
    """

    data: bytes
    grid: str
    held: int

    @property
    def bins(self) -> NDArray[np.uint16]:
        return np.frombuffer(self.data, dtype="<u2")

    def bands(self) -> tuple[int, ...]:
        """Thirteen 48-bit keys, for an index in memory or in a table: near ones share at least one.

        The grid is part of each key. Without anything held there are none.
        """
        return tuple(band_keys(self.bins[None], [self.grid])[0].tolist()) if self.held else ()


def held_bars(entry: Held, exit_: Held) -> Held:
    """Bars on which a position would be held by these signals alone, shape (S, T) as theirs.

    An entry holds from its bar on until the bar before the next exit; where both are true, exit wins.
    """
    event = np.where(exit_, np.int8(-1), entry.astype(np.int8))
    last = np.where(event != 0, np.arange(event.shape[1], dtype=np.int32), np.int32(0))
    np.maximum.accumulate(last, axis=1, out=last)
    held: Held = np.take_along_axis(event, last, axis=1) > 0
    return held


def fingerprint(long: Held | None, short: Held | None, grid: str) -> Fingerprint:
    """The fingerprint of what is held, each (S, T) bool or None for a side that does not exist.

    ``grid`` names the symbols and sessions, for example a hash of data version and period. A pure
    function of its inputs. InvalidInput if both sides are None or their shapes differ.
    """
    given = [side for side in (long, short) if side is not None]
    if not given or any(side.ndim != 2 or side.shape != given[0].shape for side in given):
        shapes = [side.shape for side in given]
        raise InvalidInput(f"held bars are one or two (S, T) arrays of one shape, got {shapes}")
    cells = np.zeros((2, given[0].size), dtype=bool)
    for row, side in enumerate((long, short)):
        if side is not None:
            cells[row] = side.ravel()
    flat = cells.ravel()
    order = bin_order(flat.size)
    padded = np.append(flat, False)[order]
    first = padded.argmax(axis=1)
    empty = ~padded[np.arange(BINS), first]
    return mark_of(np.where(empty, -1, first), int(flat.sum()), grid)


def mark_of(first: NDArray[np.int64], held: int, grid: str) -> Fingerprint:
    """A fingerprint from the rank of the first held cell of each bin, -1 where it holds none."""
    values = _fill_empty(first, first < 0) if held else np.zeros(BINS, dtype=np.int64)
    return Fingerprint(values.astype("<u2").tobytes(), grid, held)


@lru_cache(8)
def bin_order(size: int) -> NDArray[np.int64]:
    """Row b lists the cells of bin b in the order of their hash; short rows end in ``size``, never held."""
    per_bin = -(-size // BINS)
    if per_bin > _LARGEST:
        raise Unsupported(f"fingerprints cover up to {_LARGEST * BINS} cells, got {size}")
    shuffled = np.argsort(mixed(np.arange(size, dtype=np.uint64)), kind="stable")
    order = np.full(per_bin * BINS, size, dtype=np.int64)
    order[:size] = shuffled
    return np.ascontiguousarray(order.reshape(per_bin, BINS).T)


def _fill_empty(first: NDArray[np.int64], empty: NDArray[np.bool_]) -> NDArray[np.int64]:
    # An empty bin takes the value of the next one to the right, marked by the distance.
    full = np.flatnonzero(~empty)
    index = np.arange(BINS)
    source = full[np.searchsorted(full, index) % len(full)]
    distance = (source - index) % BINS
    values: NDArray[np.int64] = (first[source] + distance * 509) % 65_521
    return values


def similarity(a: Fingerprint, b: Fingerprint) -> float:
    """Estimated Jaccard similarity of what two strategies hold, 0..1; 0 if either holds nothing.

    InvalidInput if they were taken on different grids.
    """
    if a.grid != b.grid:
        raise InvalidInput(f"fingerprints of different grids do not compare: {a.grid} and {b.grid}")
    if not a.held or not b.held:
        return 0.0
    return float((a.bins == b.bins).mean())


@dataclass(slots=True)
class FingerprintIndex:
    """Finds near ones among many, in memory. Equal fingerprints share one row."""

    _ids: list[list[Hashable]] = field(default_factory=list)
    _row_of: dict[tuple[str, bytes], int] = field(default_factory=dict)
    _banded: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _bins: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((1024, BINS), dtype="<u2"))

    def __len__(self) -> int:
        return sum(len(ids) for ids in self._ids)

    def add(self, key: Hashable, mark: Fingerprint) -> None:
        """Remember ``mark`` under ``key``; nothing is remembered of a strategy that holds nothing."""
        if not mark.held:
            return
        row = self._row_of.setdefault((mark.grid, mark.data), len(self._ids))
        if row == len(self._ids):
            self._append(row, mark)
        self._ids[row].append(key)

    def _append(self, row: int, mark: Fingerprint) -> None:
        if row == len(self._bins):
            self._bins = np.concatenate([self._bins, np.zeros_like(self._bins)])
        self._bins[row] = mark.bins
        self._ids.append([])
        for band in mark.bands():
            self._banded[band].append(row)

    def near(
        self, mark: Fingerprint, threshold: float = NEAR, limit: int = 20
    ) -> list[tuple[Hashable, float]]:
        """Up to ``limit`` (id, estimated similarity) at or above ``threshold``, best first.

        Ties are in the order in which they were added. In a cluster of more than 5000 distinct
        fingerprints only that many are compared.
        """
        rows = self._candidates(mark)
        if not len(rows):
            return []
        close = (self._bins[rows] == mark.bins).mean(axis=1)
        best = np.argsort(-close, kind="stable")[:limit]
        found = [
            (key, float(close[i]))
            for i in best
            if close[i] >= threshold
            for key in self._ids[rows[i]][:limit]
        ]
        return found[:limit]

    def _candidates(self, mark: Fingerprint) -> NDArray[np.int64]:
        rows: set[int] = set()
        own = self._row_of.get((mark.grid, mark.data))
        if own is not None:
            rows.add(own)
        for band in mark.bands():
            rows.update(self._banded.get(band, ())[: _MOST - len(rows)])
        return np.array(sorted(rows), dtype=np.int64)
