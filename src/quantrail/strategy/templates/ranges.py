"""Parameters that atoms share, with bounds wide enough to search and narrow enough to make sense."""

from __future__ import annotations

from quantrail.strategy.templates.parameter import Parameter, Rule


def whole(
    name: str, low: int, high: int, default: int, meaning: str, *targets: tuple[str, str], step: int = 1
) -> Parameter:
    return Parameter(name, "int", low, high, step, default, meaning, targets)


def real(
    name: str,
    low: float,
    high: float,
    step: float,
    default: float,
    meaning: str,
    *targets: tuple[str, str],
) -> Parameter:
    return Parameter(name, "float", low, high, step, default, meaning, targets)


SHORT_WINDOW = whole("short_window", 5, 60, 20, "bars of the short mean", ("sma", "period"))
LONG_WINDOW = whole("long_window", 20, 250, 100, "bars of the long mean", ("sma", "period"), step=5)
SHORT_SPAN = whole("short_span", 5, 60, 12, "bars of the short exponential mean", ("ema", "period"))
LONG_SPAN = whole("long_span", 15, 250, 50, "bars of the long exponential mean", ("ema", "period"), step=5)
TREND_WINDOW = whole("trend_window", 50, 250, 200, "bars of the trend mean", ("sma", "period"), step=10)
RSI_PERIOD = whole("rsi_period", 2, 30, 14, "bars of the RSI", ("rsi", "period"))
OVERSOLD = whole("oversold", 5, 45, 30, "RSI at or below which to buy", ("rsi", "threshold"))
OVERBOUGHT = whole("overbought", 50, 90, 70, "RSI at or above which to sell", ("rsi", "threshold"))
STOCH_PERIOD = whole(
    "stoch_period", 5, 30, 14, "bars of the stochastic", ("stoch_k", "k_period"), ("stoch_d", "k_period")
)
STOCH_LOW = whole("stoch_low", 5, 40, 20, "stochastic at or below which to buy", ("stoch_k", "threshold"))
STOCH_HIGH = whole("stoch_high", 60, 95, 80, "stochastic at or above which to sell", ("stoch_k", "threshold"))
BAND_PERIOD = whole(
    "band_period",
    10,
    60,
    20,
    "bars of the Bollinger bands",
    ("bbands_upper", "period"),
    ("bbands_middle", "period"),
    ("bbands_lower", "period"),
)
BAND_WIDTH = real(
    "band_width",
    1.0,
    3.5,
    0.25,
    2.0,
    "standard deviations of the bands",
    ("bbands_upper", "num_std"),
    ("bbands_lower", "num_std"),
)
CHANNEL_IN = whole(
    "channel_in", 10, 120, 20, "bars of the entry channel", ("donchian_high", "period"), step=5
)
CHANNEL_OUT = whole("channel_out", 5, 60, 10, "bars of the exit channel", ("donchian_low", "period"), step=5)
MACD_FAST = whole(
    "macd_fast", 5, 20, 12, "fast span of MACD", ("macd", "fast_period"), ("macd_signal", "fast_period")
)
MACD_SLOW = whole(
    "macd_slow", 15, 60, 26, "slow span of MACD", ("macd", "slow_period"), ("macd_signal", "slow_period")
)
MACD_SMOOTH = whole("macd_smooth", 3, 20, 9, "span of the signal line", ("macd_signal", "signal_period"))
ADX_PERIOD = whole(
    "adx_period",
    7,
    30,
    14,
    "bars of ADX and DI",
    ("adx", "period"),
    ("di_plus", "period"),
    ("di_minus", "period"),
)
ADX_MIN = whole("adx_min", 10, 40, 20, "ADX from which a trend counts", ("adx", "threshold"))
ADX_MAX = whole("adx_max", 15, 40, 25, "ADX below which a market drifts", ("adx", "threshold"))
Z_PERIOD = whole("z_period", 5, 100, 20, "bars of the z-score", ("zscore", "period"), step=5)
Z_ENTRY = real("z_entry", 1.0, 3.0, 0.25, 2.0, "z-score below minus which to buy", ("zscore", "threshold"))
Z_EXIT = real("z_exit", -1.0, 1.0, 0.25, 0.0, "z-score at which to sell", ("zscore", "threshold"))
LOOKBACK = whole("lookback", 20, 260, 120, "bars of the momentum", ("momentum", "period"), step=20)
TOP_N = whole("top_n", 1, 20, 5, "number of symbols held")
ATR_PERIOD = whole("atr_period", 5, 30, 14, "bars of the ATR", ("atr", "period"), ("atr_pct", "period"))
ATR_MULT = real("atr_mult", 0.5, 3.0, 0.25, 1.0, "move in ATRs that counts as a breakout")

