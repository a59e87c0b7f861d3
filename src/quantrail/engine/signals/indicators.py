"""Values of every feature type, from TA-Lib where it has the indicator.

A missing bar ends a segment: each run of bars is computed on its own, because TA-Lib carries one NaN
to the end of the series (RSI even turns it into 0). The first values of a run are NaN until the
window is full.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import talib as wrapped
from numpy.typing import NDArray
from talib._ta_lib import MA_Type

from quantrail.analysis.metrics import load_kernels
from quantrail.errors import Unsupported

Floats = NDArray[np.float64]
Params = Mapping[str, Any]
RowFunction = Callable[[Sequence[Floats], Params], Floats]


class _Bare:
    """TA-Lib's functions without the look for pandas and Polars series that the package wraps each in."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = inspect.unwrap(getattr(wrapped, name))
        setattr(self, name, function)
        return function


talib = _Bare()


def _bands(x: Floats, p: Params) -> tuple[Floats, Floats, Floats]:
    width = float(p["num_std"])
    upper, middle, lower = talib.BBANDS(x, int(p["period"]), width, width, MA_Type.SMA)
    return upper, middle, lower


def _macd(x: Floats, p: Params, signal: int) -> tuple[Floats, Floats, Floats]:
    line, smoothed, gap = talib.MACD(x, int(p["fast_period"]), int(p["slow_period"]), signal)
    return line, smoothed, gap


def _stochastic(x: Sequence[Floats], p: Params, smooth: int) -> tuple[Floats, Floats]:
    # With a d-period of 1 TA-Lib does not hold back the k line for the sake of d.
    mean = MA_Type.SMA
    k, d = talib.STOCH(x[0], x[1], x[2], int(p["k_period"]), int(p["k_smooth"]), mean, smooth, mean)
    return k, d


def _before(x: Floats) -> Floats:
    return np.concatenate(([np.nan], x[:-1]))


def _change(x: Floats, period: int) -> Floats:
    out = np.full_like(x, np.nan)
    old = x[:-period]
    np.divide(x[period:], old, out=out[period:], where=old != 0.0)
    return out - 1.0


def _extreme(function: Callable[..., Floats], x: Floats, period: int) -> Floats:
    # TA-Lib's MAX and MIN need a window of 2; one bar's extreme is the bar.
    return _before(x if period == 1 else function(x, period))


# Row functions see one run of bars without gaps: inputs (L,) each, output (L,).
_ROWS: dict[str, RowFunction] = {
    "sma": lambda x, p: talib.SMA(x[0], int(p["period"])),
    "ema": lambda x, p: talib.EMA(x[0], int(p["period"])),
    "wma": lambda x, p: talib.WMA(x[0], int(p["period"])),
    "rsi": lambda x, p: talib.RSI(x[0], int(p["period"])),
    "stoch_k": lambda x, p: _stochastic(x, p, 1)[0],
    "stoch_d": lambda x, p: _stochastic(x, p, int(p["d_period"]))[1],
    "macd": lambda x, p: _macd(x[0], p, 1)[0],
    "macd_signal": lambda x, p: _macd(x[0], p, int(p["signal_period"]))[1],
    "bbands_upper": lambda x, p: _bands(x[0], p)[0],
    "bbands_middle": lambda x, p: talib.SMA(x[0], int(p["period"])),
    "bbands_lower": lambda x, p: _bands(x[0], p)[2],
    "atr": lambda x, p: talib.ATR(x[0], x[1], x[2], int(p["period"])),
    "atr_pct": lambda x, p: talib.ATR(x[0], x[1], x[2], int(p["period"])) / x[2],
    "adx": lambda x, p: talib.ADX(x[0], x[1], x[2], int(p["period"])),
    "di_plus": lambda x, p: talib.PLUS_DI(x[0], x[1], x[2], int(p["period"])),
    "di_minus": lambda x, p: talib.MINUS_DI(x[0], x[1], x[2], int(p["period"])),
    "roc": lambda x, p: 100.0 * _change(x[0], int(p["period"])),
    "momentum": lambda x, p: _change(x[0], int(p["period"])),
    "donchian_high": lambda x, p: _extreme(talib.MAX, x[0], int(p["period"])),
    "donchian_low": lambda x, p: _extreme(talib.MIN, x[0], int(p["period"])),
    "obv": lambda x, p: talib.OBV(x[0], x[1]),
    "volume_sma": lambda x, p: talib.SMA(x[0], int(p["period"])),
}


