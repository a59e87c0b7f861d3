"""Merging new rows into the files of a snapshot: only what differs is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.marketdata import segments
from quantrail.marketdata.canonical import VALUE_COLUMNS, months, timestamps
from quantrail.marketdata.encoding import Columns, columns_of, times_of
from quantrail.marketdata.layout import cut, parts_of
from quantrail.marketdata.leaves import Leaves, leaves, union
from quantrail.marketdata.manifest import FileEntry
from quantrail.marketdata.packing import packed_columns, packed_part
from quantrail.marketdata.records import DAILY, SymbolChange
from quantrail.marketdata.segments import COLUMNS, KEY

_CHANGES = {
    "symbol": pl.String,
    "added": pl.Int64,
    "changed": pl.Int64,
    "first": pl.Int64,
    "last": pl.Int64,
}
# What a row says of actions when nobody has said anything.
_NO_ACTION = {"dividend": 0.0, "split": 1.0}


@dataclass(frozen=True, slots=True)
class PartMerge:
    """One part after the merge. ``changes``: symbol, added, changed, first, last (µs), or None.

    ``leaves`` None: those that lie beside the file.
    """

    entry: FileEntry
    leaves: Leaves | None = None
    changes: pl.DataFrame | None = None

    def all_leaves(self, root: Path) -> Leaves:
        return segments.leaves_of(root, self.entry) if self.leaves is None else self.leaves


def merge_rows(
    root: Path, frame: pl.DataFrame, held: Mapping[str, FileEntry], interval: str, import_no: int
) -> dict[str, PartMerge]:
    """Merge ``frame`` (unique keys, sorted; null actions = not stated) into the parts its rows belong to."""
    if frame.is_empty():
        return {}
    month = months(frame)
    first = int(month.min())
    parts = parts_of(first, int(month.max()), interval, held)
    new = np.array([parts[m] not in held for m in sorted(parts)])[month - first]
    merges = write_fresh(root, _rows(frame, new), interval, parts, import_no) if new.any() else {}
    if not new.all():
        old = _rows(frame, ~new).with_columns(import_no=pl.lit(import_no, dtype=pl.Int32))
        merges |= {p: _merge_part(root, rows, held[p], interval, p) for p, rows in cut(old, parts)}
    return merges


def write_fresh(
    root: Path, frame: pl.DataFrame, interval: str, parts: Mapping[int, str], import_no: int
) -> dict[str, PartMerge]:
    """Rows of parts that hold nothing yet: most of a first import."""
    # Hashed and packed before they are cut, and cut as the narrow columns they are packed in.
    values = {name: _stated(frame[name]) for name in VALUE_COLUMNS}
    found = leaves(frame, values)
    ts, columns = times_of(frame), packed_columns(values)
    counts = found.table["rows"]
    starts = np.cumsum(counts) - counts
    merges = {}
    for part, months_of in _turned(parts).items():
        mine = np.flatnonzero(np.isin(found.table["month"], months_of))
        if mine.size:
            some = found.take(mine)
            rows = _places(starts[mine], counts[mine])
            others = packed_part({name: column[rows] for name, column in columns.items()})
            others["import_no"] = np.full(rows.size, import_no, dtype=np.int32)
            cut_out = Columns(some.symbols, some.counts(), ts[rows], others)
            merges[part] = PartMerge(
                segments.write(root, cut_out, interval, part, some), some, _all_new(some)
            )
    return merges


def _merge_part(root: Path, incoming: pl.DataFrame, entry: FileEntry, interval: str, part: str) -> PartMerge:
    existing = segments.read(root, entry)
    fresh = _differing(incoming, existing)
    if fresh.is_empty():
        return PartMerge(entry)
    kept = existing.join(fresh.select(KEY), on=KEY, how="anti")
    merged = pl.concat([kept, fresh.select(COLUMNS)]).sort(KEY)
    found = _leaves_after(merged, np.unique(months(fresh)), segments.leaves_of(root, entry))
    written = segments.write(root, columns_of(merged), interval, part, found)
    stamped = fresh.select("symbol", "is_new", first=timestamps(fresh)).with_columns(last="first")
    is_new = pl.col("is_new")
    return PartMerge(written, found, _per_symbol(stamped, added=is_new.sum(), changed=(~is_new).sum()))


def join_parts(root: Path, parts: Sequence[PartMerge], interval: str, part: str) -> PartMerge:
    """Several parts of no common row as one, written anew."""
    frame = pl.concat(segments.read(root, one.entry) for one in parts).sort(KEY)
    found = union([one.all_leaves(root) for one in parts])
    changes = [one.changes for one in parts if one.changes is not None]
    written = segments.write(root, columns_of(frame), interval, part, found)
    return PartMerge(written, found, pl.concat(changes) if changes else None)


def _leaves_after(merged: pl.DataFrame, touched: NDArray[np.int32], before: Leaves) -> Leaves:
    """Leaves of ``merged``: only those of the touched months are hashed."""
    again = leaves(merged.filter(np.isin(months(merged), touched)))
    return union([before.but(touched.tolist()), again])


def _rows(frame: pl.DataFrame, wanted: NDArray[np.bool_]) -> pl.DataFrame:
    # Whole frames are common, and a filter copies.
    return frame if wanted.all() else frame.filter(wanted)


def _stated(column: pl.Series) -> NDArray[np.float64]:
    """The column with what it does not state; without steps where it states nothing at all."""
    if not column.null_count():
        return column.to_numpy()
    unsaid = _NO_ACTION[column.name]
    if column.null_count() == len(column):
        return np.broadcast_to(np.float64(unsaid), len(column))
    return column.fill_null(unsaid).to_numpy()


def _turned(parts: Mapping[int, str]) -> dict[str, list[int]]:
    out: dict[str, list[int]] = {}
    for month, part in parts.items():
        out.setdefault(part, []).append(month)
    return out


def _places(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every row of the runs that begin at ``starts``."""
    before = np.cumsum(counts) - counts
    found: NDArray[np.int64] = np.repeat(starts - before, counts)
    found += np.arange(found.size)
    return found


