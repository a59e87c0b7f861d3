"""Merging new rows into the files of a snapshot: only what differs is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.marketdata import segments
from quantrail.marketdata.canonical import VALUE_COLUMNS, by_key, month_span, months, timestamps
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
    """One part after the merge. ``leaves`` None: those that lie beside the file."""

    entry: FileEntry
    leaves: Leaves | None = None

    def all_leaves(self, root: Path) -> Leaves:
        return segments.leaves_of(root, self.entry) if self.leaves is None else self.leaves


@dataclass(frozen=True, slots=True)
class Merged:
    """The parts that rows were merged into, and what that changed: symbol, added, changed, first, last (µs).

    A symbol may come several times among ``changes``, and not at all where nothing differed.
    """

    parts: dict[str, PartMerge]
    changes: list[pl.DataFrame]


def merge_rows(
    root: Path, frame: pl.DataFrame, held: Mapping[str, FileEntry], interval: str, import_no: int
) -> Merged:
    """Merge ``frame`` (unique keys, sorted; null actions = not stated) into the parts its rows belong to."""
    if frame.is_empty():
        return Merged({}, [])
    first, last = month_span(frame)
    parts = parts_of(first, last, interval, held)
    if not held.keys() & set(parts.values()):
        return _write_fresh(root, frame, interval, parts, import_no)
    new = np.array([parts[m] not in held for m in sorted(parts)])[months(frame) - first]
    merged = _write_fresh(root, frame.filter(new), interval, parts, import_no)
    old = frame.filter(~new).with_columns(import_no=pl.lit(import_no, dtype=pl.Int32))
    for part, rows in cut(old, parts):
        merged.parts[part], changes = _merge_part(root, rows, held[part], interval, part)
        merged.changes.append(changes)
    return merged


def _write_fresh(
    root: Path, frame: pl.DataFrame, interval: str, parts: Mapping[int, str], import_no: int
) -> Merged:
    """Rows of parts that hold nothing yet: most of a first import."""
    if frame.is_empty():
        return Merged({}, [])
    # Hashed and packed before they are cut, and cut as the narrow columns they are packed in.
    values = {name: _stated(frame[name]) for name in VALUE_COLUMNS}
    found = leaves(frame, values)
    ts, columns = times_of(frame), packed_columns(values)
    counts = found.table["rows"]
    starts = np.cumsum(counts) - counts
    merges = {}
    for part, mine in _turned(parts, found.table["month"]).items():
        some, places = found.take(mine), _places(starts[mine], counts[mine])
        others = packed_part({name: column[places] for name, column in columns.items()})
        others["import_no"] = np.full(places.size, import_no, dtype=np.int32)
        rows = Columns(some.symbols, some.counts(), ts[places], others)
        merges[part] = PartMerge(segments.write(root, rows, interval, part, some), some)
    return Merged(merges, [_all_new(found)])


def _merge_part(
    root: Path, incoming: pl.DataFrame, entry: FileEntry, interval: str, part: str
) -> tuple[PartMerge, pl.DataFrame]:
    existing = segments.read(root, entry)
    fresh = _differing(incoming, existing)
    if fresh.is_empty():
        return PartMerge(entry), pl.DataFrame(schema=_CHANGES)
    kept = existing.join(fresh.select(KEY), on=KEY, how="anti")
    merged = by_key(pl.concat([kept, fresh.select(COLUMNS)]))
    found = _leaves_after(merged, np.unique(months(fresh)), segments.leaves_of(root, entry))
    written = segments.write(root, columns_of(merged), interval, part, found)
    stamped = fresh.select("symbol", "is_new", first=timestamps(fresh)).with_columns(last="first")
    is_new = pl.col("is_new")
    return PartMerge(written, found), _per_symbol(stamped, added=is_new.sum(), changed=(~is_new).sum())


def join_parts(root: Path, parts: Sequence[PartMerge], interval: str, part: str) -> PartMerge:
    """Several parts of no common row as one, written anew."""
    frame = by_key(pl.concat(segments.read(root, one.entry) for one in parts))
    found = union([one.all_leaves(root) for one in parts])
    return PartMerge(segments.write(root, columns_of(frame), interval, part, found), found)


def _leaves_after(merged: pl.DataFrame, touched: NDArray[np.int32], before: Leaves) -> Leaves:
    """Leaves of ``merged``: only those of the touched months are hashed."""
    rest = before.but(touched.tolist())
    if not rest.symbols:
        return leaves(merged)
    return union([rest, leaves(merged.filter(np.isin(months(merged), touched)))])


def _stated(column: pl.Series) -> NDArray[np.float64]:
    """The column with what it does not state; without steps where it states nothing at all."""
    if not column.null_count():
        return column.to_numpy()
    unsaid = _NO_ACTION[column.name]
    if column.null_count() == len(column):
        return np.broadcast_to(np.float64(unsaid), len(column))
    return column.fill_null(unsaid).to_numpy()


def _turned(parts: Mapping[int, str], month: NDArray[np.int32]) -> dict[str, NDArray[np.int64]]:
    """Where in ``month`` those of each part stand, ascending; parts in time order."""
    names = list(dict.fromkeys(parts[m] for m in sorted(parts)))
    code = np.array([names.index(parts[m]) for m in sorted(parts)])[month - min(parts)]
    found = {name: np.flatnonzero(code == i) for i, name in enumerate(names)}
    return {name: places for name, places in found.items() if places.size}


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


def summarise(changes: Sequence[pl.DataFrame], interval: str) -> tuple[SymbolChange, ...]:
    """Per symbol, sorted: rows added, rows changed, and the span they cover."""
    if not changes:
        return ()
    total = pl.concat(changes).group_by("symbol")
    table = total.agg(
        pl.col("added").sum(), pl.col("changed").sum(), pl.col("first").min(), pl.col("last").max()
    ).sort("symbol")
    moment = pl.col("first", "last").cast(pl.Datetime("us"))
    typed = moment.cast(pl.Date) if interval == DAILY else moment.dt.replace_time_zone("UTC")
    return tuple(SymbolChange(*row) for row in table.with_columns(typed).iter_rows())
