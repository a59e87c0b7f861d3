"""Slices by the market's state: labels of a session rest on closes before it, never on its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TREND_BARS = 200
VOLATILITY_BARS = 20
HISTORY_BARS = 252


def market_index(close: Floats) -> Floats:
    """One price series (T,) of several (S, T): mean simple return of the symbols with both closes.

    A session without any such symbol returns 0; starts at 1.
    """
    before, now = close[:, :-1], close[:, 1:]
    known = ~np.isnan(before) & ~np.isnan(now)
    returns = np.where(known, now / np.where(known, before, 1.0) - 1.0, 0.0)
    count = known.sum(axis=0)
    mean = np.divide(returns.sum(axis=0), count, out=np.zeros(len(count)), where=count > 0)
    return np.concatenate(([1.0], np.cumprod(1.0 + mean)))


def market_slices(market: Floats, span: slice) -> dict[str, Mask]:
    """Masks over the sessions of ``span``, by name; a state that no session is in is left out.

    ``market`` (T,) holds one price series without gaps, warm-up included. For session t, by closes up to
    t - 1: ``regime_up`` above the 200-bar mean, else ``regime_down``; ``vol_low``, ``vol_mid``,
    ``vol_high`` by the thirds of the last 252 values of 20-bar volatility. A session before the windows
    are full is in none of them.
    """
    mean = _rolling(market, TREND_BARS, lambda w: np.asarray(w.mean(axis=1)))
    returns = np.concatenate(([np.nan], market[1:] / market[:-1] - 1.0))
    spread = _rolling(returns, VOLATILITY_BARS, lambda w: np.asarray(w.std(axis=1, ddof=1)))
    low = _rolling(spread, HISTORY_BARS, lambda w: np.asarray(np.quantile(w, 1 / 3, axis=1)))
    high = _rolling(spread, HISTORY_BARS, lambda w: np.asarray(np.quantile(w, 2 / 3, axis=1)))
    # Comparisons with NaN are False: no label without a full window.
    states = {
        "regime_up": market > mean,
        "regime_down": market <= mean,
        "vol_low": spread <= low,
        "vol_mid": (spread > low) & (spread <= high),
        "vol_high": spread > high,
    }
    before = {name: np.concatenate(([False], state[:-1]))[span] for name, state in states.items()}
    return {name: mask for name, mask in before.items() if mask.any()}


def _rolling(values: Floats, window: int, reduce: Callable[[Floats], Floats]) -> Floats:
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        out[window - 1 :] = reduce(sliding_window_view(values, window))
    return out