def indicator(kind: str, inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    """One feature over all symbols: inputs and output (S, T), NaN = missing.

    ``members`` are the rows that a cross-section ranks against each other. Value t uses columns up
    to t only. Unsupported for a type that is not in the catalogue.
    """
    whole = _WHOLE.get(kind)
    if whole is not None:
        return whole(inputs, params, members)
    row = _ROWS.get(kind)
    if row is None:
        raise Unsupported(f"feature type {kind!r} is not known to the engines", feature=kind)
    return _by_runs(row, inputs, params)


def _by_runs(row: RowFunction, inputs: Sequence[Floats], params: Params) -> Floats:
    out = np.full(inputs[0].shape, np.nan)
    present: NDArray[np.bool_] = np.logical_not(np.isnan(inputs[0]))
    for other in inputs[1:]:
        present &= ~np.isnan(other)
    for s in range(len(out)):
        mask = present[s : s + 1].ravel()
        runs = [(0, len(mask))] if mask.all() else runs_of(mask)
        for first, last in runs:
            out[s, first:last] = row([x[s, first:last] for x in inputs], params)
    return out


def runs_of(present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open spans of consecutive True values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _zscore(inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    mean, deviation = _deviation(inputs[0], int(params["period"]))
    out = np.full_like(mean, np.nan)
    np.divide(inputs[0] - mean, deviation, out=out, where=deviation > 0.0)
    return out


def volatility(values: Floats, period: int) -> Floats:
    """Standard deviation (ddof 1) of ``period`` simple returns, per bar; shape as ``values`` (S, T)."""
    return _deviation(simple_returns(values), period)[1]


def rolling_sum(values: Floats, period: int) -> Floats:
    """Sum of the last ``period`` values, (S, T); NaN until they are there and wherever one is missing.

    Each window is added up on its own: a running sum would carry rounding errors along.
    """
    out = np.full_like(values, np.nan)
    if values.shape[1] >= period:
        out[:, period - 1 :] = np.lib.stride_tricks.sliding_window_view(values, period, axis=1).sum(axis=2)
    return out


def simple_returns(values: Floats) -> Floats:
    """x[t] / x[t - 1] - 1 along the last axis; NaN first, at missing values and after a 0."""
    out = np.full_like(values, np.nan)
    old = values[..., :-1]
    np.divide(values[..., 1:], old, out=out[..., 1:], where=old != 0.0)
    return out - 1.0


def _deviation(values: Floats, period: int) -> tuple[Floats, Floats]:
    kernels = load_kernels("quantrail.engine.kernels.rolling")
    mean, deviation = kernels.rolling_deviation(np.ascontiguousarray(values), period)
    return mean, deviation


def _rs_percentile(inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    change = _by_runs(_ROWS["momentum"], inputs, params)
    ranks: Floats = load_kernels("quantrail.engine.kernels.rolling").percentile_ranks(change, members)
    return ranks


def _lag(inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    out = np.full_like(inputs[0], np.nan)
    bars = int(params["bars"])
    out[:, bars:] = inputs[0][:, :-bars]
    return out


def _ratio(inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    out = np.full_like(inputs[0], np.nan)
    return np.divide(inputs[0], inputs[1], out=out, where=inputs[1] != 0.0)


def _diff(inputs: Sequence[Floats], params: Params, members: NDArray[np.int64]) -> Floats:
    return np.asarray(inputs[0] - inputs[1])


# Whole functions see all symbols at once: inputs and output (S, T).
_WHOLE: dict[str, Callable[[Sequence[Floats], Params, NDArray[np.int64]], Floats]] = {
    "zscore": _zscore,
    "volatility": lambda x, p, m: volatility(x[0], int(p["period"])),
    "rs_percentile": _rs_percentile,
    "lag": _lag,
    "ratio": _ratio,
    "diff": _diff,
}

FEATURE_KINDS: frozenset[str] = frozenset(_ROWS) | frozenset(_WHOLE)
