"""Metrics of many strategies at once, from equity curves, activity sums and round trips."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics.compiled import load_kernels
from quantrail.analysis.metrics.definitions import EXPLANATION, METRIC_NAMES, METRICS, Undefined
from quantrail.domain.contract import CalcContract

Floats = NDArray[np.float64]
_N_CURVE = sum(metric.source == "curve" for metric in METRICS)
_N_ACTIVITY = sum(metric.source == "activity" for metric in METRICS)
_N_TRADES = sum(metric.source == "trades" for metric in METRICS)
_BLOCK = 256
_TAILS = ("tail_loss_p95", "tail_gain_p95", "var_95", "cvar_95")


@dataclass(frozen=True, slots=True)
class Activity:
    """Sums over the period, shape (N,) each: currency >= 0, exposures as fractions of equity."""

    traded_value: Floats
    exposure_mean: Floats
    exposure_max: Floats
    fees: Floats
    spread: Floats
    slippage: Floats


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """Trades of N strategies laid end to end; those of strategy i are offsets[i]:offsets[i + 1]."""

    offsets: NDArray[np.int64]
    is_open: NDArray[np.bool_]
    pnl_net: Floats
    return_net: Floats
    bars_held: Floats


@dataclass(frozen=True, slots=True)
class MetricTable:
    """M metrics of N strategies: ``table`` and ``why`` (M, N), NaN exactly where why is not DEFINED."""

    names: tuple[str, ...]
    table: Floats
    why: NDArray[np.uint8]

    @property
    def values(self) -> dict[str, Floats]:
        """Name -> (N,)."""
        return dict(zip(self.names, self.table, strict=True))

    @property
    def reasons(self) -> dict[str, NDArray[np.uint8]]:
        """Name -> (N,)."""
        return dict(zip(self.names, self.why, strict=True))

    def row(self, i: int) -> dict[str, float | None]:
        """Metrics of strategy i, None where undefined."""
        columns = zip(self.names, self.table[:, i].tolist(), self.why[:, i].tolist(), strict=True)
        return {name: None if why else value for name, value, why in columns}

    def undefined(self, i: int) -> dict[str, str]:
        """Name -> why strategy i has no such metric."""
        reasons = zip(self.names, self.why[:, i].tolist(), strict=True)
        return {name: EXPLANATION[Undefined(why)] for name, why in reasons if why}


def batch_metrics(
    equity: Floats,
    activity: Activity,
    trips: RoundTrips,
    contract: CalcContract,
    first_oos: int | None,
    benchmark: Floats | None,
    *,
    with_tails: bool = True,
) -> MetricTable:
    """All metrics of N strategies; ``equity`` (N, n) at each close, ``benchmark`` (n,) simple returns.

    Without ``with_tails`` the four quantile metrics are left out of the table.
    """
    kernels = load_kernels("quantrail.analysis.metrics.kernels.curve")
    n_rows, n_bars = equity.shape
    q = contract.annualization_factor
    # One row per metric, filled block by block: nothing but the answer grows with the strategies.
    values = np.empty((len(METRICS), n_rows))
    reasons = np.zeros((len(METRICS), n_rows), np.uint8)
    bench = np.empty(0) if benchmark is None else np.ascontiguousarray(benchmark, dtype=np.float64)
    first_oos = -1 if first_oos is None else first_oos
    for first in range(0, n_rows, _BLOCK):
        rows = slice(first, first + _BLOCK)
        out = np.zeros((len(equity[rows]), _N_CURVE))
        why = np.zeros(out.shape, np.uint8)
        kernels.curve_batch(
            equity[rows], contract.initial_capital, q, rate_per_bar(contract), first_oos, bench, with_tails,
            out, why,
        )  # fmt: skip
        values[:_N_CURVE, rows], reasons[:_N_CURVE, rows] = out.T, why.T
    active = slice(_N_CURVE, _N_CURVE + _N_ACTIVITY)
    _fill_activity(equity, activity, q, n_bars, values[active], reasons[active])
    trades = np.zeros((n_rows, _N_TRADES))
    trades_why = np.zeros((n_rows, _N_TRADES), np.uint8)
    kernels.trade_batch(
        trips.offsets, trips.is_open, trips.pnl_net, trips.return_net, trips.bars_held, trades, trades_why
    )
    values[active.stop :], reasons[active.stop :] = trades.T, trades_why.T
    wanted = [k for k, name in enumerate(METRIC_NAMES) if with_tails or name not in _TAILS]
    return MetricTable(tuple(METRIC_NAMES[k] for k in wanted), values[wanted], reasons[wanted])


def _fill_activity(
    equity: Floats, activity: Activity, q: float, n_bars: int, out: Floats, why: NDArray[np.uint8]
) -> None:
    mean_equity = equity.mean(axis=1)
    alive = mean_equity > 0.0
    turnover = np.full(len(equity), np.nan)
    np.divide(activity.traded_value, mean_equity, out=turnover, where=alive)
    costs = activity.fees + activity.spread + activity.slippage
    rows = (
        turnover * (q / n_bars), activity.exposure_mean, activity.exposure_max, activity.exposure_max,
        costs, activity.fees, activity.spread, activity.slippage,
    )  # fmt: skip
    for row, column in zip(out, rows, strict=True):
        row[:] = column
    why[0, ~alive] = Undefined.RUINED


def rate_per_bar(contract: CalcContract) -> float:
    """Risk-free rate of one bar: (1 + annual)^(1/q) - 1."""
    return float((1.0 + contract.risk_free_rate_annual) ** (1.0 / contract.annualization_factor) - 1.0)


def first_validation_bar(sessions: NDArray[np.datetime64], contract: CalcContract) -> int | None:
    """Index of the first session on or after ``validation_start``; None when the contract names none."""
    if contract.validation_start is None:
        return None
    start = np.datetime64(date.fromisoformat(contract.validation_start))
    return int(np.searchsorted(sessions, start, side="left"))
