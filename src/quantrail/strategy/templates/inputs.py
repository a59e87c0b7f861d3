"""Features that atoms share; ``"$name"`` stands for a parameter."""

from __future__ import annotations

from quantrail.strategy.templates.pieces import feature

SMAS = {
    "sma_short": feature("sma", "close", period="$short_window"),
    "sma_long": feature("sma", "close", period="$long_window"),
}
EMAS = {
    "ema_short": feature("ema", "close", period="$short_span"),
    "ema_long": feature("ema", "close", period="$long_span"),
}
TREND = {"sma_trend": feature("sma", "close", period="$trend_window")}
RSI = {"rsi": feature("rsi", "close", period="$rsi_period")}
STOCH_K = {"stoch_k": feature("stoch_k", k_period="$stoch_period")}
STOCH = {**STOCH_K, "stoch_d": feature("stoch_d", k_period="$stoch_period")}
LOWER = {"band_low": feature("bbands_lower", "close", period="$band_period", num_std="$band_width")}
UPPER = {"band_high": feature("bbands_upper", "close", period="$band_period", num_std="$band_width")}
MACD = {
    "macd": feature("macd", "close", fast_period="$macd_fast", slow_period="$macd_slow"),
    "macd_line": feature(
        "macd_signal",
        "close",
        fast_period="$macd_fast",
        slow_period="$macd_slow",
        signal_period="$macd_smooth",
    ),
}
ADX = {"adx": feature("adx", period="$adx_period")}
DIS = {
    "di_up": feature("di_plus", period="$adx_period"),
    "di_down": feature("di_minus", period="$adx_period"),
}
ZSCORE = {"zscore": feature("zscore", "close", period="$z_period")}
MOMENTUM = {"momentum": feature("momentum", "close", period="$lookback")}
EMA_STACK = {
    "ema_one": feature("ema", "close", period="$span_one"),
    "ema_two": feature("ema", "close", period="$span_two"),
    "ema_three": feature("ema", "close", period="$span_three"),
}
