"""Merkle hashes over canonical rows: what makes a ``data_version``.

A leaf is one (symbol, month): its rows as little-endian records of 64 bytes (microseconds since 1970
UTC, then the seven values). A node is one symbol: its basis and leaves. The version is the hash of the
sorted nodes. File layout, import order, machine and writer version take no part in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.domain.ids import DataVersion
from quantrail.marketdata.records import StoredBasis

VALUE_COLUMNS = ("open", "high", "low", "close", "volume", "dividend", "split")
_ROW = np.dtype([("ts", "<i8"), *((name, "<f8") for name in VALUE_COLUMNS)])
_FORMAT = b"quantrail-bars-1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """Hash of one symbol's rows in one month (months since 1970-01)."""

    symbol: str
    month: int
    rows: int
    digest: bytes


def timestamps(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Column ``ts`` as microseconds since 1970 UTC, for dates and for times."""
    column = frame["ts"]
    naive = column.dt.replace_time_zone(None) if column.dtype == pl.Datetime("us", "UTC") else column
    return naive.cast(pl.Datetime("us")).to_physical().to_numpy()


def leaves(frame: pl.DataFrame, interval: str) -> list[Leaf]:
    """One leaf per (symbol, month) of ``frame``, which is sorted by symbol and ts."""
    if frame.is_empty():
        return []
    rows = np.empty(frame.height, dtype=_ROW)
    rows["ts"] = timestamps(frame)
    for name in VALUE_COLUMNS:
        # + 0.0 turns -0.0 into 0.0: equal numbers, equal bits.
        rows[name] = frame[name].to_numpy() + 0.0
    months = rows["ts"].astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    codes = frame["symbol"].rle_id().to_numpy()
    starts = np.flatnonzero(np.r_[True, (np.diff(codes) != 0) | (np.diff(months) != 0)])
    names = frame["symbol"].gather(starts).to_list()
    ends = np.r_[starts[1:], frame.height]
    view = memoryview(rows.view(np.uint8).data)
    size = _ROW.itemsize
    return [
        _leaf(name, int(month), interval, view[start * size : end * size], int(end - start))
        for name, month, start, end in zip(
            names, months[starts].tolist(), starts.tolist(), ends.tolist(), strict=True
        )
    ]


def _leaf(symbol: str, month: int, interval: str, data: memoryview, rows: int) -> Leaf:
    digest = hashlib.sha256(b"%b\0%b\0%b\0%d\0" % (_FORMAT, interval.encode(), symbol.encode(), month))
    digest.update(data)
    return Leaf(symbol, month, rows, digest.digest())


def node(symbol: str, interval: str, basis: StoredBasis, parts: Iterable[Leaf]) -> str:
    """Hash of one symbol: ``parts`` are its leaves in ascending months."""
    digest = hashlib.sha256(b"\0".join((_FORMAT, interval.encode(), symbol.encode(), basis.encode(), b"")))
    for leaf in parts:
        digest.update(leaf.month.to_bytes(4, "little", signed=True) + leaf.digest)
    return digest.hexdigest()


def root(nodes: Iterable[tuple[str, str, str]]) -> DataVersion:
    """Version of any set of (interval, symbol, node hash), given in any order."""
    digest = hashlib.sha256(_FORMAT + b"\0root\0")
    for interval, symbol, value in sorted(nodes):
        digest.update(f"{interval}\0{symbol}\0{value}\0".encode())
    return DataVersion(digest.hexdigest())
