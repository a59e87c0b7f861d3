"""One definition, unit, sign and undefined-case rule for every metric name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Source = Literal["curve", "activity", "trades"]


class Undefined(IntEnum):
    """Why a metric has no value."""

    DEFINED = 0
    TOO_FEW_BARS = 1
    ZERO_VARIANCE = 2
    NO_DOWNSIDE = 3
    NO_DRAWDOWN = 4
    NO_CLOSED_TRADES = 5
    NO_LOSING_TRADES = 6
    NO_BENCHMARK = 7
    NO_VALIDATION_SPLIT = 8
    TRAIN_SHARPE_NOT_POSITIVE = 9
    RUINED = 10
    NOT_IN_SLICE = 11


EXPLANATION: dict[Undefined, str] = {
    Undefined.TOO_FEW_BARS: "fewer bars than the formula needs",
    Undefined.ZERO_VARIANCE: "the returns do not vary",
    Undefined.NO_DOWNSIDE: "no return lies below the risk-free rate",
    Undefined.NO_DRAWDOWN: "equity never fell below its peak",
    Undefined.NO_CLOSED_TRADES: "no round trip was closed",
    Undefined.NO_LOSING_TRADES: "no closed round trip lost",
    Undefined.NO_BENCHMARK: "no benchmark was given",
    Undefined.NO_VALIDATION_SPLIT: "the contract names no validation start inside the period",
    Undefined.TRAIN_SHARPE_NOT_POSITIVE: "the train Sharpe ratio is not positive or undefined",
    Undefined.RUINED: "mean equity is not positive",
    Undefined.NOT_IN_SLICE: "not defined for a slice of the period",
}


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """A name and what it means. ``mvp`` metrics are filled even when the tails are left out."""

    name: str
    source: Source
    definition: str
    unit: str
    sign: str
    undefined: str
    mvp: bool = True


def _metric(
    name: str,
    source: Source,
    definition: str,
    unit: str,
    sign: str,
    undefined: str = "never",
    mvp: bool = True,
) -> MetricDefinition:
    return MetricDefinition(name, source, definition, unit, sign, undefined, mvp)


# The order is the column order of the kernels (see kernels.py): curve, activity, trades.
METRICS: tuple[MetricDefinition, ...] = (
    _metric("return_total_net", "curve", "V_n / V_0 - 1", "fraction", "any, >= -1"),
    _metric(
        "cagr_net", "curve", "(V_n / V_0)^(q/n) - 1; -1 when V_n <= 0", "fraction per year", "any, >= -1"
    ),
    _metric(
        "volatility_annual_net",
        "curve",
        "sd(r) with ddof 1, times sqrt(q)",
        "fraction per year",
        ">= 0",
        "fewer than 2 bars",
    ),
    _metric(
        "max_drawdown_net",
        "curve",
        "min over bars of V_t / max(V_0 .. V_t) - 1; capital before the first return counts as a peak",
        "fraction",
        "<= 0",
    ),
    _metric(
        "sharpe_net",
        "curve",
        "mean(r - rf) / sd(r - rf, ddof 1) * sqrt(q) over all n bars, flat ones too",
        "per year",
        "any",
        "fewer than 2 bars; returns that do not vary",
    ),
    _metric(
        "sortino_net",
        "curve",
        "mean(r - rf) / sqrt(mean(min(r - rf, 0)^2)) * sqrt(q), both over all n bars",
        "per year",
        "any",
        "fewer than 2 bars; no return below rf",
    ),
    _metric("calmar_net", "curve", "cagr_net / |max_drawdown_net|", "ratio", "any", "no drawdown"),
    _metric("win_rate_period", "curve", "share of bars with r > 0", "fraction", "0..1"),
    _metric(
        "skewness",
        "curve",
        "m3 / m2^1.5, population moments of r",
        "ratio",
        "any",
        "fewer than 2 bars; returns that do not vary",
    ),
    _metric(
        "kurtosis",
        "curve",
        "m4 / m2^2, population moments of r, not excess (normal = 3)",
        "ratio",
        ">= 1",
        "fewer than 2 bars; returns that do not vary",
    ),
    _metric(
        "drawdown_duration_max_bars",
        "curve",
        "longest run of bars with equity below its peak",
        "bars",
        ">= 0",
    ),
    _metric("ulcer_index", "curve", "root mean square of the drawdown over all bars", "fraction", ">= 0"),
    _metric(
        "oos_return_total_net",
        "curve",
        "return_total_net from validation_start on",
        "fraction",
        "any, >= -1",
        "no validation split",
    ),
    _metric(
        "oos_sharpe_net",
        "curve",
        "sharpe_net from validation_start on",
        "per year",
        "any",
        "no validation split; as sharpe_net",
    ),
    _metric(
        "is_sharpe_net",
        "curve",
        "sharpe_net before validation_start",
        "per year",
        "any",
        "no validation split; as sharpe_net",
    ),
    _metric(
        "oos_is_performance_ratio",
        "curve",
        "oos_sharpe_net / is_sharpe_net",
        "ratio",
        "any",
        "no validation split; is_sharpe_net undefined or <= 0",
    ),
    _metric(
        "alpha",
        "curve",
        "q times the intercept of r - rf regressed on the benchmark's",
        "fraction per year",
        "any",
        "no benchmark; a benchmark that does not vary; fewer than 2 bars",
    ),
    _metric(
        "beta",
        "curve",
        "slope of r - rf regressed on the benchmark's",
        "ratio",
        "any",
        "no benchmark; a benchmark that does not vary; fewer than 2 bars",
    ),
    _metric(
        "information_ratio",
        "curve",
        "mean(r - b) / sd(r - b, ddof 1) * sqrt(q)",
        "per year",
        "any",
        "no benchmark; differences that do not vary; fewer than 2 bars",
    ),
    _metric(
        "tail_loss_p95", "curve", "5 % quantile of r, linear interpolation", "fraction", "any", mvp=False
    ),
    _metric(
        "tail_gain_p95", "curve", "95 % quantile of r, linear interpolation", "fraction", "any", mvp=False
    ),
    _metric(
        "var_95",
        "curve",
        "5 % quantile of r, linear interpolation, as a return",
        "fraction",
        "any, negative = loss",
        mvp=False,
    ),
    _metric(
        "cvar_95",
        "curve",
        "exact discrete expected shortfall: mean of the worst 5 % of mass, as a return",
        "fraction",
        "any, negative = loss",
        mvp=False,
    ),
    _metric(
        "turnover_annual",
        "activity",
        "sum of |traded value|, both sides, / mean equity * q / n",
        "per year",
        ">= 0",
        "mean equity is not positive",
    ),
    _metric("avg_exposure", "activity", "mean gross exposure at the close", "fraction of equity", ">= 0"),
    _metric("exposure_max", "activity", "largest gross exposure at a close", "fraction of equity", ">= 0"),
    _metric(
        "leverage_max_gross",
        "activity",
        "largest gross exposure at a close: the same figure under the name that leverage limits use",
        "fraction of equity",
        ">= 0",
    ),
    _metric("costs_total", "activity", "fees_total + spread_total + slippage_total", "currency", ">= 0"),
    _metric("fees_total", "activity", "fees paid on all fills", "currency", ">= 0"),
    _metric("spread_total", "activity", "half-spreads paid on all fills", "currency", ">= 0"),
    _metric("slippage_total", "activity", "slippage paid on all fills", "currency", ">= 0"),
    _metric("closed_trades", "trades", "number of closed round trips", "trades", ">= 0"),
    _metric(
        "hit_rate_trades",
        "trades",
        "share of closed round trips with pnl_net > 0",
        "fraction",
        "0..1",
        "no closed round trip",
    ),
    _metric(
        "profit_factor",
        "trades",
        "sum of winning pnl_net / |sum of losing pnl_net|, closed round trips",
        "ratio",
        ">= 0",
        "no closed round trip; none that lost",
    ),
    _metric(
        "expectancy_net",
        "trades",
        "mean pnl_net of closed round trips",
        "currency",
        "any",
        "no closed round trip",
    ),
    _metric(
        "avg_trade_return_net",
        "trades",
        "mean return_net of closed round trips",
        "fraction",
        "any",
        "no closed round trip",
    ),
    _metric(
        "avg_trade_duration_bars",
        "trades",
        "mean bars from fill to fill of closed round trips",
        "bars",
        ">= 0",
        "no closed round trip",
    ),
)

METRIC_NAMES: tuple[str, ...] = tuple(metric.name for metric in METRICS)
MVP_NAMES: tuple[str, ...] = tuple(metric.name for metric in METRICS if metric.mvp)
