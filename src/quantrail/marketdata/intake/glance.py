"""A first look at typed rows: whether every one of them passes, in order, so that none need be picked out.

It asks what ``strict`` asks, of a few thousand rows at a time. Most imports end here; where it says no, the
rows are judged one by one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Vendors' adjusted prices carry float32 noise; beyond it, high below close is an error.
ORDER_TOLERANCE = 1e-6
_NEEDED = ("symbol", "ts", "open", "high", "low", "close", "volume")
# So many rows at a time stay in the processor's cache from one question to the next.
_AT_ONCE = 16_384


def all_pass(typed: pl.DataFrame, runs: NDArray[np.int64], now: datetime, intraday: bool) -> bool:
    """Whether no row is to be refused for what it says itself.

    ``typed``: symbol, ts (dates, or UTC times with ``intraday``), doubles; a null dividend or split is fine.
    ``runs``: where runs of one symbol start.
    """
    if any(typed[name].null_count() for name in _NEEDED) or (typed["symbol"].gather(runs) == "").any():
        return False
    horizon = now + timedelta(days=1)
    if not typed.select((pl.col("ts") <= (horizon if intraday else horizon.date())).all()).item():
        return False
    said = typed["split"].null_count() + typed["dividend"].null_count() < 2 * typed.height
    if said and typed.select(absurd_action().any()).item():
        return False
    bars = [typed[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return all(
        _plausible(*(values[start : start + _AT_ONCE] for values in bars))
        for start in range(0, typed.height, _AT_ONCE)
    )


def absurd_action() -> pl.Expr:
    """Whether a split or a dividend is stated that cannot be one; null where nothing is stated."""
    # One by one: a null beside it must not hide what the other says.
    split = (pl.col("split") <= 0) | ~pl.col("split").is_finite()
    return split | (pl.col("dividend") < 0) | ~pl.col("dividend").is_finite()


def in_order(rows: pl.DataFrame, runs: NDArray[np.int64]) -> bool:
    """Whether symbols ascend, and dates within each: sorted, and no key twice."""
    if rows.is_empty():
        return True
    names, stamps = rows["symbol"].gather(runs), rows["ts"].to_physical().to_numpy()
    later = stamps[1:] > stamps[:-1]
    later[runs[1:] - 1] = True
    return bool(later.all()) and bool((names.slice(1) > names.head(len(names) - 1)).all())


def _plausible(
    opens: NDArray[np.float64],
    highs: NDArray[np.float64],
    lows: NDArray[np.float64],
    closes: NDArray[np.float64],
    volumes: NDArray[np.float64],
) -> bool:
    # A comparison with NaN is false, and so is whatever is asked of it here. Where the high is finite and
    # the low positive, in order, open and close are both.
    top = np.maximum(np.maximum(opens, closes), lows)
    bottom = np.minimum(np.minimum(opens, closes), highs)
    return (
        bool((highs >= top * (1 - ORDER_TOLERANCE)).all())
        and bool((lows <= bottom * (1 + ORDER_TOLERANCE)).all())
        and bool(highs.max() < np.inf and lows.min() > 0)
        and bool(volumes.max() < np.inf and volumes.min() >= 0)
    )
