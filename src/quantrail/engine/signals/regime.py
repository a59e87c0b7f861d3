"""Market regime of a benchmark: trend above its mean, volatility calm against its own past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from quantrail.domain.market import Bars
from quantrail.engine.signals.indicators import indicator, simple_returns, volatility

Floats = NDArray[np.float64]
_NOBODY = np.empty(0, np.int64)


def regime_score(bars: Bars, settings: Mapping[str, Any], members: NDArray[np.int64]) -> Floats:
    """(trend + calm) / 2 per session, shape (T,): 1 is RISK_ON. NaN until every window is full."""
    close = _benchmark_close(bars, settings, members).reshape(1, -1)
    mean = indicator("sma", [close], {"period": settings["mean_period"]}, _NOBODY)[0]
    spread = volatility(close, int(settings["vol_period"]))[0]
    limit = _rolling_percentile(spread, int(settings["vol_window"]), float(settings["vol_percentile"]))
    score = ((close[0] > mean).astype(float) + (spread < limit)) / 2.0
    return np.where(np.isnan(mean) | np.isnan(limit), np.nan, score)


def _benchmark_close(bars: Bars, settings: Mapping[str, Any], members: NDArray[np.int64]) -> Floats:
    if settings["source"] == "symbol":
        row: Floats = bars.close[bars.index_of(settings["symbol"])]
        return row
    returns = simple_returns(bars.close[members])
    known = ~np.isnan(returns)
    count = known.sum(axis=0)
    total = np.where(known, returns, 0.0).sum(axis=0)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.asarray(np.cumprod(1.0 + mean))


def _rolling_percentile(values: Floats, window: int, percent: float) -> Floats:
    out = np.full_like(values, np.nan)
    if len(values) >= window:
        # A window that holds NaN has a NaN percentile, which is what is wanted.
        out[window - 1 :] = np.percentile(sliding_window_view(values, window), percent, axis=1)
    return out
