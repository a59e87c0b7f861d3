"""The closed vocabulary: bar columns, system variables, feature types with their parameters.

Every feature value at bar t uses bars up to and including t only. A value is missing (NaN) until
its window is full, and wherever its window touches a missing bar in a way the indicator cannot skip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

BAR_COLUMNS = ("open", "high", "low", "close", "volume")

# Variable -> kind of value. What feeds each one stands in ``normal.py``.
VARIABLES: dict[str, Literal["number", "string"]] = {
    "regime_state": "string",
    "regime_score": "number",
    "symbol": "string",
    "sector": "string",
    "position_qty": "number",
    "position_avg_price": "number",
    "exposure_weight": "number",
    "spread_bps": "number",
    "rvol": "number",
}
REGIME_STATES = ("RISK_ON", "RISK_OFF")


@dataclass(frozen=True, slots=True)
class FeatureParam:
    """One parameter of a feature type; bounds are inclusive."""

    name: str
    default: int | float
    low: int | float
    high: int | float
    kind: Literal["int", "float"] = "int"


@dataclass(frozen=True, slots=True)
class FeatureType:
    """``inputs``: the default; ``free_inputs`` of them may be any bar column or feature instead.

    ``texts``: parameters that are names, without a default. ``records``: the table of dated records it
    reads, None for what is worked out from bars.
    """

    name: str
    inputs: tuple[str, ...]
    params: tuple[FeatureParam, ...]
    meaning: str
    free_inputs: bool = True
    arity: int = 1
    # Pairs (a, b): parameter a must be smaller than parameter b.
    ordered: tuple[tuple[str, str], ...] = ()
    cross_section: bool = False
    texts: tuple[str, ...] = ()
    records: Literal["economic_indicators", "news"] | None = None


def _period(default: int, low: int = 2, name: str = "period") -> FeatureParam:
    return FeatureParam(name, default, low, 1000)


_HLC = ("high", "low", "close")
_BANDS = (_period(20), FeatureParam("num_std", 2, 0.1, 10, "float"))
_MACD = (_period(12, name="fast_period"), _period(26, name="slow_period"))
_STOCH = (_period(14, 1, "k_period"), _period(3, 1, "k_smooth"))
_FAST_SLOW = (("fast_period", "slow_period"),)


def _hlc(name: str, meaning: str, *params: FeatureParam) -> FeatureType:
    return FeatureType(name, _HLC, params, meaning, free_inputs=False, arity=3)


def _on_close(name: str, meaning: str, *params: FeatureParam) -> FeatureType:
    return FeatureType(name, ("close",), params, meaning)


def _record(
    table: Literal["economic_indicators", "news"], name: str, meaning: str, **more: Any
) -> FeatureType:
    return FeatureType(name, (), more.pop("params", ()), meaning, False, 0, records=table, **more)


def _fixed(name: str, inputs: tuple[str, ...], meaning: str, *params: FeatureParam) -> FeatureType:
    return FeatureType(name, inputs, params, meaning, free_inputs=False, arity=len(inputs))


_TYPES = (
    _on_close("sma", "arithmetic mean of the last `period` values", _period(20)),
    _on_close("ema", "exponential mean, seeded with the SMA (TA-Lib EMA)", _period(20)),
    _on_close("wma", "linearly weighted mean (TA-Lib WMA)", _period(20)),
    _on_close("rsi", "relative strength index, Wilder, 0..100 (TA-Lib RSI)", _period(14)),
    _hlc("stoch_k", "SMA(`k_smooth`) of the raw stochastic over `k_period`, 0..100", *_STOCH),
    _hlc("stoch_d", "SMA(`d_period`) of stoch_k", *_STOCH, _period(3, 1, "d_period")),
    FeatureType("macd", ("close",), _MACD, "MACD line (TA-Lib MACD)", ordered=_FAST_SLOW),
    FeatureType(
        "macd_signal",
        ("close",),
        (*_MACD, _period(9, 1, "signal_period")),
        "EMA(`signal_period`) of the MACD line (TA-Lib MACD)",
        ordered=_FAST_SLOW,
    ),
    _on_close("bbands_upper", "SMA plus `num_std` population standard deviations (TA-Lib BBANDS)", *_BANDS),
    _on_close("bbands_middle", "middle Bollinger band, the SMA", _period(20)),
    _on_close("bbands_lower", "SMA minus `num_std` population standard deviations", *_BANDS),
    _hlc("atr", "average true range, Wilder (TA-Lib ATR), in price", _period(14, 1)),
    _hlc("atr_pct", "atr / close, a fraction", _period(14, 1)),
    _hlc("adx", "average directional index, 0..100 (TA-Lib ADX)", _period(14)),
    _hlc("di_plus", "plus directional indicator, 0..100 (TA-Lib PLUS_DI)", _period(14)),
    _hlc("di_minus", "minus directional indicator, 0..100 (TA-Lib MINUS_DI)", _period(14)),
    _on_close("roc", "100 * (x / x[period] - 1)", _period(10, 1)),
    _on_close("momentum", "x / x[period] - 1, a fraction", _period(20, 1)),
    _on_close("zscore", "(x - mean) / standard deviation (ddof 1) over `period`", _period(20)),
    _fixed("donchian_high", ("high",), "highest high of the `period` bars before this one", _period(20, 1)),
    _fixed("donchian_low", ("low",), "lowest low of the `period` bars before this one", _period(20, 1)),
    _fixed("obv", ("close", "volume"), "on-balance volume, starts at the first bar (TA-Lib OBV)"),
    _fixed("volume_sma", ("volume",), "arithmetic mean of the volume", _period(20)),
    _on_close("volatility", "standard deviation (ddof 1) of `period` simple returns, per bar", _period(20)),
    FeatureType(
        "rs_percentile",
        ("close",),
        (_period(60, 1),),
        "percentile rank, 0..100, of x / x[period] - 1 among the symbols that have one that day; "
        "ties averaged: 100 * (rank - 1) / (n - 1), 50 when n is 1",
        cross_section=True,
    ),
    FeatureType("lag", (), (_period(1, 1, "bars"),), "the value `bars` bars ago"),
    FeatureType("ratio", (), (), "first input / second input, missing where the second is 0", arity=2),
    FeatureType("diff", (), (), "first input - second input", arity=2),
    _record(
        "economic_indicators",
        "econ",
        "newest value of the economic series `series` released by the close, the same for all symbols; "
        "missing before the first release",
        texts=("series",),
    ),
    _record(
        "news",
        "news_sentiment",
        "mean sentiment, -1..1, of the symbol's news of the last `days` calendar days, published by the "
        "close; missing where there is none",
        params=(FeatureParam("days", 7, 1, 365),),
    ),
)

FEATURE_TYPES: dict[str, FeatureType] = {kind.name: kind for kind in _TYPES}
