"""What changed between two snapshots."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Pair:
    old: FileEntry | None
    new: FileEntry | None


def diff(home: Path, old: Manifest, new: Manifest) -> pl.DataFrame:
    """One row per bar that differs, sorted: interval, symbol, ts (ISO text), change, columns.

    ``change`` is added, removed or changed; ``columns`` names the values that differ. Files that both
    snapshots share are not read.
    """
    pairs: dict[tuple[str, str], _Pair] = {}
    for interval in sorted({f.interval for f in (*old.files, *new.files)}):
        before, after = old.parts(interval), new.parts(interval)
        for part in sorted({*before, *after}):
            pair = _Pair(before.get(part), after.get(part))
            if pair.old is None or pair.new is None or pair.old.digest != pair.new.digest:
                pairs[interval, part] = pair
    frames = [_rows(home, interval, pair) for (interval, _), pair in pairs.items()]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames]).sort("interval", "symbol", "ts")


def _rows(home: Path, interval: str, pair: _Pair) -> pl.DataFrame:
    old = segments.read(home, pair.old) if pair.old else None
    new = segments.read(home, pair.new) if pair.new else None
    filled = next(frame for frame in (old, new) if frame is not None)
    before, after = (frame if frame is not None else filled.clear() for frame in (old, new))
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