LONG_OVER_SHORT = Rule("long_window", "short_window")
LONG_SPAN_OVER_SHORT = Rule("long_span", "short_span")
MACD_RULE = Rule("macd_slow", "macd_fast")
RSI_RULE = Rule("overbought", "oversold")
STOCH_RULE = Rule("stoch_high", "stoch_low")
SPAN_ONE = whole("span_one", 3, 20, 8, "shortest of three spans", ("ema", "period"))
SPAN_TWO = whole("span_two", 10, 60, 21, "middle of three spans", ("ema", "period"))
SPAN_THREE = whole("span_three", 30, 200, 55, "longest of three spans", ("ema", "period"), step=5)
RS_PERIOD = whole(
    "rs_period", 20, 260, 120, "bars of the relative strength", ("rs_percentile", "period"), step=20
)
RS_MIN = whole(
    "rs_min", 50, 95, 80, "percentile from which a symbol leads", ("rs_percentile", "threshold"), step=5
)
OBV_SPAN = whole("obv_span", 5, 60, 20, "bars of the mean of the on-balance volume", ("ema", "period"))
ROC_PERIOD = whole("roc_period", 2, 30, 10, "bars of the rate of change", ("roc", "period"))
ROC_MIN = real("roc_min", 1, 20, 0.5, 5, "percent that counts as a thrust", ("roc", "threshold"))
VOLUME_PERIOD = whole("volume_period", 5, 60, 20, "bars of the mean volume", ("volume_sma", "period"), step=5)
VOLUME_MULT = real("volume_mult", 1.0, 4.0, 0.25, 1.5, "times the mean volume that counts as a surge")
VOL_PERIOD = whole("vol_period", 10, 60, 20, "bars of the volatility", ("volatility", "period"), step=5)
VOL_MAX = real(
    "vol_max",
    0.005,
    0.05,
    0.0025,
    0.02,
    "volatility per bar below which to trade",
    ("volatility", "threshold"),
)
ATR_PCT_MAX = real(
    "atr_pct_max", 0.01, 0.08, 0.005, 0.03, "ATR / close below which to trade", ("atr_pct", "threshold")
)
STOP_PCT = real("stop_pct", 0.02, 0.25, 0.01, 0.08, "distance of the stop, fraction of the entry price")
STOP_ATR = real("stop_atr", 1.5, 6.0, 0.5, 3.0, "distance of the stop in ATRs")
TRAIL_PCT = real(
    "trail_pct", 0.03, 0.30, 0.01, 0.10, "distance of the trailing stop, fraction of the entry price"
)
TRAIL_ATR = real("trail_atr", 1.5, 8.0, 0.5, 4.0, "distance of the trailing stop in ATRs")
TARGET_PCT = real("target_pct", 0.02, 0.50, 0.02, 0.10, "distance of the target, fraction of the entry price")
TARGET_ATR = real("target_atr", 1.0, 10.0, 0.5, 4.0, "distance of the target in ATRs")
MAX_HOLDING = whole("max_holding_bars", 5, 120, 20, "bars after which a position is closed", step=5)
MAX_DRAWDOWN = real("max_drawdown_pct", 0.05, 0.50, 0.05, 0.20, "drawdown that ends the run")
FRACTION = real("fraction", 0.02, 1.0, 0.02, 0.10, "share of equity per position")
TARGET_VOL = real("target_volatility", 0.05, 0.40, 0.05, 0.15, "annual volatility aimed at per position")

SPAN_RULES = (Rule("span_two", "span_one"), Rule("span_three", "span_two"))
