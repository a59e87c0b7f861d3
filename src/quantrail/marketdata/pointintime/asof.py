"""Joins that see no more than could be known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

_SCALE = 1e9


def latest(rows: pl.DataFrame, moments: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Value of the latest ``date`` among rows available at each moment; NaN before the first.

    Shape (T,). Of several revisions of one date the last to become available counts.
    """
    ordered = rows.sort("available_at", "date")
    known = _microseconds(ordered)
    dates = ordered["date"].cast(pl.Int32).to_numpy()
    values = ordered["value"].to_numpy()
    # A late revision of an old period does not replace a newer period's value.
    best = np.empty(values.size)
    newest = np.iinfo(np.int32).min
    for i, (day, value) in enumerate(zip(dates, values, strict=True)):
        if day >= newest:
            newest = day
            best[i] = value
        else:
            best[i] = best[i - 1]
    at = np.searchsorted(known, moments.astype("datetime64[us]").astype(np.int64), side="right")
    out: NDArray[np.float64] = np.where(at > 0, best[np.maximum(at - 1, 0)], np.nan)
    return out


def windowed_mean(
    rows: pl.DataFrame, moments: NDArray[np.datetime64], window: timedelta
) -> NDArray[np.float64]:
    """Mean ``sentiment_score`` of rows available within ``window`` up to each moment; NaN for none.

    Shape (T,). A row available at the moment itself counts, one exactly ``window`` older does not.
    Scores count to nine decimals, so that a mean depends on nothing outside its window.
    """
    ordered = rows.sort("available_at", "published_at", "title", "url")
    known = _microseconds(ordered)
    # Whole numbers: differences of running sums are exact.
    scores = np.rint(ordered["sentiment_score"].to_numpy() * _SCALE).astype(np.int64)
    total = np.concatenate(([0], np.cumsum(scores)))
    ends = moments.astype("datetime64[us]").astype(np.int64)
    last = np.searchsorted(known, ends, side="right")
    first = np.searchsorted(known, ends - int(window.total_seconds() * 1e6), side="right")
    count = last - first
    out: NDArray[np.float64] = np.full(ends.size, np.nan)
    np.divide(total[last] - total[first], count * _SCALE, out=out, where=count > 0)
    return out


def _microseconds(rows: pl.DataFrame) -> NDArray[np.int64]:
    return rows["available_at"].dt.epoch("us").to_numpy()