def _all_new(found: Leaves) -> pl.DataFrame:
    first, last = found.spans()
    table = {"symbol": found.symbols, "added": found.counts(), "changed": 0, "first": first, "last": last}
    return pl.DataFrame(table, schema=_CHANGES)


def _per_symbol(table: pl.DataFrame, *, added: pl.Expr, changed: pl.Expr) -> pl.DataFrame:
    return table.group_by("symbol").agg(
        added=added.cast(pl.Int64),
        changed=changed.cast(pl.Int64),
        first=pl.col("first").min(),
        last=pl.col("last").max(),
    )


def _differing(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    joined = incoming.join(existing, on=KEY, how="left", suffix="_old", maintain_order="left")
    is_new = pl.col("import_no_old").is_null()
    stated = [
        pl.coalesce(name, f"{name}_old", pl.lit(default)).alias(name) for name, default in _NO_ACTION.items()
    ]
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_old") for name in VALUE_COLUMNS)
    return joined.with_columns(*stated, is_new=is_new).filter(pl.col("is_new") | differs)


def summarise(changes: Iterable[pl.DataFrame], interval: str) -> tuple[SymbolChange, ...]:
    """Per symbol, sorted: rows added, rows changed, and the span they cover."""
    frames = list(changes)
    if not frames:
        return ()
    total = pl.concat(frames).group_by("symbol")
    table = total.agg(
        pl.col("added").sum(), pl.col("changed").sum(), pl.col("first").min(), pl.col("last").max()
    ).sort("symbol")
    moment = pl.col("first", "last").cast(pl.Datetime("us"))
    typed = moment.cast(pl.Date) if interval == DAILY else moment.dt.replace_time_zone("UTC")
    return tuple(SymbolChange(**row) for row in table.with_columns(typed).iter_rows(named=True))
