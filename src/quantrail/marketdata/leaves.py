"""The leaves of a version: one hash per symbol and month, in memory and in the files beside the bars."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.marketdata.canonical import VALUE_COLUMNS, days_of, months, starts_of_runs, timestamps

_ROW = np.dtype([("ts", "<i8"), *((name, "<f8") for name in VALUE_COLUMNS)])
_AT_ONCE = 128
# What a node hashes of a leaf, and what is kept of it besides: rows, first and last time.
_HASHED = np.dtype([("month", "<i4"), ("digest", "<u8", 4)])
_KEPT = np.dtype([("month", "<i4"), ("digest", "<u8", 4), ("rows", "<i8"), ("first", "<i8"), ("last", "<i8")])


@dataclass(frozen=True, slots=True)
class Leaves:
    """``symbols`` sorted; ``table``: their leaves, by symbol and month; ``edges`` (S + 1,) cut it by symbol.

    Months since 1970-01, times in microseconds since 1970 UTC.
    """

    symbols: list[str]
    edges: NDArray[np.int64]
    table: NDArray[np.void]

    def totals(self) -> Iterator[tuple[str, int, date, date]]:
        """Symbol, rows, first and last day."""
        first, last = self.spans()
        return zip(self.symbols, self.counts().tolist(), days_of(first), days_of(last), strict=True)

    def hashed(self) -> Iterator[tuple[str, memoryview]]:
        """Symbol and the bytes of its leaves that its node hashes."""
        packed = np.empty(self.table.size, dtype=_HASHED)
        for name in _HASHED.names or ():
            packed[name] = self.table[name]
        content = memoryview(packed.tobytes())
        cuts = pairwise((self.edges * _HASHED.itemsize).tolist())
        return ((symbol, content[a:b]) for symbol, (a, b) in zip(self.symbols, cuts, strict=True))

    def but(self, gone: Collection[int]) -> Leaves:
        """Without the leaves of these months."""
        return self.take(np.flatnonzero(~np.isin(self.table["month"], list(gone))))

    def take(self, places: NDArray[np.int64]) -> Leaves:
        """The leaves at these places of the table, ascending."""
        codes = np.searchsorted(self.edges, places, side="right") - 1
        # take moves whole records; indexing moves them field by field.
        return _by_code(self.symbols, codes, self.table.take(places))

    def spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Shape (S,) each: first and last time of each symbol."""
        return self.table["first"][self.edges[:-1]], self.table["last"][self.edges[1:] - 1]

    def counts(self) -> NDArray[np.int64]:
        """Shape (S,): rows of each symbol."""
        starts = self.edges[:-1]
        return np.add.reduceat(self.table["rows"], starts) if starts.size else starts

    def to_bytes(self) -> bytes:
        """A checksum and, as a line of JSON, symbols and their numbers of leaves; then the table."""
        head = json.dumps([self.symbols, np.diff(self.edges).tolist()]).encode()
        content = head + b"\n" + self.table.tobytes()
        return b"%08x " % zlib.crc32(content) + content


def from_bytes(content: bytes) -> Leaves | None:
    """What ``to_bytes`` made bytes of; None when these are not the bytes any more."""
    stated, _, content = content.partition(b" ")
    if stated != b"%08x" % zlib.crc32(content):
        return None
    head, _, rest = content.partition(b"\n")
    symbols, counts = json.loads(head)
    return Leaves(symbols, _edges(np.array(counts, dtype=np.int64)), np.frombuffer(rest, dtype=_KEPT))


def union(parts: Sequence[Leaves]) -> Leaves:
    """Leaves of several sets of rows; no symbol has the same month in two of them."""
    parts, later = _in_time(parts)
    symbols = sorted({symbol for part in parts for symbol in part.symbols})
    place = {symbol: code for code, symbol in enumerate(symbols)}
    # Sixteen bits are sorted by counting them.
    kind = np.uint16 if len(symbols) < 2**16 else np.int64
    code = np.concatenate(
        [np.repeat([place[s] for s in part.symbols], np.diff(part.edges)).astype(kind) for part in parts]
    )
    table = np.concatenate([part.table for part in parts])
    order = np.argsort(code, kind="stable") if later else np.lexsort((table["month"], code))
    # take moves whole records; indexing moves them field by field.
    return _by_code(symbols, code, table.take(order))


