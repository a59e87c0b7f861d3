"""Metrics of one result, for the whole period or any slice of it, and per symbol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantrail.analysis.metrics.batch import (
    Activity,
    MetricTable,
    RoundTrips,
    batch_metrics,
    first_validation_bar,
)
from quantrail.domain.contract import CalcContract
from quantrail.domain.market import Period
from quantrail.domain.results import SimulationResult
from quantrail.errors import InvalidInput

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Metrics:
    """``values`` holds every metric name, None where undefined; ``undefined`` says why."""

    values: dict[str, float | None]
    undefined: dict[str, str]


def compute_metrics(
    result: SimulationResult,
    contract: CalcContract,
    benchmark: NDArray[np.float64] | None = None,
    sub_period: Period | Mask | None = None,
) -> Metrics:
    """Every metric of ``result``.

    ``benchmark`` is (n,) simple returns per session. ``sub_period`` picks sessions by date or by a
    mask (n,); returns of the chosen bars are compounded from the initial capital, trades belong to
    the slice that holds their exit. InvalidInput when nothing is chosen.
    """
    if sub_period is None:
        return _one(_table(result, contract, benchmark, first_validation_bar(result.sessions, contract)))
    mask = slice_mask(result.sessions, sub_period)
    bench = None if benchmark is None else benchmark[mask]
    return _one(_table(sliced(result, mask), contract, bench, None))


def slice_mask(sessions: NDArray[np.datetime64], chosen: Period | Mask) -> Mask:
    """Sessions inside ``chosen`` as a mask (n,)."""
    if isinstance(chosen, Period):
        chosen = (sessions >= np.datetime64(chosen.start)) & (sessions <= np.datetime64(chosen.end))
    if chosen.shape != sessions.shape or not chosen.any():
        raise InvalidInput("the slice holds no session of the result; widen it")
    return chosen


def sliced(result: SimulationResult, mask: Mask) -> SimulationResult:
    """The bars of ``mask`` as a result of their own, compounded from the initial capital."""
    series = (
        "cash",
        "gross_exposure",
        "net_exposure",
        "traded_value",
        "fees",
        "spread",
        "slippage",
        "borrow",
        "dividends",
    )
    kept = mask[result.trades.exit_bar]
    columns: dict[str, Any] = {k: v[kept] for k, v in result.trades.columns().items()}
    trades = replace(result.trades, **columns)
    equity = np.asarray(result.initial_capital * np.cumprod(1.0 + result.returns()[mask]), np.float64)
    cut = {name: getattr(result, name)[mask] for name in series}
    return replace(result, sessions=result.sessions[mask], equity=equity, trades=trades, **cut)


def year_slices(sessions: NDArray[np.datetime64]) -> dict[str, Mask]:
    """One mask per calendar year, by name ``year_2015``."""
    years = sessions.astype("datetime64[Y]").astype(int) + 1970
    return {f"year_{year}": years == year for year in np.unique(years)}


def standard_slices(sessions: NDArray[np.datetime64], contract: CalcContract) -> dict[str, Mask]:
    """``is_train`` and ``is_validation`` (when the contract splits the period), then the years."""
    slices: dict[str, Mask] = {}
    split = first_validation_bar(sessions, contract)
    if split is not None and 0 < split < len(sessions):
        late = np.arange(len(sessions)) >= split
        slices = {"is_train": ~late, "is_validation": late}
    return slices | year_slices(sessions)


def _one(table: MetricTable) -> Metrics:
    return Metrics(table.row(0), table.undefined(0))


def _table(
    result: SimulationResult,
    contract: CalcContract,
    benchmark: NDArray[np.float64] | None,
    first_oos: int | None,
) -> MetricTable:
    trades = result.trades
    trips = RoundTrips(
        np.array([0, len(trades)]),
        np.ascontiguousarray(trades.is_open),
        trades.pnl_net,
        trades.return_net,
        trades.bars_held.astype(np.float64),
    )
    equity = np.ascontiguousarray(result.equity).reshape(1, -1)
    return batch_metrics(equity, _activity(result), trips, contract, first_oos, benchmark)


def _activity(result: SimulationResult) -> Activity:
    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([values.sum()])

    return Activity(
        traded_value=total(result.traded_value),
        exposure_mean=np.array([result.gross_exposure.mean()]),
        exposure_max=np.array([result.gross_exposure.max()]),
        fees=total(result.fees),
        spread=total(result.spread),
        slippage=total(result.slippage),
    )
