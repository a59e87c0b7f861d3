"""Exit atoms: what closes a position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.templates import inputs, ranges, sources
from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter, Rule
from quantrail.strategy.templates.pieces import any_of, cmp, cross_below, feature


def _exit(
    atom_id: str,
    rationale: str,
    reference: str,
    condition: Mapping[str, Any],
    features: Mapping[str, Any] | None = None,
    parameters: tuple[Parameter, ...] = (),
    rules: tuple[Rule, ...] = (),
) -> Atom:
    return Atom(atom_id, "exit", rationale, reference, parameters, rules, features or {}, condition)


EXITS = (
    _exit(
        "SMA_BELOW",
        "The rise is over when the short mean falls below the long one.",
        sources.BROCK,
        cmp("sma_short", "<", "sma_long"),
        inputs.SMAS,
        (ranges.SHORT_WINDOW, ranges.LONG_WINDOW),
        (ranges.LONG_OVER_SHORT,),
    ),
    _exit(
        "SMA_CROSS_DOWN",
        "Sells on the bar where the short mean falls below the long one.",
        sources.BROCK,
        cross_below("sma_short", "sma_long"),
        inputs.SMAS,
        (ranges.SHORT_WINDOW, ranges.LONG_WINDOW),
        (ranges.LONG_OVER_SHORT,),
    ),
    _exit(
        "EMA_BELOW",
        "The exponential means say sooner that the rise is over.",
        sources.APPEL,
        cmp("ema_short", "<", "ema_long"),
        inputs.EMAS,
        (ranges.SHORT_SPAN, ranges.LONG_SPAN),
        (ranges.LONG_SPAN_OVER_SHORT,),
    ),
    _exit(
        "EMA_STACK_BROKEN",
        "The shortest horizon turns first.",
        sources.APPEL,
        cmp("ema_one", "<", "ema_two"),
        inputs.EMA_STACK,
        (ranges.SPAN_ONE, ranges.SPAN_TWO, ranges.SPAN_THREE),
        ranges.SPAN_RULES,
    ),
    _exit(
        "PRICE_BELOW_MEAN",
        "Leaves the market while prices are below their long mean.",
        sources.FABER,
        cmp("close", "<", "sma_trend"),
        inputs.TREND,
        (ranges.TREND_WINDOW,),
    ),
    _exit(
        "RSI_RECOVERED",
        "The stretch is gone once the RSI is back at its upper mark.",
        sources.WILDER,
        cmp("rsi", ">=", "$overbought"),
        inputs.RSI,
        (ranges.RSI_PERIOD, ranges.OVERBOUGHT),
    ),
    _exit(
        "STOCH_OVERBOUGHT",
        "A close near the high of its range has had its rebound.",
        sources.LANE,
        cmp("stoch_k", ">=", "$stoch_high"),
        inputs.STOCH_K,
        (ranges.STOCH_PERIOD, ranges.STOCH_HIGH),
    ),
    _exit(
        "BAND_MIDDLE_REACHED",
        "Reversion ends at the mean.",
        sources.BOLLINGER,
        cmp("close", ">=", "band_middle"),
        {"band_middle": feature("bbands_middle", "close", period="$band_period")},
        (ranges.BAND_PERIOD,),
    ),
    _exit(
        "CHANNEL_BREAK_LOW",
        "A new low of two weeks ends a breakout without guessing a target.",
        sources.TURTLE,
        cmp("close", "<", "channel_low"),
        {"channel_low": feature("donchian_low", period="$channel_out")},
        (ranges.CHANNEL_OUT,),
    ),
    _exit(
        "MACD_BELOW_SIGNAL",
        "The rise loses speed before it ends.",
        sources.APPEL,
        cmp("macd", "<", "macd_line"),
        inputs.MACD,
        (ranges.MACD_FAST, ranges.MACD_SLOW, ranges.MACD_SMOOTH),
        (ranges.MACD_RULE,),
    ),
    _exit(
        "DI_DOWN",
        "Directional movement has turned down.",
        sources.WILDER,
        cmp("di_up", "<", "di_down"),
        inputs.DIS,
        (ranges.ADX_PERIOD,),
    ),
    _exit(
        "ZSCORE_BACK",
        "The distance to the mean has been made good.",
        sources.POTERBA,
        cmp("zscore", ">=", "$z_exit"),
        inputs.ZSCORE,
        (ranges.Z_PERIOD, ranges.Z_EXIT),
    ),
    _exit(
        "MOMENTUM_GONE",
        "Without a rise over the lookback there is nothing left to follow.",
        sources.TSMOM,
        cmp("momentum", "<=", 0),
        inputs.MOMENTUM,
        (ranges.LOOKBACK,),
    ),
    _exit(
        "TREND_OR_DI_DOWN",
        "Either of two signs that a trend ends is enough.",
        sources.WILDER,
        any_of(cmp("di_up", "<", "di_down"), cmp("ema_one", "<", "ema_two")),
        {**inputs.DIS, **inputs.EMA_STACK},
        (ranges.ADX_PERIOD, ranges.SPAN_ONE, ranges.SPAN_TWO, ranges.SPAN_THREE),
        ranges.SPAN_RULES,
    ),
    _exit(
        "NEVER", "Nothing sells; stops, targets and selection still do.", sources.SHARPE, {"node": "FALSE"}
    ),
)