def _in_time(parts: Sequence[Leaves]) -> tuple[list[Leaves], bool]:
    """The parts that hold anything, by time, and whether each is later, all of it, than the one before."""
    spans = [(int(p.table["month"].min()), int(p.table["month"].max()), p) for p in parts if p.table.size]
    spans.sort(key=lambda span: span[:2])
    later = all(before[1] < after[0] for before, after in pairwise(spans))
    return [part for _, _, part in spans] or list(parts[:1]), later


def leaves(frame: pl.DataFrame, values: Mapping[str, NDArray[np.float64]] | None = None) -> Leaves:
    """One leaf per (symbol, month) of ``frame``, which is sorted by symbol and ts.

    ``values``: the value columns, where those of the frame leave something unstated.
    """
    if frame.is_empty():
        return Leaves([], np.zeros(1, dtype=np.int64), np.empty(0, dtype=_KEPT))
    stamps, month = timestamps(frame), months(frame)
    runs = starts_of_runs(frame["symbol"])
    new = np.append(True, month[1:] != month[:-1])
    new[runs] = True
    starts = np.flatnonzero(new)
    counts = np.diff(starts, append=frame.height)
    table = np.empty(starts.size, dtype=_KEPT)
    table["month"], table["rows"] = month[starts], counts
    table["first"], table["last"] = stamps[starts], stamps[starts + counts - 1]
    hashed = {"ts": stamps} | {n: frame[n].to_numpy() if values is None else values[n] for n in VALUE_COLUMNS}
    table["digest"] = _digests(hashed, [*starts.tolist(), frame.height])
    edges = np.append(np.searchsorted(starts, runs), starts.size)
    return Leaves(frame["symbol"].gather(runs).to_list(), edges, table)


def _by_code(symbols: list[str], codes: NDArray[np.int64], table: NDArray[np.void]) -> Leaves:
    counts = np.bincount(codes, minlength=len(symbols))
    there = np.flatnonzero(counts)
    return Leaves([symbols[i] for i in there], _edges(counts[there]), table)


def _edges(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return found


def _digests(columns: Mapping[str, NDArray[Any]], edges: list[int]) -> NDArray[np.uint64]:
    """Shape (N, 4): the hash of the rows between each two of N + 1 ``edges``."""
    # Rows are laid out for a few leaves at a time, in one place, so that they are hashed out of the
    # processor's cache. A column that says one thing of all rows has no steps, and is laid out once.
    groups = [edges[i : i + _AT_ONCE + 1] for i in range(0, len(edges) - 1, _AT_ONCE)]
    rows = np.empty(max(group[-1] - group[0] for group in groups), dtype=_ROW)
    steady = {name for name, values in columns.items() if values.strides == (0,)}
    for name in steady:
        rows[name] = columns[name][0] + 0.0
    moving = {name: values for name, values in columns.items() if name not in steady}
    found = b"".join(_hashes(moving, group, rows) for group in groups)
    return np.frombuffer(found, dtype="<u8").reshape(-1, 4)


def _hashes(columns: Mapping[str, NDArray[Any]], edges: list[int], rows: NDArray[np.void]) -> bytes:
    rows = rows[: edges[-1] - edges[0]]
    here = slice(edges[0], edges[-1])
    for name, values in columns.items():
        # + 0 turns -0.0 into 0.0: equal numbers, equal bits.
        np.add(values[here], 0, out=rows[name])
    view = memoryview(rows.view(np.uint8).data)
    cuts = pairwise([(edge - edges[0]) * _ROW.itemsize for edge in edges])
    # BLAKE2b: twice as fast as SHA-256 where the processor has no instruction for the latter.
    blake2b = hashlib.blake2b
    return b"".join([blake2b(view[a:b], digest_size=32).digest() for a, b in cuts])
