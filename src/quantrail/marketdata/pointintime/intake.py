"""From frames and CSV files to typed rows that say when they could be known."""

from __future__ import annotations

import re
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from quantrail.domain.enums import Severity
from quantrail.errors import DataInvalid, NotFound
from quantrail.marketdata.intake.text import read_text
from quantrail.marketdata.pointintime.tables import COMPANIES, ECONOMIC, NEWS, UTC_TIME, Table
from quantrail.marketdata.records import Finding

if TYPE_CHECKING:
    import pandas as pd


def opened(data: Path | str | pl.DataFrame | pd.DataFrame) -> pl.DataFrame:
    """Any source as a frame. NotFound for a missing file, DataInvalid for an empty one."""
    if isinstance(data, pl.DataFrame):
        frame = data
    elif isinstance(data, str | Path):
        path = Path(data)
        if not path.exists():
            raise NotFound(f"no file {path}")
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else read_text(path).table.drop("line")
    else:
        frame = pl.from_pandas(data.reset_index() if data.index.name else data)
    if frame.is_empty():
        raise DataInvalid("the source holds no rows")
    return frame


def named(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Columns under our names; unknown ones as they are."""
    plain = {name: re.sub(r"[^a-z]", "", name.lower()) for name in frame.columns}
    ours = {column.replace("_", ""): column for column in table.schema} | table.aliases
    return frame.rename(
        {name: ours[p] for name, p in plain.items() if p in ours and ours[p] not in frame.columns}
    )


def economic(frame: pl.DataFrame, source: str, lag_days: int | None) -> tuple[pl.DataFrame, list[Finding]]:
    """Rows of series, long (indicator_type, date, value) or wide (date and one column per series).

    A series without release times needs ``lag_days``: DataInvalid without it.
    """
    rows = named(frame, ECONOMIC)
    if "date" not in rows.columns:
        raise DataInvalid(f"no date column among {', '.join(frame.columns)}")
    if "value" not in rows.columns:
        kept = [n for n in ("date", "available_at", "unit") if n in rows.columns]
        rows = rows.unpivot(index=kept, variable_name="indicator_type", value_name="value")
    rows = rows.with_columns(_date("date", rows), _number("value", rows), source=pl.lit(source))
    if "available_at" in rows.columns:
        rows = rows.with_columns(_time("available_at", rows), lag_days=pl.lit(None, pl.Int32))
    elif lag_days is None:
        raise DataInvalid(
            "the series says nothing of when its values were released; declare a lag in days (lag_days=45)"
        )
    else:
        known = (
            (pl.col("date") + pl.duration(days=lag_days + 1))
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
        )
        rows = rows.with_columns(available_at=known, lag_days=pl.lit(lag_days, pl.Int32))
    return _complete(rows, ECONOMIC, ("indicator_type", "date", "value", "available_at"))


def companies(frame: pl.DataFrame, source: str, now: datetime) -> tuple[pl.DataFrame, list[Finding]]:
    """Company records; without ``available_at`` they count as known from now on, and not before."""
    rows = named(frame, COMPANIES).with_columns(source=pl.lit(source))
    if "available_at" in rows.columns:
        rows = rows.with_columns(_time("available_at", rows))
    else:
        rows = rows.with_columns(available_at=pl.lit(now).cast(UTC_TIME))
    return _complete(rows, COMPANIES, ("symbol", "available_at"))


def news(frame: pl.DataFrame, source: str) -> tuple[pl.DataFrame, list[Finding]]:
    """News; a date without a time counts as published at the end of that day."""
    rows = named(frame, NEWS).with_columns(source=pl.lit(source))
    if "published_at" not in rows.columns:
        raise DataInvalid(f"no date of publication among {', '.join(frame.columns)}")
    rows = rows.with_columns(_time("published_at", rows))
    if "available_at" in rows.columns:
        rows = rows.with_columns(_time("available_at", rows))
    else:
        rows = rows.with_columns(available_at=pl.col("published_at"))
    if "sentiment_score" in rows.columns:
        rows = rows.with_columns(_number("sentiment_score", rows))
    if rows.schema.get("topics") == pl.String:
        rows = rows.with_columns(pl.col("topics").str.split("|"))
    done, notes = _complete(rows, NEWS, ("published_at", "available_at"))
    beyond = done.filter(pl.col("sentiment_score").abs() > 1).height
    if beyond:
        raise DataInvalid(f"{beyond} sentiment scores lie outside -1 to 1")
    early = done.filter(pl.col("available_at") < pl.col("published_at")).height
    if early:
        raise DataInvalid(f"{early} rows were available before they were published")
    return done, notes


def _complete(
    rows: pl.DataFrame, table: Table, needed: tuple[str, ...]
) -> tuple[pl.DataFrame, list[Finding]]:
    absent = [name for name in needed if name not in rows.columns]
    if absent:
        raise DataInvalid(f"no column for {', '.join(absent)} among {', '.join(rows.columns)}")
    missing = [pl.lit(None, dtype).alias(n) for n, dtype in table.schema.items() if n not in rows.columns]
    typed = rows.with_columns(missing).select(pl.col(n).cast(t) for n, t in table.schema.items())
    bad = pl.any_horizontal(pl.col(needed).is_null())
    refused = typed.with_row_index("line", offset=1).filter(bad)
    notes = [
        Finding(
            "incomplete_record",
            Severity.ERROR,
            f"row {row['line']} lacks {', '.join(n for n in needed if row[n] is None)}",
            line=row["line"],
            quarantined=True,
        )
        for row in refused.iter_rows(named=True)
    ]
    good = typed.filter(~bad)
    if good.is_empty():
        raise DataInvalid(f"none of the {rows.height} rows can be used: {notes[0].detail}")
    return good.unique(list(table.key), keep="last", maintain_order=True), notes


def _number(name: str, rows: pl.DataFrame) -> pl.Expr:
    number = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias(name)


def _date(name: str, rows: pl.DataFrame) -> pl.Expr:
    if rows.schema[name] == pl.String:
        return pl.col(name).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return pl.col(name).cast(pl.Date)


def _all_midnight(times: pl.Series) -> bool:
    return bool((times.drop_nulls().dt.time() == time(0)).all())


def _time(name: str, rows: pl.DataFrame) -> pl.Expr:
    """UTC times. A bare date becomes the end of that day: nobody knew it before.

    Times without a zone that all stand at midnight are dates, as pandas spells them.
    """
    kind = rows.schema[name]
    if kind == pl.Date or (kind == pl.Datetime and not kind.time_zone and _all_midnight(rows[name])):  # type: ignore[attr-defined]
        return (
            (pl.col(name).cast(pl.Date) + pl.duration(days=1))
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
            .alias(name)
        )
    if isinstance(kind, pl.Datetime):
        column = pl.col(name).cast(pl.Datetime("us", kind.time_zone))
        return (
            column.dt.convert_time_zone("UTC") if kind.time_zone else column.dt.replace_time_zone("UTC")
        ).alias(name)
    day = pl.col(name).str.to_date("%Y-%m-%d", strict=False) + pl.duration(days=1)
    ends = day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    iso = pl.col(name).str.replace(r"Z$", "+00:00").str.replace(" ", "T")
    zoned = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC")
    plain = [
        pl.col(name).str.to_datetime(f, strict=False, time_unit="us").dt.replace_time_zone("UTC")
        for f in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M")
    ]
    return (
        pl.when(pl.col(name).str.len_chars() == 10)
        .then(ends)
        .otherwise(pl.coalesce(zoned, *plain))
        .alias(name)
    )
