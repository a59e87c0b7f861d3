"""Entry atoms: what opens a position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantrail.strategy.templates import inputs, ranges, sources
from quantrail.strategy.templates.atom import Atom
from quantrail.strategy.templates.parameter import Parameter, Rule
from quantrail.strategy.templates.pieces import all_of, cmp, cross_above, feature


def entry(
    atom_id: str,
    rationale: str,
    reference: str,
    condition: Mapping[str, Any],
    features: Mapping[str, Any] | None = None,
    parameters: tuple[Parameter, ...] = (),
    rules: tuple[Rule, ...] = (),
) -> Atom:
    return Atom(atom_id, "entry", rationale, reference, parameters, rules, features or {}, condition)


_SMA = (ranges.SHORT_WINDOW, ranges.LONG_WINDOW)
_EMA = (ranges.SHORT_SPAN, ranges.LONG_SPAN)
_MACD = (ranges.MACD_FAST, ranges.MACD_SLOW, ranges.MACD_SMOOTH)
_STACK = (ranges.SPAN_ONE, ranges.SPAN_TWO, ranges.SPAN_THREE)
_MOVE = {
    "last_close": feature("lag", "close", bars=1),
    "move": feature("diff", "close", "last_close"),
    "atr": feature("atr", period="$atr_period"),
}
_OBV = {"obv": feature("obv"), "obv_mean": feature("ema", "obv", period="$obv_span")}

ENTRIES = (
    entry(
        "SMA_ABOVE",
        "A short mean above a long one marks an established rise.",
        sources.BROCK,
        cmp("sma_short", ">", "sma_long"),
        inputs.SMAS,
        _SMA,
        (ranges.LONG_OVER_SHORT,),
    ),
    entry(
        "SMA_CROSS_UP",
        "Buys only on the bar where the short mean overtakes the long one.",
        sources.BROCK,
        cross_above("sma_short", "sma_long"),
        inputs.SMAS,
        _SMA,
        (ranges.LONG_OVER_SHORT,),
    ),
    entry(
        "EMA_ABOVE",
        "Exponential means react sooner to a new trend than plain ones.",
        sources.APPEL,
        cmp("ema_short", ">", "ema_long"),
        inputs.EMAS,
        _EMA,
        (ranges.LONG_SPAN_OVER_SHORT,),
    ),
    entry(
        "EMA_CROSS_UP",
        "Buys only on the bar where the short exponential mean overtakes the long one.",
        sources.APPEL,
        cross_above("ema_short", "ema_long"),
        inputs.EMAS,
        _EMA,
        (ranges.LONG_SPAN_OVER_SHORT,),
    ),
    entry(
        "EMA_STACK",
        "Three spans in order agree on the direction at three horizons.",
        sources.APPEL,
        all_of(cmp("ema_one", ">", "ema_two"), cmp("ema_two", ">", "ema_three")),
        inputs.EMA_STACK,
        _STACK,
        ranges.SPAN_RULES,
    ),
    entry(
        "PRICE_ABOVE_MEAN",
        "Prices above their long mean have had smaller drawdowns ahead.",
        sources.FABER,
        cmp("close", ">", "sma_trend"),
        inputs.TREND,
        (ranges.TREND_WINDOW,),
    ),
    entry(
        "RSI_OVERSOLD",
        "A run of losses beyond the usual tends to be partly taken back.",
        sources.WILDER,
        cmp("rsi", "<=", "$oversold"),
        inputs.RSI,
        (ranges.RSI_PERIOD, ranges.OVERSOLD),
    ),
    entry(
        "RSI_LEAVES_OVERSOLD",
        "Waits for the turn: buys when the RSI comes back above its low mark.",
        sources.WILDER,
        cross_above("rsi", "$oversold"),
        inputs.RSI,
        (ranges.RSI_PERIOD, ranges.OVERSOLD),
    ),
    entry(
        "STOCH_OVERSOLD",
        "A close near the low of its recent range is stretched downwards.",
        sources.LANE,
        cmp("stoch_k", "<=", "$stoch_low"),
        inputs.STOCH_K,
        (ranges.STOCH_PERIOD, ranges.STOCH_LOW),
    ),
    entry(
        "STOCH_TURN_UP",
        "The stochastic overtaking its own mean at a low level marks a turn.",
        sources.LANE,
        all_of(cross_above("stoch_k", "stoch_d"), cmp("stoch_d", "<=", "$stoch_low")),
        inputs.STOCH,
        (ranges.STOCH_PERIOD, ranges.STOCH_LOW),
    ),
    entry(
        "BAND_LOW_TOUCH",
        "A close below the lower band is far from its mean in its own volatility.",
        sources.BOLLINGER,
        cmp("close", "<", "band_low"),
        inputs.LOWER,
        (ranges.BAND_PERIOD, ranges.BAND_WIDTH),
    ),
    entry(
        "BAND_HIGH_BREAK",
        "A close above the upper band starts a move out of a quiet range.",
        sources.BOLLINGER,
        cmp("close", ">", "band_high"),
        inputs.UPPER,
        (ranges.BAND_PERIOD, ranges.BAND_WIDTH),
    ),
    entry(
        "CHANNEL_BREAK_HIGH",
        "A new high of several weeks says that sellers at that price are gone.",
        sources.DONCHIAN,
        cmp("close", ">", "channel_high"),
        {"channel_high": feature("donchian_high", period="$channel_in")},
        (ranges.CHANNEL_IN,),
    ),
    entry(
        "MACD_ABOVE_SIGNAL",
        "The gap between two means widens while the rise gains speed.",
        sources.APPEL,
        cmp("macd", ">", "macd_line"),
        inputs.MACD,
        _MACD,
        (ranges.MACD_RULE,),
    ),
    entry(
        "TREND_UP_BY_DI",
        "Directional movement is up, and strong enough to be called a trend.",
        sources.WILDER,
        all_of(cmp("adx", ">=", "$adx_min"), cmp("di_up", ">", "di_down")),
        {**inputs.ADX, **inputs.DIS},
        (ranges.ADX_PERIOD, ranges.ADX_MIN),
    ),
    entry(
        "ZSCORE_LOW",
        "Prices several deviations below their mean have tended to come back.",
        sources.POTERBA,
        cmp({"ref": "zscore", "scale": -1}, ">=", "$z_entry"),
        inputs.ZSCORE,
        (ranges.Z_PERIOD, ranges.Z_ENTRY),
    ),
    entry(
        "MOMENTUM_POSITIVE",
        "A rising year so far has been followed by more of it.",
        sources.TSMOM,
        cmp("momentum", ">", 0),
        inputs.MOMENTUM,
        (ranges.LOOKBACK,),
    ),
    entry(
        "RANGE_EXPANSION",
        "A rise of more than a usual day's range starts a move.",
        sources.CRABEL,
        cmp("move", ">", {"ref": "atr", "lag": 1, "scale": "$atr_mult"}),
        _MOVE,
        (ranges.ATR_PERIOD, ranges.ATR_MULT),
    ),
    entry(
        "RS_LEADER",
        "The strongest symbols of a universe have stayed ahead for months.",
        sources.LEVY,
        cmp("strength", ">=", "$rs_min"),
        {"strength": feature("rs_percentile", "close", period="$rs_period")},
        (ranges.RS_PERIOD, ranges.RS_MIN),
    ),
    entry(
        "OBV_RISING",
        "Volume on rising days leads prices when someone accumulates.",
        sources.GRANVILLE,
        cmp("obv", ">", "obv_mean"),
        _OBV,
        (ranges.OBV_SPAN,),
    ),
    entry(
        "ROC_THRUST",
        "A fast rise in a few days signals urgent buying.",
        sources.LEVY,
        cmp("roc", ">=", "$roc_min"),
        {"roc": feature("roc", "close", period="$roc_period")},
        (ranges.ROC_PERIOD, ranges.ROC_MIN),
    ),
    entry(
        "PULLBACK_IN_TREND",
        "Buys weakness within a rise, where both trend and reversion help.",
        sources.CONNORS,
        all_of(cmp("close", ">", "ema_long"), cmp("close", "<", "ema_short")),
        inputs.EMAS,
        _EMA,
        (ranges.LONG_SPAN_OVER_SHORT,),
    ),
    entry("ALWAYS", "Being invested is the yardstick for all timing.", sources.SHARPE, {"node": "TRUE"}),
)
