"""What changed between two snapshots."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from quantrail.marketdata import segments
from quantrail.marketdata.canonical import VALUE_COLUMNS
from quantrail.marketdata.manifest import FileEntry, Manifest
from quantrail.marketdata.segments import KEY

_SCHEMA = {
    "interval": pl.String,
    "symbol": pl.String,
    "ts": pl.String,
    "change": pl.String,
    "columns": pl.String,
}


def diff(home: Path, old: Manifest, new: Manifest) -> pl.DataFrame:
    """One row per bar that differs, sorted: interval, symbol, ts (ISO text), change, columns.

    ``change`` is added, removed or changed; ``columns`` names the values that differ. Files that both
    snapshots share are not read.
    """
    shared = {entry.digest for entry in old.files} & {entry.digest for entry in new.files}
    before, after = (_by_year(held, shared) for held in (old, new))
    frames = [
        _rows(home, interval, before.get((interval, year), []), after.get((interval, year), []))
        for interval, year in sorted({*before, *after})
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames]).sort("interval", "symbol", "ts")


def _by_year(held: Manifest, shared: set[str]) -> dict[tuple[str, str], list[FileEntry]]:
    # A month may lie in a file of its own here and in its year's there; years match.
    out: dict[tuple[str, str], list[FileEntry]] = {}
    for entry in held.files:
        if entry.digest not in shared:
            out.setdefault((entry.interval, entry.part[:4]), []).append(entry)
    return out


def _rows(home: Path, interval: str, old: list[FileEntry], new: list[FileEntry]) -> pl.DataFrame:
    empty = segments.read(home, (old or new)[0]).clear()
    before, after = (pl.concat([empty, *(segments.read(home, e) for e in side)]) for side in (old, new))
    joined = before.join(after, on=KEY, how="full", suffix="_new", coalesce=True)
    differing = pl.concat_str(
        [pl.when(pl.col(c) != pl.col(f"{c}_new")).then(pl.lit(c)) for c in VALUE_COLUMNS],
        separator=",",
        ignore_nulls=True,
    )
    change = (
        pl.when(pl.col("import_no").is_null())
        .then(pl.lit("added"))
        .when(pl.col("import_no_new").is_null())
        .then(pl.lit("removed"))
        .when(differing != "")
        .then(pl.lit("changed"))
    )
    out = joined.select(
        pl.lit(interval).alias("interval"),
        "symbol",
        pl.col("ts").dt.to_string("iso:strict").alias("ts"),
        change.alias("change"),
        pl.when(change == "changed").then(differing).otherwise(pl.lit("")).alias("columns"),
    )
    return out.filter(pl.col("change").is_not_null())
