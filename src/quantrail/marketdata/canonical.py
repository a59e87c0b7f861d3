"""Canonical rows: the columns, the order and the times that a ``data_version`` is worked out from."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

VALUE_COLUMNS = ("open", "high", "low", "close", "volume", "dividend", "split")
_DAY_MICROSECONDS = 86_400_000_000


def timestamps(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Column ``ts`` as microseconds since 1970 UTC, for dates and for times."""
    column = frame["ts"]
    if column.dtype == pl.Date:
        return column.to_physical().to_numpy() * np.int64(_DAY_MICROSECONDS)
    naive = column.dt.replace_time_zone(None) if column.dtype == pl.Datetime("us", "UTC") else column
    return naive.cast(pl.Datetime("us")).to_physical().to_numpy()


def days_of(microseconds: NDArray[np.int64]) -> list[date]:
    """The days of times as ``timestamps`` gives them."""
    found: list[date] = (microseconds // _DAY_MICROSECONDS).astype("datetime64[D]").tolist()
    return found


def starts_of_runs(symbols: pl.Series) -> NDArray[np.int64]:
    """Where each run of one symbol starts."""
    if symbols.is_empty():
        return np.zeros(0, dtype=np.int64)
    new = symbols.slice(1).ne_missing(symbols.head(len(symbols) - 1))
    return np.append(0, np.flatnonzero(new.to_numpy()) + 1)


def by_key(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` by symbol and ts, neither of them null; rows of one key stay in the order they came."""
    if frame.is_empty():
        return frame
    names = frame["symbol"].unique().sort()
    code = frame["symbol"].cast(pl.Enum(names)).to_physical().to_numpy()
    stamps = frame["ts"].to_physical().to_numpy()
    since = stamps - stamps.min()
    # Sixteen bits, which days take, are sorted by counting them; a sort of text compares row with row.
    by_time = np.argsort(since.astype(np.uint16) if since.max() < 2**16 else since, kind="stable")
    return frame[by_time[np.argsort(code[by_time], kind="stable")]]


def symbols_of(frame: pl.DataFrame) -> list[str]:
    """The symbols of rows sorted by symbol, each once, sorted."""
    found: list[str] = frame["symbol"].gather(starts_of_runs(frame["symbol"])).to_list()
    return found


def month_span(frame: pl.DataFrame) -> tuple[int, int]:
    """First and last of ``months``."""
    first, last = months(frame.select(pl.col("ts").min().append(pl.col("ts").max()))).tolist()
    return first, last


def months(frame: pl.DataFrame) -> NDArray[np.int32]:
    """Months since 1970-01 of column ``ts``, which has no null and at least one row."""
    if frame["ts"].dtype == pl.Date:
        days = frame["ts"].to_physical().to_numpy()
    else:
        days = timestamps(frame) // _DAY_MICROSECONDS
    first, last = int(days.min()), int(days.max())
    # A few thousand days are looked up; working each row's out costs ten times that.
    table = np.arange(first, last + 1).astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    found: NDArray[np.int32] = table[days - first]
    return found
