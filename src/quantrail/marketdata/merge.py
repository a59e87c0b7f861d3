"""Merging new rows into the files of a snapshot: only what differs is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from quantrail.marketdata import segments
from quantrail.marketdata.canonical import VALUE_COLUMNS, Leaf
from quantrail.marketdata.manifest import FileEntry
from quantrail.marketdata.records import SymbolChange
from quantrail.marketdata.segments import COLUMNS, KEY

# What a row says of actions when nobody has said anything.
_NO_ACTION = {"dividend": 0.0, "split": 1.0}


@dataclass(frozen=True, slots=True)
class PartMerge:
    """One part after the merge; ``touched`` holds the rows that are new or differ, with ``is_new``."""

    entry: FileEntry
    leaves: list[Leaf]
    touched: pl.DataFrame | None


def merge_part(
    root: Path, incoming: pl.DataFrame, entry: FileEntry | None, interval: str, part: str
) -> PartMerge:
    """Merge ``incoming`` (unique keys, sorted; null actions = not stated) into ``entry``."""
    if entry is None:
        frame = incoming.with_columns(_fill(name) for name in _NO_ACTION)
        written, found = segments.write(root, frame, interval, part)
        return PartMerge(written, found, frame.select(KEY).with_columns(is_new=pl.lit(True)))
    existing = segments.read(root, entry)
    fresh = _differing(incoming, existing)
    if fresh.is_empty():
        return PartMerge(entry, segments.leaves_of(root, entry), None)
    kept = existing.join(fresh.select(KEY), on=KEY, how="anti")
    merged = pl.concat([kept, fresh.select(COLUMNS)]).sort(KEY)
    written, found = segments.write(root, merged, interval, part)
    return PartMerge(written, found, fresh.select(*KEY, "is_new"))


def _fill(name: str) -> pl.Expr:
    return pl.col(name).fill_null(_NO_ACTION[name])


def _differing(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    joined = incoming.join(existing, on=KEY, how="left", suffix="_old", maintain_order="left")
    is_new = pl.col("import_no_old").is_null()
    stated = [
        pl.coalesce(name, f"{name}_old", pl.lit(default)).alias(name) for name, default in _NO_ACTION.items()
    ]
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_old") for name in VALUE_COLUMNS)
    return joined.with_columns(*stated, is_new=is_new).filter(pl.col("is_new") | differs)


def summarise(touched: Iterable[pl.DataFrame]) -> tuple[SymbolChange, ...]:
    """Per symbol, sorted: rows added, rows changed, and the span they cover."""
    frames = list(touched)
    if not frames:
        return ()
    table = (
        pl.concat(frames)
        .group_by("symbol")
        .agg(
            added=pl.col("is_new").sum(),
            changed=(~pl.col("is_new")).sum(),
            first=pl.col("ts").min(),
            last=pl.col("ts").max(),
        )
        .sort("symbol")
    )
    return tuple(SymbolChange(**row) for row in table.iter_rows(named=True))
