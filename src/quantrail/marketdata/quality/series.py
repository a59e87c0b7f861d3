"""One symbol's bars in time order, as the checks read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantrail.marketdata.canonical import timestamps

# Bars on each side of a bar that tell how much its symbol usually moves.
_REACH = 32
# The least a daily move counts as usual: a scale of zero would make every tick an outlier.
_FLOOR = 0.004
_NORMAL = 1.4826


@dataclass(frozen=True, slots=True)
class Series:
    """Shape (T,) each. ``when``: datetime64; prices are natural logarithms; volume in shares."""

    symbol: str
    when: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    dividend: NDArray[np.float64]
    split: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Close to close, aligned to the later bar; the first is 0."""
        return np.diff(self.close, prepend=self.close[0])

    def at(self, index: int) -> Any:
        return self.when[index].item()


def series_of(rows: pl.DataFrame, unit: str) -> Iterator[Series]:
    """``rows`` sorted by symbol and ts, cut by symbol."""
    when = timestamps(rows).astype("datetime64[us]").astype(f"datetime64[{unit}]")
    prices = {name: np.log(rows[name].to_numpy()) for name in ("open", "high", "low", "close")}
    other = {name: rows[name].to_numpy() for name in ("volume", "dividend", "split")}
    codes = rows["symbol"].rle_id().to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), rows.height], strict=True):
        cut = {name: values[start:end] for name, values in (prices | other).items()}
        yield Series(rows["symbol"][start], when[start:end], **cut)


def local_scale(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Robust standard deviation around each entry: median absolute value of its neighbours, floored.

    Same shape as ``values``. Short series use all they have.
    """
    size = min(2 * _REACH + 1, values.size)
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(values), size)
    middle = np.median(windows, axis=1) * _NORMAL
    left = (values.size - middle.size) // 2
    padded: NDArray[np.float64] = np.pad(middle, (left, values.size - middle.size - left), mode="edge")
    floored: NDArray[np.float64] = np.maximum(padded, _FLOOR)
    return floored
